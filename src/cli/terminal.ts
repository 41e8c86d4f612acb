import type { OutStream } from "./writing/out-stream.ts";
import type { Paint } from "./writing/paint.ts";
import type { CliWorld } from "./world.ts";

/** The world as commands see it. */
export interface Terminal {
  readonly world: CliWorld;
  /** The answer, or data for programs. */
  readonly out: OutStream;
  /** Everything else. */
  readonly err: OutStream;
  readonly outPaint: Paint;
  readonly errPaint: Paint;
  /** Aborts with the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Says that it was heard; a display that is up says it in its own way. */
  onInterrupt: () => void;
  /** Whether an editor has the terminal to itself, and Ctrl-C with it. */
  isLent: boolean;
}
