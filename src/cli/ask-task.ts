import type { Terminal } from "./terminal.ts";

/** Asks for the task; `undefined` where the answer is Ctrl-C. */
export async function askTask({ world, signal }: Terminal): Promise<string | undefined> {
  const { isCancel, text } = await import("@clack/prompts");
  const answer = await text({
    message: "What shall be done?",
    placeholder: "Compare three ways to cool a small flat in summer",
    validate: (value) => (value?.trim() ? undefined : "Say in a sentence what you want."),
    input: world.stdin,
    // stdout is the answer's.
    output: world.stderr,
    signal,
  });
  return isCancel(answer) ? undefined : answer.trim();
}
