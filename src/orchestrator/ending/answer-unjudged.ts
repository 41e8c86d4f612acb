import type { Notice } from "../../notice.ts";
import type { Synthesis } from "../../synthesis/synthesize.ts";
import type { SynthesizerRole } from "../../synthesis/synthesizer-messages.ts";
import type { PlanEnding } from "./census.ts";

/** Says that an answer which was to be judged was not, since no synthesizer wrote it; nothing where it was, or where something went wrong with it. */
export function answerUnjudged({ evaluator }: SynthesizerRole, planned: PlanEnding, { mode, evaluation, error }: Synthesis): Notice | undefined {
  if (evaluator === undefined || evaluation !== undefined || error !== undefined) return undefined;
  const why = planned.kind === "direct" ? "the orchestrator wrote it itself" : mode === "none" ? undefined : ways[mode];
  return why === undefined
    ? undefined
    : { code: "answer_not_judged", message: `The answer is not judged: only one that is written of results is, and ${why}.` };
}

const ways = { keep: "they are laid out as they are", choose: "one of them was chosen", merge: "there is one result alone" } as const;
