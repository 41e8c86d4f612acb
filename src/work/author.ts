import type { Verdict } from "../evaluation/verdict.ts";
import type { Output } from "../output/read-output.ts";
import type { SampleChoice } from "../sample-choice.ts";
import type { SubtaskText } from "./subtask-text.ts";

/** What a worker delivers. */
export interface Delivered {
  readonly result: string;
  readonly truncated: boolean;
  /** What the schema of its form made of the result. Absent where it has none. */
  readonly output?: Output;
}

/** Who writes the result of one subtask, as often as it takes: a model, or a function. */
export interface Author {
  /** What readers see of it. */
  readonly text: SubtaskText;
  /** Tries of a model's calls so far. */
  readonly attempts: number;
  /** Which of several tries of its first is kept; nothing where there was one. */
  readonly chosen?: SampleChoice | undefined;
  /**
   * Writes one try. Rejects with a `DivvyError`.
   *
   * @param before the last one, which fell short, and what was said of it
   */
  write(before?: { readonly work: Delivered; readonly verdict: Verdict }): Promise<Delivered>;
}
