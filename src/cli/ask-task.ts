import type { Terminal } from "./terminal.ts";

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
}

/** Asks for the task; `undefined` where the answer is that there is none: Ctrl-C, Ctrl-D or Escape. */
export async function askTask({ world: { stdin, stderr }, signal }: Terminal): Promise<string | undefined> {
  const { isCancel, text } = await import("@clack/prompts");
  if (signal.aborted) return undefined;
  // A signal of its own: the prompt would listen to ours for ever, and write into what is shown after it.
  const asking = new AbortController();
  const stop = (): void => asking.abort();
  // At Ctrl-D on an empty line, and where the terminal goes away, reading ends without a word to the prompt, which would wait on.
  const onKey = (_: unknown, { name, ctrl }: Key): void => {
    if (ctrl && name === "d" && stdin.isPaused()) stop();
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const answering = text({
      message: "What shall be done?",
      placeholder: "Compare three ways to cool a small flat in summer",
      validate: (value) => (value?.trim() ? undefined : "Say in a sentence what you want."),
      input: stdin,
      // stdout is the answer's.
      output: stderr,
      signal: asking.signal,
    });
    stdin.on("keypress", onKey);
    stdin.once("end", stop);
    const answer = await answering;
    return isCancel(answer) ? undefined : answer.trim();
  } finally {
    signal.removeEventListener("abort", stop);
    stdin.off("keypress", onKey);
    stdin.off("end", stop);
  }
}
