import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { FlexibleOrchestrator, type Outcome, type RunEvent } from "../src/index.ts";
import { type DoubleCall, type Fault, injectFaults, latencyModel, type ProviderRequest, providerServer, type ReplyFunction } from "../src/testing/index.ts";
import { seededRandom, seedFor } from "../src/testing/random.ts";

/** Whole runs over real HTTP on a provider that fails in every way it can: what must hold of each, whatever happens to it. */

const seeds = Array.from({ length: 24 }, (_, index) => index + 1);

/** Stands in everything that a fault says: it must never be taken for work. */
const mark = "FAULTY";

const faults: readonly Fault[] = [
  { kind: "status", status: 429, headers: { "retry-after": "0.02" }, body: { type: "error", error: { type: "rate_limit_error", message: mark } } },
  { kind: "status", status: 500, body: { type: "error", error: { type: "api_error", message: mark } } },
  { kind: "reset", afterChunks: 0 },
  { kind: "reset", afterChunks: 2 },
  { kind: "silence", afterChunks: -1 },
  { kind: "silence", afterChunks: 2 },
  { kind: "cut", afterChunks: 0 },
  { kind: "cut", afterChunks: 2 },
  { kind: "error-event", afterChunks: 1, data: { type: "error", error: { type: "api_error", message: mark } } },
  { kind: "body", body: `<html>${mark}</html>`, contentType: "text/html" },
];

interface Part {
  readonly id: string;
  readonly after: readonly string[];
}

/** Twenty subtasks; each fifth needs two of those before it. */
const parts: readonly Part[] = Array.from({ length: 20 }, (_, n) => ({ id: `part-${n}`, after: n % 5 === 4 ? [`part-${n - 1}`, `part-${n - 4}`] : [] }));

const resultOf = (id: string): string => `This is what the worker of ${id} has found, whole and to its last word.`;
const joined = "This is the answer, joined from what the workers have found, whole and to its last word.";

function planText(missing: readonly Part[], json: boolean): string {
  if (json)
    return JSON.stringify({ analysis: "", combine: "merge", subtasks: missing.map(({ id, after }) => ({ id, type: id, description: `Do ${id}.`, after })) });
  const tasks = missing.map(({ id, after }) => `<task id="${id}" after="${after.join(", ")}"><type>${id}</type><description>Do ${id}.</description></task>\n`);
  return `<tasks combine="merge">\n${tasks.join("")}</tasks>`;
}

/** What a good model would say: all of it, or what is missing of a plan that broke off. */
function wellSaid({ system, prompt, json }: DoubleCall): string {
  if (system.startsWith("Several workers")) return joined;
  if (!system.includes("You are the orchestrator")) return resultOf(/Do (part-\d+)\./.exec(prompt)?.[1] ?? "");
  const standing = prompt.includes("Your plan broke off") ? parts.filter(({ id }) => prompt.includes(`id="${id}"`)) : [];
  return planText(
    parts.filter((part) => !standing.includes(part)),
    json,
  );
}

interface Ride {
  readonly seed: number;
  readonly outcome: Outcome;
  readonly events: readonly RunEvent[];
  /** What `textStream` gave, put together. */
  readonly streamed: string;
  readonly requests: readonly ProviderRequest[];
  readonly inFlight: number;
  readonly happened: ReadonlySet<Fault | "empty">;
}

/** One run with a share of its calls gone wrong. */
async function ride(seed: number): Promise<Ride> {
  const latency = latencyModel({ seed, firstTokenMs: { median: 4, sigma: 0.5 }, tokenMs: { median: 0.3, sigma: 0.3 } });
  const happened = new Set<Fault | "empty">();
  const said: ReplyFunction = (call) => {
    const text = wellSaid(call);
    // Each call has a connection of its own, which ends with it.
    const headers = { connection: "close" };
    // Nothing at all, and that it is complete: a fault that is none of the protocol's.
    if (seededRandom(seedFor(seed, `empty:${call.asked}:${call.prompt}`))() < 0.05) {
      happened.add("empty");
      return { text: "", headers };
    }
    return { text, headers, ...latency.timing(`${call.asked}:${call.prompt}`, text, text.length > 200 ? 80 : 16) };
  };
  const faulty = injectFaults(said, { seed, share: 0.04 * (seed % 10), faults });
  await using server = await providerServer(
    async (call) => {
      const reply = await faulty(call);
      if (typeof reply !== "string" && reply.fault !== undefined) happened.add(reply.fault);
      return reply;
    },
    { vary: false },
  );
  const isAnthropic = seed % 2 === 0;
  const run = new FlexibleOrchestrator(
    { model: isAnthropic ? "anthropic:x" : "openai-compatible:x", retry: { attempts: 3, backoffMs: 2 }, timeout: { idleMs: 1_000 } },
    {
      models: {
        env: isAnthropic ? { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: server.anthropicBaseUrl } : { OPENAI_COMPATIBLE_BASE_URL: server.openaiBaseUrl },
      },
    },
  ).start("Do all parts.");
  const events = gathered(run.events);
  // Text that was read cannot be taken back; where nobody reads in time, it can.
  if (seed % 3 === 0) await run.outcome;
  const streamed = (await gathered(run.textStream)).join("");
  const outcome = await run.outcome;
  for (let tries = 0; tries < 200 && server.inFlight > 0; tries++) await pause(5);
  const { requests, inFlight } = server;
  return { seed, outcome, events: await events, streamed, requests: [...requests], inFlight, happened };
}

