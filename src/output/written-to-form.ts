import { toDivvyError } from "../errors.ts";
import { moreOfRepair } from "../sample.ts";
import type { Form } from "./form.ts";
import { notOfForm, type Output, readOutput } from "./read-output.ts";
import type { RejectedTry } from "./rejected-try.ts";

/** How a reply gets its form. */
export interface Repairing<Draft> {
  readonly form: Form;
  readonly textOf: (draft: Draft) => string;
  /**
   * Asks for it again, with what is wrong. Rejects with a `DivvyError`.
   *
   * @param more to be added to the call's sample: a model may write the same again, and is not to be answered by what it wrote then
   */
  readonly again: (draft: Draft, issues: readonly string[], more: number) => Promise<Draft>;
  /** Was the last reply one that may be another run's? Then it is asked past, and does not count. */
  readonly isShared: () => boolean;
  /** A try does not have the form. */
  readonly onRejected: (rejected: RejectedTry) => void;
  /** May another reply take its place? @default yes */
  readonly mayRepair?: () => boolean;
}

/** A reply with its form. */
export interface Formed<Draft> {
  readonly draft: Draft;
  /** Its JSON alone. */
  readonly text: string;
  readonly output: Output;
}

/**
 * Holds a reply to its form: what does not have it is asked for again, with what is wrong, as often as may be.
 *
 * @throws DivvyError `output_invalid` where none of them has it, else what keeps it from being asked for again
 */
export async function writtenToForm<Draft>(first: Draft, { form, textOf, again, isShared, onRejected, mayRepair }: Repairing<Draft>): Promise<Formed<Draft>> {
  let draft = first;
  for (let number = 1, own = 0; ; number++) {
    const read = await readOutput(form, textOf(draft));
    if (!("issues" in read)) return { draft, ...read };
    onRejected({ try: number, issues: read.issues });
    if (!isShared()) own++;
    if (own > form.repairs || mayRepair?.() === false) throw notOfForm(textOf(draft), read.issues, number);
    try {
      draft = await again(draft, read.issues, moreOfRepair(number));
    } catch (thrown) {
      const error = toDivvyError(thrown);
      if (error.code !== "budget_exhausted") throw error;
      // It was begun, and is not left out: what came stays without its form, and a larger budget would allow the repair.
      throw notOfForm(textOf(draft), read.issues, number).with({ budget: error.evidence?.budget ?? {} });
    }
  }
}
