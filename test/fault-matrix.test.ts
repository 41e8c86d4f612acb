import { describe, expect, test } from "vitest";
import { type ErrorCode, errorCodes } from "../src/errors.ts";
import type { RunEvent } from "../src/index.ts";
import { faulty, joined, mark, type Place, places, type Ride, ride, type RideOptions, resultOf, siblings, type Wire, wires } from "./fault-matrix-fixture.ts";
import { type Row, rows } from "./fault-matrix-rows.ts";
import { rebuilt } from "./rebuilt.ts";

/** Everything that can go wrong with a call, in both formats, wherever in a run it happens. */

/** What a row says of one case. */
interface Case {
  readonly row: Row;
  readonly wire: Wire;
  readonly place: Place;
  readonly code: ErrorCode;
  readonly tries: number;
}

const of = <T extends string | number>(value: T | Readonly<Record<Wire, T>>, wire: Wire): T => (typeof value === "object" ? value[wire] : value);

/** In the run's milliseconds, fifty to one of ours: short where it is waited for, and else beyond what a busy machine takes. */
function boundsOf(code: ErrorCode): { readonly idleMs: number; readonly totalMs: number } {
  return { idleMs: code === "idle_timeout" ? 100_000 : 1_500_000, totalMs: code === "total_timeout" ? 300_000 : 2_000_000 };
}

function timeoutOf(code: ErrorCode, admissionMs: number | undefined): RideOptions["timeout"] {
  const { idleMs, totalMs } = boundsOf(code);
  return { idleMs, workerMs: totalMs, orchestratorMs: totalMs, synthesizerMs: totalMs, ...(admissionMs !== undefined && { admissionMs }) };
}

const cases: readonly Case[] = Object.values(rows).flatMap((row) =>
  wires.flatMap((wire) => places.map((place) => ({ row, wire, place, code: of(row.code, wire), tries: of(row.tries, wire) }))),
);

const nameOf = ({ row, wire, place }: Case): string => {
  const name = Object.entries(rows).find(([, one]) => one === row)?.[0] ?? "";
  return `${name}, ${wire}, ${place}`;
};

/** A server that is not there cannot come back within a run; that has a test of its own. */
const canMend = ({ row, code, tries }: Case): boolean =>
  (tries > 1 || (row.isRequeued ?? false)) && !("unreachable" in row.trouble) && (errorCodes[code].retryable || code === "output_truncated");

/** All runs go at once, some at a time, for most of them wait. Each test waits for its own. */
const queue: (() => Promise<void>)[] = [];

function queued(one: Case, how: RideOptions["how"]): () => Promise<Ride> {
  const { row, wire, place, code } = one;
  const { promise, resolve, reject } = Promise.withResolvers<Ride>();
  // Whoever waits for it may not have come yet.
  promise.catch(() => undefined);
  const trouble = typeof row.trouble === "function" ? row.trouble(wire) : row.trouble;
  queue.push(() => ride({ wire, place, trouble, how, timeout: timeoutOf(code, how === "always" ? row.admissionMs : undefined) }).then(resolve, reject));
  return () => promise;
}

const always = cases.map((one) => ({ name: nameOf(one), one, ended: queued(one, "always") }));
const once = cases.filter(canMend).map((one) => ({ name: nameOf(one), one, ended: queued(one, "once") }));

/** The first tests wait for their turn among all runs. */
const patience = 120_000;

const lane = async (): Promise<void> => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) await next();
};
for (let lanes = 0; lanes < 16; lanes++) void lane();

type Typed<T extends RunEvent["type"]> = Extract<RunEvent, { readonly type: T }>;

function all<T extends RunEvent["type"]>(events: readonly RunEvent[], type: T): Typed<T>[] {
  return events.filter((event): event is Typed<T> => event.type === type);
}

/** How long the longest attempt took, from when it was let out. */
function longestAttempt(events: readonly RunEvent[]): number {
  const began = new Map<string, number>();
  const took = [0];
  for (const event of events) {
    if (event.type !== "attempt.started" && event.type !== "attempt.settled") continue;
    const call = `${event.role} ${event.subtaskId}`;
    if (event.type === "attempt.started") began.set(call, event.at);
    else took.push(event.at - (began.get(call) ?? 0));
  }
  return Math.max(...took);
}