async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const rides: Ride[] = [];

beforeAll(async () => {
  const waiting = [...seeds];
  const lane = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) rides.push(await ride(seed));
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}, 60_000);

/** Asserts of each run; what fails names its seed. */
function ofEach(hold: (ride: Ride, seed: string) => void): void {
  expect(rides).toHaveLength(seeds.length);
  for (const one of rides) hold(one, `seed ${one.seed}`);
}

type Typed<T extends RunEvent["type"]> = Extract<RunEvent, { readonly type: T }>;

function all<T extends RunEvent["type"]>(events: readonly RunEvent[], type: T): Typed<T>[] {
  return events.filter((event): event is Typed<T> => event.type === type);
}

const endsOf = (events: readonly RunEvent[], id: string): string[] =>
  events.flatMap((event) => ("subtaskId" in event && event.subtaskId === id && /^subtask\.(?:finished|failed|skipped)$/.test(event.type) ? [event.type] : []));

describe("of runs with faults strewn in", () => {
  test("every fault has happened, and runs have ended in more than one way", () => {
    expect(new Set(rides.flatMap((one) => [...one.happened]))).toEqual(new Set([...faults, "empty"]));
    expect(rides.map(({ outcome }) => outcome.status)).toEqual(expect.arrayContaining(["ok", "partial"]));
    expect(rides.some(({ outcome }) => outcome.coverage.failed > 0)).toBe(true);
    expect(rides.some(({ outcome }) => outcome.coverage.skipped > 0)).toBe(true);
  });

  test("every subtask that was planned ends once, in the events as in the results", () => {
    ofEach(({ outcome, events }, seed) => {
      const planned = all(events, "subtask.planned").map(({ subtask }) => subtask.id);
      expect(new Set(planned).size, seed).toBe(planned.length);
      expect(
        outcome.results.map(({ id }) => id),
        seed,
      ).toEqual(planned);
      const names = { done: "subtask.finished", failed: "subtask.failed", skipped: "subtask.skipped" };
      for (const { id, status } of outcome.results) expect(endsOf(events, id), `${seed} ${id}`).toEqual([names[status]]);
    });
  });

  test("the status says what is so", () => {
    ofEach(({ outcome, events }, seed) => {
      const finished = all(events, "subtask.finished").length;
      const broken = all(events, "plan.failed").length + all(events, "synthesis.failed").length;
      const whole = finished === parts.length && broken === 0;
      expect(outcome.status, seed).toBe(whole ? "ok" : finished > 0 ? "partial" : "failed");
      expect(outcome.coverage, seed).toMatchObject({
        done: finished,
        failed: all(events, "subtask.failed").length,
        skipped: all(events, "subtask.skipped").length,
        planComplete: all(events, "plan.failed").length === 0,
      });
      expect(
        outcome.coverage.missing.map(({ id }) => id),
        seed,
      ).toEqual(outcome.results.flatMap(({ id, status }) => (status === "done" ? [] : [id])));
    });
  });

  test("the answer is what was streamed, put together; an ok one is whole", () => {
    ofEach(({ outcome, streamed }, seed) => {
      expect("text" in outcome ? outcome.text : "", seed).toBe(streamed);
      if (outcome.status === "ok") expect(streamed, seed).toBe(joined);
      // What is missing is named under the answer, with its reason; above it no fault says a word.
      expect(streamed.split("**Not covered**")[0], seed).not.toContain(mark);
    });
  });

  test("a result is a worker's whole text and nothing else, however often it was tried", () => {
    ofEach(({ outcome }, seed) => {
      for (const result of outcome.results) if (result.status === "done") expect(result.result, seed).toBe(resultOf(result.id));
    });
    expect(rides.some(({ outcome }) => outcome.results.some(({ status, attempts }) => status === "done" && attempts === 3))).toBe(true);
  });

  test("nothing was sent that was not booked before, and all that was booked is settled", () => {
    ofEach(({ events, requests }, seed) => {
      const booked = all(events, "attempt.started").length;
      // On a busy machine the time of a try can be up before its request has left.
      expect(booked, seed).toBeGreaterThanOrEqual(requests.length);
      expect(all(events, "attempt.settled"), seed).toHaveLength(booked);
    });
  });

  test("no call is left on the wire when the run is over: each is answered, or its connection is closed", () => {
    ofEach(({ inFlight, requests }, seed) => {
      expect(inFlight, seed).toBe(0);
      expect(
        requests.filter(({ endedAt }) => endedAt === undefined),
        seed,
      ).toEqual([]);
    });
    // Who went silent was left.
    expect(rides.some(({ requests }) => requests.some(({ closedByClient }) => closedByClient))).toBe(true);
  });
});
