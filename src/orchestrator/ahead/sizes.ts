import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { evaluatorMessages } from "../../evaluation/evaluator-prompt.ts";
import { type Form, formatOf } from "../../output/form.ts";
import { responseFormatOf } from "../../plan/planner.ts";
import { fencing } from "../../prompt/fence.ts";
import { synthesizerMessages } from "../../synthesis/synthesizer-messages.ts";
import { type WorkerKind, workerMessages } from "../../work/worker.ts";
import { orchestratorMessages } from "../planning/orchestrator-messages.ts";
import type { RunSetup } from "../run-setup.ts";
import { comparisonInput } from "./answer-reserve.ts";

/** Input tokens of what is asked, without what differs from subtask to subtask. */
export interface Sizes {
  readonly text: (text: string) => number;
  readonly plan: () => number;
  readonly worker: (kind: WorkerKind) => number;
  readonly synthesis: (combine: "merge" | "choose") => number;
  readonly comparison: () => number;
  readonly verdict: (criteria: string) => number;
}

export function sizesOf(setup: RunSetup): Sizes {
  const { request, roles, costs, options } = setup;
  const fence = fencing();
  const sizeOf = (messages: () => LanguageModelV4Prompt, form?: Form): number => {
    try {
      return costs.inputTokens({ messages: messages(), ...formatOf(form) });
    } catch {
      // A prompt function may not know what to make of a subtask that says nothing.
      return 0;
    }
  };
  const nothing = { id: "", type: "", description: "", dependsOn: [] };
  return {
    text: remembered(costs.textTokens),
    plan: () => {
      const format = responseFormatOf(options.planFormat, options.direct, undefined);
      return sizeOf(() => orchestratorMessages(setup, fence)) + costs.inputTokens({ messages: [], ...format });
    },
    worker: remembered((kind) => sizeOf(() => workerMessages(kind, { request, subtask: nothing, upstream: [], sample: 0 }, fence), kind.form)),
    synthesis: remembered((combine) =>
      sizeOf(
        () => synthesizerMessages(combine, { request, analysis: "", results: [], missing: [] }, { role: roles.synthesizer, fence }),
        combine === "merge" ? roles.synthesizer.form : undefined,
      ),
    ),
    comparison: () => comparisonInput(setup),
    verdict: remembered((criteria) => sizeOf(() => evaluatorMessages({ request, subtask: nothing, text: "" }, criteria, fence))),
  };
}

function remembered<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}
