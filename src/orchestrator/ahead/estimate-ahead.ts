import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { Estimate, Spend } from "../../estimate.ts";
import { callsAPair, pairAsks } from "../../evaluation/pairwise.ts";
import { evaluatorMessages } from "../../evaluation/evaluator-prompt.ts";
import { asks as mostAsks, type Evaluator, modelJudge } from "../../evaluation/judge.ts";
import { keyOf } from "../../names.ts";
import { type Form, formatOf } from "../../output/form.ts";
import { responseFormatOf } from "../../plan/planner.ts";
import { fencing } from "../../prompt/fence.ts";
import type { Combine, Subtask } from "../../subtask.ts";
import type { DoneResult } from "../../synthesis/layout.ts";
import { type Filling, fully, levelsAhead, type Rooms, usually } from "../../synthesis/rooms.ts";
import { synthesizerMessages } from "../../synthesis/synthesizer-messages.ts";
import { costAtMost, presumedUsage, type PriceOf } from "../../usage.ts";
import { type WorkerKind, workerMessages } from "../../work/worker.ts";
import { answerCalls, comparisonInput } from "./answer-reserve.ts";
import { orchestratorMessages } from "../planning/orchestrator-messages.ts";
import { reductionRooms } from "./reductions.ts";
import type { Costs, RunSetup } from "../run-setup.ts";

/** What of a run is still to be done. */
export interface Ahead {
  /** Is the orchestrator asked, and may it add subtasks? */
  readonly plan: boolean;
  /** How often it may then be shown what came of its plan, and add to it. */
  readonly looks: number;
  readonly subtasks: readonly Subtask[];
  readonly done: readonly DoneResult[];
  /** Nothing where the plan is still to say. */
  readonly combine: Combine | "none" | undefined;
}

/** How long replies usually are, in tokens: rough, since nobody can know. */
const usual = { plan: 700, look: 200, worker: 700, choice: 120, verdict: 150 } as const;
/** Of the results' length, an answer that merges them. */
const mergedShare = 0.8;
/** Subtasks of a plan that is not there yet, and what the description of one takes, in tokens. */
const usualSubtasks = 4;
const usualDescription = 120;
/** Of what is said to be wrong with a reply that does not have its form, at most. */
const issuesTokens = 2_500;
/** Of the least wordy texts. */
const bytesPerToken = 3;

