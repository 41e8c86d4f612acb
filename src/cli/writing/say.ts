import { oneLine } from "./clean-text.ts";
import type { Terminal } from "../terminal.ts";
import { wrapped } from "../view/wrapped.ts";

/** Something for people, on stderr and quietly: on a terminal broken between words, elsewhere on one line. */
export function sayTo({ err, errPaint }: Pick<Terminal, "err" | "errPaint">, text: string): void {
  const line = oneLine(text);
  void err.write(`${errPaint("dim", err.isTerminal ? wrapped(line, err.columns) : line)}\n`);
}
