import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { keyOf } from "../../names.ts";
import { withNote } from "../../plan/planner.ts";
import { roundMessage, type SeenSubtask } from "../../plan/prompts/round-prompt.ts";
import type { PlanFormat } from "../../plan/format-plan.ts";
import type { Fence } from "../../prompt/fence.ts";
import type { Planned } from "../../subtask.ts";
import { boundUpstream } from "../../work/upstream.ts";
import type { WorkEnd } from "../../work/work.ts";
import { whyMissing } from "../ending/census.ts";
import { marksBeside, orchestratorMessages, planMarks } from "./orchestrator-messages.ts";
import type { RunSetup } from "../run-setup.ts";
import { beginningOf } from "../../shortened.ts";

/** What the orchestrator is asked at the beginning of a further round. */
export interface LookQuestion {
  readonly messages: LanguageModelV4Prompt;
  readonly marks: Readonly<Partial<Record<PlanFormat, string>>>;
  /** Ids of subtasks of which it is shown only the beginning. */
  readonly cut: readonly string[];
}

/** Of the least wordy texts. */
const bytesPerToken = 3;
/** Of the window, what is asked for may fill: estimates fall short, and what broke off is asked for again. */
const filled = 7 / 8;
/** Of what a judge said, in characters. */
const longestReasons = 1_000;
/** What describes the subtasks may take so much of what there is room for. */
const describing = 1 / 4;

/**
 * Shows the orchestrator, after its own messages, what has become of its subtasks: as much of each as `limits.upstreamBytes` allows,
 * and its own window.
 *
 * @param ends by the key of the subtask's id
 * @param maxSubtasks that it may add
 */
export async function lookQuestion(
  setup: RunSetup,
  fence: Fence,
  planned: readonly Planned[],
  ends: ReadonlyMap<string, WorkEnd>,
  maxSubtasks: number,
): Promise<LookQuestion> {
  const { options, roles, costs } = setup;
  const first = orchestratorMessages(setup, fence);
  const marks = planMarks(setup, first);
  const { model, settings } = roles.orchestrator;
  const ask = (seen: readonly SeenSubtask[]): Omit<LookQuestion, "cut"> => {
    // What workers wrote can be taken for a plan, too, should the orchestrator quote it.
    const shown = seen.map(({ description, text }) => `${description}\n${text}`).join("\n");
    const all = marksBeside(marks, shown);
    const { planFormat: format } = options;
    return { messages: withNote(first, roundMessage({ seen, format, maxSubtasks, mark: all[format], fence })), marks: all };
  };
  const all = planned.map(({ subtask }) => seenAs(subtask, ends.get(keyOf(subtask.id))));
  const empty = all.map((one) => ({ ...one, description: "", text: "" }));
  const taken = costs.inputTokens({ messages: ask(empty).messages }) + settings.maxOutputTokens;
  const room = Math.max(0, ((await costs.contextTokensOf({ model })) * filled - taken) * bytesPerToken);
  const bytes = Math.min(options.upstreamBytes, Math.floor(room * (1 - describing)));
  const described = boundUpstream(
    all.map(({ id, type, description }) => ({ id, type, result: description })),
    Math.floor(room * describing),
  );
  const texts = boundUpstream(
    all.map(({ id, type, text }) => ({ id, type, result: text })),
    bytes,
  );
  const seen = all.map((one, index) => ({
    ...one,
    description: described.upstream[index]?.result ?? one.description,
    text: texts.upstream[index]?.result ?? one.text,
  }));
  return { ...ask(seen), cut: texts.cut };
}

function shortcomingOf({ truncated, evaluation }: WorkEnd & { status: "done" }): string | undefined {
  const cut = truncated ? "It was cut at its cap." : "";
  const judged = evaluation?.passed === false ? beginningOf(evaluation.reasons, longestReasons) : "";
  return cut === "" && judged === "" ? undefined : `${judged} ${cut}`.trim();
}

function seenAs({ id, type, description }: Planned["subtask"], end: WorkEnd | undefined): SeenSubtask {
  const base = { id, type, description };
  if (end?.status === "done") {
    const shortcoming = shortcomingOf(end);
    return { ...base, state: "done", text: end.result, ...(shortcoming !== undefined && { shortcoming }) };
  }
  return { ...base, state: end?.status ?? "skipped", text: whyMissing(end) };
}