/** One call as far as it can be seen from here. */
interface CallAhead {
  readonly role: Parameters<Costs["priceOf"]>[0];
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** How the unknown is filled in. */
interface Guess {
  /** Subtasks that the plan may still add, and further rounds of it. */
  readonly more: number;
  readonly looks: number;
  /** Tokens of a reply that is usually so long, and is cut at its cap. */
  readonly reply: (usualTokens: number, cap: number) => number;
  readonly reductions: Filling;
  /** Replies that are asked for again for their form, of each try. */
  readonly repairs: (most: number) => number;
  /** Tries of work that is judged, and questions for a verdict on each. */
  readonly tries: (most: number) => number;
  readonly asks: number;
}

/** What the rest of a run may use. */
export async function estimateAhead(setup: RunSetup, ahead: Ahead): Promise<Estimate> {
  const sizes = sizesOf(setup);
  const known = ahead.subtasks.length + ahead.done.length;
  const { maxSubtasks, maxWorkers } = setup.options;
  const room = ahead.plan ? Math.max(0, maxSubtasks - known) : 0;
  const later = Math.max(0, Math.min(ahead.looks * maxSubtasks, maxWorkers - known - room));
  const rooms = await reductionRooms(setup, "");
  const usualMore = Math.min(room, Math.max(0, usualSubtasks - known));
  const expected = callsAhead(setup, sizes, ahead, rooms, {
    more: usualMore,
    looks: Math.min(1, ahead.looks),
    reply: Math.min,
    reductions: usually,
    repairs: () => 0,
    tries: () => 1,
    asks: 1,
  });
  const worst = callsAhead(setup, sizes, ahead, rooms, {
    more: room + later,
    looks: ahead.looks,
    reply: (_, cap) => cap,
    reductions: fully,
    repairs: (most) => most,
    tries: (most) => most,
    asks: mostAsks,
  });
  return { expected: await spendOf(setup, expected, (priceOf, sizes) => priceOf(presumedUsage(sizes))), worst: await spendOf(setup, worst, costAtMost) };
}

function callsAhead({ roles, options }: RunSetup, sizes: Sizes, ahead: Ahead, rooms: Rooms | undefined, guess: Guess): CallAhead[] {
  const { more, reply } = guess;
  const judged = (call: CallAhead, { form, evaluator }: Written): CallAhead[] => [
    call,
    ...repairing(call, form, guess),
    ...judging(call, { ...(form && { form }), ...(evaluator && { evaluator }) }, guess, sizes),
  ];
  const worked = (call: CallAhead, kind: WorkerKind, described: number): CallAhead[] => [
    ...sampled(call, kind, described, guess, sizes),
    ...judging(call, kind, guess, sizes),
  ];
  const { orchestrator, worker, synthesizer } = roles;
  const kindOf = (type: string): WorkerKind => roles.workers.get(keyOf(type)) ?? worker;
  const repliesOf = ({ settings }: WorkerKind): number => reply(usual.worker, settings.maxOutputTokens);
  const results = new Map([
    ...ahead.done.map(({ id, result }) => [keyOf(id), sizes.text(result)] as const),
    ...ahead.subtasks.map(({ id, type }) => [keyOf(id), repliesOf(kindOf(type))] as const),
  ]);
  const longestUpstream = Math.ceil(options.upstreamBytes / bytesPerToken);
  const unplanned: CallAhead = { role: worker, inputTokens: sizes.worker(worker) + usualDescription, outputTokens: repliesOf(worker) };
  const workers = ahead.subtasks.flatMap(({ id, type, description, dependsOn }): CallAhead[] => {
    const made = roles.functions.get(keyOf(type));
    // A function takes no call; who judges what it makes may.
    if (made !== undefined) return judging(unplanned, made, guess, sizes).filter(({ role }) => role !== unplanned.role);
    const upstream = dependsOn.reduce((sum, name) => sum + (results.get(keyOf(name)) ?? 0), 0);
    const inputTokens = sizes.worker(kindOf(type)) + sizes.text(description) + Math.min(upstream, longestUpstream);
    return worked({ role: kindOf(type), inputTokens, outputTokens: results.get(keyOf(id)) ?? 0 }, kindOf(type), sizes.text(description));
  });
  const calls = [...workers, ...Array.from({ length: more }, () => worked(unplanned, worker, usualDescription)).flat()];
  if (ahead.plan) calls.unshift({ role: orchestrator, inputTokens: sizes.plan(), outputTokens: reply(usual.plan, orchestrator.settings.maxOutputTokens) });

  const written = [...results.values()].reduce((sum, tokens) => sum + tokens, more * unplanned.outputTokens);
  const look = { inputTokens: sizes.plan() + Math.min(written, longestUpstream), outputTokens: reply(usual.look, orchestrator.settings.maxOutputTokens) };
  calls.push(...Array.from({ length: guess.looks }, () => ({ role: orchestrator, ...look })));

  const { combine = "merge" } = ahead;
  if ((combine !== "merge" && combine !== "choose") || results.size + more < (synthesizer.form === undefined ? 2 : 1)) return calls;
  const { comparing } = synthesizer;
  if (combine === "choose" && comparing !== undefined) {
    const count = results.size + more;
    // Of what is alike in length; which result is the best so far nobody knows.
    const inputTokens = sizes.comparison() + (2 * written) / count;
    const comparison = { role: comparing, inputTokens, outputTokens: reply(usual.verdict, comparing.settings.maxOutputTokens) };
    const questions = answerCalls(synthesizer, combine, count) * (guess.asks === 1 ? 1 : pairAsks);
    return [...calls, ...Array.from({ length: questions }, () => comparison)];
  }
  const levels = combine === "merge" && rooms !== undefined ? levelsAhead(rooms, written, guess.reductions) : [];
  for (const { calls: count, inputTokens, outputTokens } of levels) {
    calls.push(...Array.from({ length: count }, () => ({ role: synthesizer, inputTokens: inputTokens / count, outputTokens: outputTokens / count })));
  }
  const read = levels.at(-1)?.leaves ?? written;
  const answer = combine === "choose" ? usual.choice : read * mergedShare;
  const synthesis = { role: synthesizer, inputTokens: sizes.synthesis(combine) + read, outputTokens: reply(answer, synthesizer.settings.maxOutputTokens) };
  calls.push(...judged(synthesis, combine === "merge" ? synthesizer : {}));
  return calls;
}

/** The tries of one subtask, and what compares them two at a time. */
function sampled(call: CallAhead, { sampling, form }: WorkerKind, described: number, guess: Guess, sizes: Sizes): CallAhead[] {
  const written = [call, ...repairing(call, form, guess)];
  if (sampling === undefined) return written;
  const { count, judge } = sampling;
  const { reply, asks } = guess;
  const inputTokens = sizes.comparison() + described + 2 * call.outputTokens;
  const comparison = { role: judge, inputTokens, outputTokens: reply(usual.verdict, judge.settings.maxOutputTokens) };
  const questions = callsAPair * (count - 1) * (asks === 1 ? 1 : pairAsks);
  return [...Array.from({ length: count }, () => written).flat(), ...Array.from({ length: questions }, () => comparison)];
}

/** What comes after a call whose work is judged: verdicts, and further tries, each with the one before and what was said of it. */
function judging(call: CallAhead, { form, evaluator }: Written, guess: Guess, sizes: Sizes): CallAhead[] {
  if (evaluator === undefined) return [];
  const { reply, tries, asks } = guess;
  const by = modelJudge(evaluator);
  const said = by === undefined ? usual.verdict : reply(usual.verdict, by.settings.maxOutputTokens);
  const verdict = by && { role: by, inputTokens: sizes.verdict(by.criteria) + call.outputTokens, outputTokens: said };
  const verdicts = verdict === undefined ? [] : Array.from({ length: asks }, () => verdict);
  const again = { ...call, inputTokens: call.inputTokens + call.outputTokens + said };
  return [...verdicts, ...Array.from({ length: tries(evaluator.maxAttempts) - 1 }, () => [again, ...repairing(again, form, guess), ...verdicts]).flat()];
}

/** What holds for what a call writes. */
interface Written {
  readonly form?: Form;
  readonly evaluator?: Evaluator;
}

/** Replies that take the place of one that does not have its form, each asked for with the one before and what is wrong with it. */
function repairing(call: CallAhead, form: Form | undefined, { repairs }: Guess): CallAhead[] {
  if (form === undefined) return [];
  const again = { ...call, inputTokens: call.inputTokens + call.outputTokens + issuesTokens };
  return Array.from({ length: repairs(form.repairs) }, () => again);
}

/** Input tokens of what is asked, without what differs from subtask to subtask. */
interface Sizes {
  readonly text: (text: string) => number;
  readonly plan: () => number;
  readonly worker: (kind: WorkerKind) => number;
  readonly synthesis: (combine: "merge" | "choose") => number;
  readonly comparison: () => number;
  readonly verdict: (criteria: string) => number;
}

function sizesOf(setup: RunSetup): Sizes {
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

async function spendOf(
  { costs }: RunSetup,
  calls: readonly CallAhead[],
  costOf: (priceOf: PriceOf, tokens: { readonly inputTokens: number; readonly outputTokens: number }) => number | undefined,
): Promise<Spend> {
  let tokens = 0;
  let cost: number | undefined = 0;
  for (const { role, ...sizes } of calls) {
    const whole = { inputTokens: Math.ceil(sizes.inputTokens), outputTokens: Math.ceil(sizes.outputTokens) };
    tokens += whole.inputTokens + whole.outputTokens;
    const priceOf = await costs.priceOf(role).catch(() => () => undefined);
    const own = costOf(priceOf, whole);
    cost = cost === undefined || own === undefined ? undefined : cost + own;
  }
  return { calls: calls.length, tokens, ...(cost !== undefined && { cost }) };
}
