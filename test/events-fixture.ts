import fc from "fast-check";
import type { ErrorData } from "../src/errors.ts";
import type { EventBody, FactBody, RunEvent } from "../src/events.ts";
import type { CallRef } from "../src/role.ts";
import type { RolePrint, RunPrint } from "../src/run-print.ts";
import type { Outcome } from "../src/outcome.ts";
import { reserved, spent } from "./call-fixture.ts";

/** Streams of events as runs make them, for tests of what reads them. */

/** The events with their stamps, a millisecond apart. */
export function stamped(bodies: readonly EventBody[]): RunEvent[] {
  return bodies.map((body, seq) => ({ ...body, seq, at: 1_000 + seq, runId: "run-1" }));
}

const rolePrint: RolePrint = { model: "p:m", endpoint: "e", settings: "s", prompt: "t" };

/** What is kept of a run's setup. */
export const setup: RunPrint = {
  orchestrator: rolePrint,
  synthesizer: rolePrint,
  workers: { default: rolePrint },
  planFormat: "xml",
  direct: true,
  maxSubtasks: 20,
};

export const error: ErrorData = { code: "stream_broken", message: "It broke.", hint: "Try again.", retryable: true };

export const outcome: Outcome = {
  status: "ok",
  text: "The answer.",
  runId: "run-1",
  coverage: { planned: 1, done: 1, failed: 0, skipped: 0, dropped: 0, planComplete: true, answer: "keep", missing: [], notices: [] },
  analysis: "",
  results: [],
  calls: 2,
  usage: { ...spent(1, 1), byRole: { orchestrator: spent(1, 1), worker: spent(0, 0), synthesizer: spent(0, 0), evaluator: spent(0, 0) } },
  durationMs: 5,
};

/** One attempt of a call: how often it is throttled first, what it writes, how it ends. */
const attempts = fc.array(
  fc.record({
    requeues: fc.integer({ min: 0, max: 2 }),
    texts: fc.array(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 4 }),
    tokens: fc.integer({ min: 0, max: 50 }),
    cost: fc.option(fc.constantFrom(0, 0.25, 0.5), { nil: undefined, freq: 8 }),
  }),
  { minLength: 1, maxLength: 3 },
);

type Attempts = typeof attempts extends fc.Arbitrary<infer T> ? T : never;

/** The events of one call; all its attempts but the last fail. `delta` makes its text an event, with the number of the attempt. */
function callEvents(ref: CallRef, tries: Attempts, delta: (text: string, attempt: number) => EventBody, lastFails: boolean): EventBody[] {
  const events: EventBody[] = [];
  for (const [index, { requeues, texts, tokens, cost }] of tries.entries()) {
    const attempt = index + 1;
    for (let requeue = 0; requeue <= requeues; requeue++) {
      events.push({ type: "attempt.started", ...ref, attempt, model: "p:m", requeues: requeue, reserved });
      if (requeue === requeues) break;
      events.push({ type: "attempt.settled", ...ref, attempt, usage: spent(0, 0), cost: 0 });
      events.push({ type: "governor.throttled", ...ref, model: "p:m", reason: "rate_limited", until: 5_000 });
    }
    for (const text of texts) events.push(delta(text, attempt));
    events.push({ type: "attempt.settled", ...ref, attempt, usage: spent(tokens, tokens), ...(cost !== undefined && { cost }) });
    const last = index === tries.length - 1;
    if (!last) events.push({ type: "attempt.failed", ...ref, attempt, error, retryInMs: 5 });
    else if (lastFails) events.push({ type: "attempt.failed", ...ref, attempt, error });
  }
  return events;
}

const subtaskRuns = fc.record({ tries: attempts, fails: fc.boolean(), aside: fc.option(attempts, { nil: undefined }) });

/** Another try of the same subtask: nobody is shown what it writes. */
function asideEvents(subtaskId: string, aside: Attempts | undefined): EventBody[] {
  const silent = aside?.map((tried) => ({ ...tried, texts: [] })) ?? [];
  return callEvents({ role: "worker", subtaskId, part: "2" }, silent, (text, attempt) => ({ type: "subtask.delta", subtaskId, attempt, text }), true);
}

/** How an answer's deltas are numbered: a restart counts only where there was text to take back. */
function answerNumbering(tries: Attempts): (attempt: number) => number {
  const numbers = tries.map((_, index) => 1 + tries.slice(0, index).filter(({ texts }) => texts.length > 0).length);
  return (attempt) => numbers[attempt - 1] ?? 1;
}

/** A whole run: a plan (asked for twice, maybe), subtasks in any interleaving, an answer. */
export const runs: fc.Arbitrary<EventBody[]> = fc
  .record({
    plans: fc.array(attempts, { minLength: 1, maxLength: 2 }),
    workers: fc.array(subtaskRuns, { minLength: 1, maxLength: 4 }),
    answer: fc.option(attempts, { nil: undefined }),
    choices: fc.array(fc.nat({ max: 1_000 }), { minLength: 200, maxLength: 200 }),
  })
  .map(({ plans, workers, answer, choices }) => {
    const head: FactBody[] = [
      {
        type: "run.started",
        request: { task: "t", context: "" },
        models: { orchestrator: "p:m", synthesizer: "p:m", workers: { default: "p:m" } },
        concurrency: 100,
        setup,
      },
      { type: "plan.started", given: false },
    ];
    const plan = plans.flatMap((tries, round): EventBody[] => [
      ...(round === 0 ? [] : [{ type: "plan.asked_again", reason: "cut", format: "xml", round: 1, analysis: "" } as const]),
      ...callEvents({ role: "orchestrator" }, tries, (text, attempt) => ({ type: "plan.delta", attempt, text }), false),
    ]);
    plan.push({ type: "plan.finished", analysis: "a", combine: "keep", subtasks: workers.length, dropped: 0, complete: true });
    const tasks = workers.map(({ tries, fails, aside }, index): EventBody[] => {
      const id = `s${index}`;
      const own = callEvents({ role: "worker", subtaskId: id }, tries, (text, attempt) => ({ type: "subtask.delta", subtaskId: id, attempt, text }), fails);
      return [
        { type: "subtask.planned", subtask: { id, type: "default", description: "d", dependsOn: [] }, ordinal: index, sample: 0 },
        { type: "subtask.started", subtaskId: id, model: "p:m" },
        ...interleaved([own, asideEvents(id, aside)], choices),
        fails
          ? { type: "subtask.failed", subtaskId: id, error, attempts: tries.length }
          : { type: "subtask.finished", subtaskId: id, result: "r", truncated: false, attempts: tries.length },
      ];
    });
    const numberOf = answerNumbering(answer ?? []);
    const tail: EventBody[] = answer
      ? [
          { type: "synthesis.started", combine: "merge", model: "p:m" },
          ...callEvents({ role: "synthesizer" }, answer, (text, attempt) => ({ type: "answer.delta", attempt: numberOf(attempt), text }), false),
        ]
      : [{ type: "answer.delta", attempt: 1, text: "laid out" }];
    return [...head, ...interleaved([plan, ...tasks], choices), ...tail, { type: "run.finished", outcome }];
  });

function interleaved(lists: readonly (readonly EventBody[])[], choices: readonly number[]): EventBody[] {
  const left = lists.map((list) => [...list]);
  const merged: EventBody[] = [];
  for (let turn = 0; ; turn++) {
    const open = left.filter((list) => list.length > 0);
    const next = open[(choices[turn % choices.length] ?? 0) % open.length]?.shift();
    if (next === undefined) return merged;
    merged.push(next);
  }
}
