import type { Readable, Writable } from "node:stream";
import type { Terminal } from "../terminal.ts";

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
}

/** What every prompt is told of the terminal. */
export interface PromptStreams {
  readonly input: Readable;
  readonly output: Writable;
  readonly signal: AbortSignal;
}

/**
 * Asks a question; `undefined` where it was left: by Ctrl-C, Ctrl-D or Escape, by the signal, or because the terminal went away.
 */
export async function prompted<Answer>(
  { world: { stdin, stderr } }: Pick<Terminal, "world">,
  signal: AbortSignal,
  ask: (streams: PromptStreams) => Promise<Answer>,
): Promise<Exclude<Answer, symbol> | undefined> {
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
    // stdout is the answer's.
    const answering = ask({ input: stdin, output: stderr, signal: asking.signal });
    stdin.on("keypress", onKey);
    stdin.once("end", stop);
    const answer = await answering;
    return isAnswer(answer) ? answer : undefined;
  } finally {
    signal.removeEventListener("abort", stop);
    stdin.off("keypress", onKey);
    stdin.off("end", stop);
  }
}

/** A prompt that was left gives a symbol. */
function isAnswer<Answer>(answer: Answer): answer is Exclude<Answer, symbol> {
  return typeof answer !== "symbol";
}
