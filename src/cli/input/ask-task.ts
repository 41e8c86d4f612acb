import { prompted } from "./prompted.ts";
import type { Terminal } from "../terminal.ts";

/** Asks for the task; `undefined` where the answer is that there is none: Ctrl-C, Ctrl-D or Escape. */
export async function askTask(terminal: Terminal): Promise<string | undefined> {
  const { text } = await import("@clack/prompts");
  const answer = await prompted(terminal, terminal.signal, (streams) =>
    text({
      ...streams,
      message: "What shall be done?",
      placeholder: "Compare three ways to cool a small flat in summer",
      validate: (value) => (value?.trim() ? undefined : "Say in a sentence what you want."),
    }),
  );
  return answer?.trim();
}
