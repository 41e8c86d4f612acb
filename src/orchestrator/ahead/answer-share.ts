import type { PlanBuilder } from "../../plan/plan-builder.ts";
import type { Combine, Subtask } from "../../subtask.ts";
import { answerCalls, framesOf } from "./answer-reserve.ts";
import type { RunSetup } from "../run-setup.ts";

/** What the budget of a run keeps back for its answer, as the plan grows; nothing is done where there is no budget. */
export interface AnswerShare {
  /**
   * The calls that the answer takes may be others now.
   *
   * @param isWhole is the plan over, so that nothing is added to it? Default: no
   */
  keep(isWhole?: boolean): void;
  /** One more subtask stands, which the answer has to read. */
  add(subtask: Subtask): void;
}

/** How results become the answer, as far as it is known. */
export function combineOf({ options }: RunSetup, builder: PlanBuilder): Combine | "none" {
  return options.combine ?? builder.combine;
}

export function answerShare(setup: RunSetup, builder: PlanBuilder): AnswerShare {
  const { roles, run, start } = setup;
  const { budget } = run;
  if (budget === undefined) return { keep: () => undefined, add: () => undefined };
  const frameOf = framesOf(setup);
  const given = start.plan ?? start.past?.given;
  const mostGiven = given?.kind === "subtasks" ? given.subtasks.length : undefined;
  const keep = (isWhole = false): void => {
    // As long as others may follow, there may be something to join.
    const count = mostGiven ?? Math.max(isWhole ? 0 : 2, builder.planned.length);
    budget.answerTakes(answerCalls(roles.synthesizer, combineOf(setup, builder), count));
  };
  return {
    keep,
    add: (subtask) => {
      budget.answerReads(() => frameOf(subtask));
      // One more to compare; a plan that has not said what becomes of its results may yet want them joined.
      if (combineOf(setup, builder) === "choose") keep();
    },
  };
}
