import { hash } from "node:crypto";
import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { evaluatorMessages } from "../../evaluation/evaluator-prompt.ts";
import { type Evaluator, modelJudge } from "../../evaluation/judge.ts";
import { pairwiseMessages } from "../../evaluation/pairwise-prompt.ts";
import { completionMessage } from "../../plan/prompts/completion-prompt.ts";
import { PlanBuilder } from "../../plan/plan-builder.ts";
import type { Form } from "../../output/form.ts";
import { fencing } from "../../prompt/fence.ts";
import { functionModel } from "../../role.ts";
import type { RolePrint, RunPrint } from "../../run-print.ts";
import { synthesizerMessages, type SynthesizerRole } from "../../synthesis/synthesizer-messages.ts";
import type { Sampling } from "../../work/sampled-author.ts";
import { type WorkerKind, workerMessages } from "../../work/worker.ts";
import { orchestratorMessages } from "../planning/orchestrator-messages.ts";
import type { RunSetup } from "../run-setup.ts";

/**
 * What decides the calls of a run, to be kept in its log. A prompt is filled in for this request and one of each thing that it may
 * be about, made up, so that a change of template, function, examples or defaults shows alike.
 *
 * @param baseUrlOf the address of a model
 */
export function printOf(setup: RunSetup, baseUrlOf: (model: string) => string): RunPrint {
  const { request, roles, options } = setup;
  const { orchestrator } = roles;
  const { contextTokens } = roles.synthesizer;
  const fence = fencing();
  const rolePrint = (model: string, settings: object, messages: () => LanguageModelV4Prompt, { form, evaluator }: Judged = {}): RolePrint => ({
    model,
    endpoint: hashOf(baseUrlOf(model)),
    settings: hashOf(settings),
    prompt: hashOf(filledIn(messages)),
    ...outputPrint(form),
    ...(evaluator && { evaluation: hashOf(judgePrint(evaluator)) }),
  });
  // How good is good enough, and how often it is tried, are limits: they change no call.
  const judgePrint = (evaluator: Evaluator): object | "code" => {
    const by = modelJudge(evaluator);
    if (by === undefined) return "code";
    const messages = evaluatorMessages({ request, subtask, text: "probe" }, by.criteria, fence);
    return { model: by.model, endpoint: baseUrlOf(by.model), settings: by.settings, messages };
  };
  const samplingPrint = ({ count, judge: { model, settings } }: Sampling): object => {
    return { count, model, endpoint: baseUrlOf(model), settings, messages: pairwiseMessages({ request, first: "a", second: "b" }, fence) };
  };
  const workerPrint = (kind: WorkerKind, type: string): RolePrint => ({
    ...rolePrint(
      kind.model,
      kind.settings,
      () => workerMessages({ prompt: kind.prompt }, { request, subtask: { ...subtask, type }, upstream: [done], sample: 0 }, fence),
      kind,
    ),
    ...(kind.sampling && { sampling: hashOf(samplingPrint(kind.sampling)) }),
  });
  const functionPrint = ({ form, evaluator }: Judged): RolePrint => {
    const nothing = hashOf("");
    return {
      model: functionModel,
      endpoint: nothing,
      settings: nothing,
      prompt: nothing,
      ...outputPrint(form),
      ...(evaluator && { evaluation: hashOf(judgePrint(evaluator)) }),
    };
  };
  const results = [done, { ...done, id: "other" }];
  const asked = (combine: "merge" | "choose"): LanguageModelV4Prompt =>
    synthesizerMessages(combine, { request, analysis: "probe", results, missing: [missing] }, { role: { prompt: roles.synthesizer.prompt }, fence });
  const { direct, planFormat, combine, maxSubtasks, rounds } = options;
  return {
    orchestrator: rolePrint(orchestrator.model, { ...orchestrator.settings, formatOptions: orchestrator.formatOptions }, () => [
      ...orchestratorMessages(setup, fence),
      ...(["xml", "json"] as const).map((format) => ({ role: "system" as const, content: completionMessage(planOfOne(), format, direct) })),
    ]),
    synthesizer: {
      ...rolePrint(roles.synthesizer.model, synthesizerSettings(roles.synthesizer), () => [...asked("merge"), ...asked("choose")], roles.synthesizer),
      ...(contextTokens !== undefined && { window: contextTokens }),
    },
    workers: Object.fromEntries([
      ["default", workerPrint(roles.worker, "default")],
      ...[...roles.workers].map(([type, kind]) => [type, workerPrint(kind, type)] as const),
      // What a function does cannot be told from outside.
      ...[...roles.functions].map(([type, kind]) => [type, functionPrint(kind)] as const),
    ]),
    planFormat,
    direct,
    ...(combine !== undefined && { combine }),
    maxSubtasks,
    ...(rounds > 1 && { rounds }),
  };
}

/** What holds for the work of a role, beside how it is asked. */
interface Judged {
  readonly form?: Form;
  readonly evaluator?: Evaluator;
}

/** What a schema checks beyond its JSON Schema cannot be told from outside. */
function outputPrint(form: Form | undefined): Pick<RolePrint, "output"> {
  return form === undefined ? {} : { output: hashOf(form.responseFormat) };
}

/**
 * What decides how a plan is asked for, whatever the request: as a short hash. Of a context that is a record its keys count, since
 * templates name them.
 */
export function planningPrint(setup: RunSetup, baseUrlOf: (model: string) => string): string {
  const { context } = setup.request;
  const anyContext = typeof context === "string" ? "probe" : Object.fromEntries(Object.keys(context).map((key) => [key, "probe"]));
  const { orchestrator, planFormat, direct, combine, maxSubtasks } = printOf({ ...setup, request: { task: "probe", context: anyContext } }, baseUrlOf);
  return hashOf({ orchestrator, kinds: setup.roles.kinds, planFormat, direct, combine, maxSubtasks });
}

/** A window that is stated decides what is reduced, and how. */
function synthesizerSettings({ settings, contextTokens }: SynthesizerRole): object {
  return { ...settings, ...(contextTokens !== undefined && { contextTokens }) };
}

/** A prompt function may not know what to make of the made-up subtask; it is asked for the real ones all the same. */
function filledIn(messages: () => LanguageModelV4Prompt): LanguageModelV4Prompt | "threw" {
  try {
    return messages();
  } catch {
    return "threw";
  }
}

const subtask = { id: "probe", type: "probe", description: "probe", dependsOn: [] };
const done = { ...subtask, result: "probe" };
const missing = { id: "gone", type: "probe", why: "probe" };

function planOfOne(): PlanBuilder {
  const builder = new PlanBuilder();
  builder.add({ ...subtask, after: [] });
  return builder;
}

/** Keys of options stand in the order in which they were written: an other order is an other text, and says drift where there is none. */
function hashOf(value: unknown): string {
  return hash("sha256", JSON.stringify(value, sorted), "hex").slice(0, 16);
}

function sorted(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
