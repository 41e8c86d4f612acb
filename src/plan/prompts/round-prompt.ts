import type { Fence } from "../../prompt/fence.ts";
import type { PlanFormat } from "../format-plan.ts";
import { formatReminder } from "./orchestrator-prompt.ts";
import { markRule } from "./plan-mark.ts";

/** One subtask of the rounds before, as the orchestrator is shown it. */
export interface SeenSubtask {
  readonly id: string;
  readonly type: string;
  readonly description: string;
  /** What came of it: its result, or why there is none. */
  readonly state: "done" | "failed" | "skipped";
  readonly text: string;
  /** What was said of a result that falls short. */
  readonly shortcoming?: string;
}

export interface RoundPromptInput {
  readonly seen: readonly SeenSubtask[];
  readonly format: PlanFormat;
  /** Subtasks that it may add. */
  readonly maxSubtasks: number;
  /** What its own tags must carry, where it has to be asked for here. */
  readonly mark: string | undefined;
  readonly fence: Fence;
}

/** Asks the orchestrator, after its own messages, to look at what its plan has brought: to add to it, to replace what failed, or to finish. */
export function roundMessage({ seen, format, maxSubtasks, mark, fence }: RoundPromptInput): string {
  const anyLost = seen.some(({ state }) => state !== "done");
  const finish = format === "json" ? 'an empty "subtasks" list' : '<tasks combine="keep"></tasks>';
  return [
    "Your plan has been carried out. This is what came of it:",
    ...seen.map((one) => seenText(one, fence)),
    `Now decide whether the request can be answered well from this. If so, or if more work would not make the answer better, finish: reply with ${finish}.
Otherwise write only what is still to be done, at most ${maxSubtasks} more:
- A new subtask, under an id of its own, where something is missing, contradicts something else, or came up that nobody could know before. It may come after any subtask above, and is then given that one's result; it sees no other.
${anyLost ? "- One that failed or was skipped, written anew under its own id, where it can succeed in another way. What waits for it is then done, too.\n" : ""}- Never what was asked for before: it would be dropped.`,
    formatReminder(format, false),
    ...(mark === undefined ? [] : [markRule(format, mark, "What came of it")]),
  ].join("\n\n");
}

function seenText({ id, type, description, state, text, shortcoming }: SeenSubtask, fence: Fence): string {
  const subtask = fence("subtask", `id: ${id}\ntype: ${type}\ndescription: ${description}`);
  const short = shortcoming === undefined ? "" : `\nIt falls short:\n${fence("reason", shortcoming)}`;
  if (state === "done") return `A subtask:\n${subtask}\nIts result:\n${fence("result", text)}${short}`;
  return `A subtask:\n${subtask}\nIt ${state === "failed" ? "failed" : "was skipped"}:\n${fence("reason", text)}`;
}