/** What holds of each run, whatever has happened in it. */
function expectSound({ outcome, events, allEnded, timers, openSockets }: Ride): void {
  for (const result of outcome.results) {
    if (result.status !== "done") continue;
    expect(result.result).toBe(resultOf(result.id));
    expect(rebuilt(all(events, "subtask.delta").filter(({ subtaskId }) => subtaskId === result.id))).toBe(result.result);
  }
  const text = "text" in outcome ? outcome.text : "";
  expect(rebuilt(all(events, "answer.delta"))).toBe(text);
  // What is missing is named under the answer, with its reason; above it no fault says a word.
  expect(text.split("**Not covered**")[0]).not.toContain(mark);
  expect(all(events, "attempt.settled")).toHaveLength(all(events, "attempt.started").length);
  expect({ allEnded, timers, openSockets }).toEqual({ allEnded: true, timers: 0, openSockets: 0 });
}

function expectDone({ outcome }: Ride, ids: readonly string[]): void {
  expect(outcome.results.filter(({ status }) => status === "done").map(({ id }) => id)).toEqual(ids);
}

describe("what happens to every try", () => {
  test.each(always)(
    "$name: a typed error that says what to do, and nobody else is hurt",
    async ({ one, ended }) => {
      const { row, place, wire, code } = one;
      const seen = await ended();
      const { outcome, events, requests } = seen;
      expectSound(seen);

      // On a busy machine it takes a while from a clock's end to its effect: ten seconds of ours at most.
      const { idleMs, totalMs } = boundsOf(code);
      expect(longestAttempt(events)).toBeLessThan(Math.min(idleMs, totalMs) + 500_000);

      const inVain = place === "orchestrator" && (row.planning?.wires ?? wires).includes(wire) ? row.planning : undefined;
      const failures = all(events, "attempt.failed");
      expect(failures.map(({ error }) => error.code)).toEqual(Array.from({ length: inVain?.failures ?? one.tries }, () => code));
      for (const { error } of failures) {
        expect(error.hint).toMatch(row.advice);
        expect(error.retryable).toBe(one.tries === 3);
      }
      expect(failures.at(-1)?.retryInMs).toBeUndefined();
      if (row.isRequeued) expect(requests).toBeGreaterThan(one.tries);
      else if (code === "idle_timeout") expect(requests).toBeLessThanOrEqual(one.tries);
      else expect(requests).toBe("unreachable" in row.trouble ? 0 : (inVain?.tries ?? one.tries));

      const last = [...all(events, "subtask.failed"), ...all(events, "plan.failed"), ...all(events, "synthesis.failed")];
      expect(last).toHaveLength(1);
      const error = last[0]?.error;
      expect(error?.code).toBe(inVain?.code ?? code);
      if (inVain === undefined) expect(error).toMatchObject({ hint: expect.stringMatching(row.advice), evidence: { attempts: one.tries } });
      expect(error?.hint).not.toBe("");
      expect(error?.message).toMatch(/\w{3}/);

      switch (place) {
        case "worker":
          expect(outcome.status).toBe("partial");
          expectDone(seen, siblings);
          for (const id of siblings) expect("text" in outcome && outcome.text).toContain(resultOf(id));
          break;
        case "orchestrator":
          expect(outcome).toMatchObject({ status: "failed", error: { code: inVain?.code ?? code }, results: [] });
          break;
        case "synthesizer":
          expect(outcome).toMatchObject({ status: "partial", coverage: { answer: "keep" } });
          expectDone(seen, ["part-0", faulty, "part-2"]);
          break;
      }
    },
    patience,
  );
});

describe("what happens to the first try alone", () => {
  test.each(once)(
    "$name: the run ends well, with the right text",
    async ({ one: { place }, ended }) => {
      const seen = await ended();
      expectSound(seen);
      expectDone(seen, ["part-0", faulty, "part-2"]);
      expect(seen.outcome).toMatchObject({ status: "ok", ...(place !== "worker" && { text: joined }) });
      expect(seen.requests).toBeGreaterThanOrEqual(1);
    },
    patience,
  );
});
