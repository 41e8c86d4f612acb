import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EventBody, isDelta, type RunEvent } from "../events.ts";
import { error, outcome, runs, stamped } from "../../test/events-fixture.ts";
import { reduce } from "../reduce.ts";
import { initialRunState, type RunState } from "../run-state.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { EventStream } from "./event-stream.ts";

function aStream(onFact?: (type: string) => void): EventStream {
  return new EventStream("run-1", virtualClock(1_000), [], onFact && (({ type }) => onFact(type)));
}

/** A reader that is read by hand. */
class Reading {
  readonly got: RunEvent[] = [];
  readonly #iterator: AsyncIterator<RunEvent>;
  #next: Promise<IteratorResult<RunEvent>> | undefined;
  over = false;

  constructor(stream: EventStream) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Takes what there is, and waits for no more; as many as `most` at most. */
  async take(most = Number.POSITIVE_INFINITY): Promise<void> {
    for (let taken = 0; taken < most && !this.over; taken++) {
      this.#next ??= this.#iterator.next();
      const next = await Promise.race([this.#next, new Promise<undefined>((resolve) => setImmediate(resolve, undefined))]);
      if (next === undefined) return;
      this.#next = undefined;
      if (next.done) this.over = true;
      else this.got.push(next.value);
    }
  }

  get state(): RunState {
    return this.got.reduce(reduce, initialRunState);
  }
}

/** Shrinking whole runs takes long; the seed is said, and the first counterexample is small enough. */
const manyRuns = { numRuns: 40, endOnFailure: true } as const;

const facts = (events: readonly EventBody[]): string[] => events.filter((event) => !isDelta(event)).map(({ type }) => type);
/** Of merged deltas the first one's time is kept, so that a state's time may be behind. */
const timeless = (state: RunState): RunState => ({ ...state, at: 0 });

const write = (text: string, attempt = 1): EventBody => ({ type: "subtask.delta", subtaskId: "s1", attempt, text });
const note = (message: string): EventBody => ({ type: "run.noticed", notice: { code: "upstream_cut", message } });

describe("a reader from the beginning that keeps up", () => {
  test("gets every event as it is, numbered without a gap, and then the end", async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (bodies) => {
        const stream = aStream();
        const live = new Reading(stream);
        await live.take();
        for (const body of bodies) {
          stream.emit(body);
          await live.take();
        }
        expect(live.got).toEqual(stamped(bodies).map((event) => ({ ...event, at: 1_000 })));
        expect(live.over).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

describe("whoever comes late, or reads slowly", () => {
  /** When readers come and how much they take: after each event, some number from here. */
  const paces = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 7, maxLength: 7 });

  /** One who reads slowly from the beginning and one who joins on the way, when both have read to the end. */
  async function readers(bodies: readonly EventBody[], joinAt: number, pace: readonly number[]): Promise<Reading[]> {
    const stream = aStream();
    const slow = new Reading(stream);
    await slow.take();
    const all = [slow];
    for (const [index, body] of bodies.entries()) {
      stream.emit(body);
      await slow.take(pace[index % pace.length]);
      if (index === joinAt % bodies.length) all.push(new Reading(stream));
      await all[1]?.take(pace[(index + 3) % pace.length]);
    }
    for (const reader of all) await reader.take();
    expect(all).toHaveLength(2);
    return all;
  }

  test("sees a first try that is written, though others begin beside it", async () => {
    const begins = (part?: string): EventBody => ({
      type: "attempt.started",
      role: "worker",
      subtaskId: "s1",
      ...(part !== undefined && { part }),
      attempt: 1,
      model: "m",
      requeues: 0,
      reserved: { inputTokens: 1, outputTokens: 1 },
    });
    const stream = aStream();
    const slow = new Reading(stream);
    for (const body of [begins(), write("Half"), begins("2"), write(" of it")]) stream.emit(body);
    const late = new Reading(stream);
    for (const reader of [slow, late]) {
      await reader.take();
      expect(reader.got.flatMap((event) => (event.type === "subtask.delta" ? [event.text] : [])).join("")).toBe("Half of it");
    }
    stream.emit(begins());
    const later = new Reading(stream);
    await later.take();
    expect(later.got.some(isDelta)).toBe(false);
  });

  test("misses no fact, and gets them in their order", async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.nat(), paces, async (bodies, joinAt, pace) => {
        for (const reader of await readers(bodies, joinAt, pace)) {
          expect(reader.over).toBe(true);
          expect(facts(reader.got)).toEqual(facts(bodies));
        }
      }),
      manyRuns,
    );
  });

  test("ends in the state of one who kept up", async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.nat(), paces, async (bodies, joinAt, pace) => {
        const live = stamped(bodies)
          .map((event) => ({ ...event, at: 1_000 }))
          .reduce(reduce, initialRunState);
        for (const reader of await readers(bodies, joinAt, pace)) expect(timeless(reader.state)).toEqual(timeless(live));
      }),
      manyRuns,
    );
  });

  test("is, whenever there is nothing more to read, in the state of one who kept up", async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.nat(), async (bodies, cut) => {
        const stream = aStream();
        const slow = new Reading(stream);
        await slow.take();
        const half = bodies.slice(0, cut % bodies.length);
        for (const body of half) stream.emit(body);
        const late = new Reading(stream);
        const live = stamped(half)
          .map((event) => ({ ...event, at: 1_000 }))
          .reduce(reduce, initialRunState);
        for (const reader of [slow, late]) {
          await reader.take();
          expect(timeless(reader.state)).toEqual(timeless(live));
        }
      }),
      manyRuns,
    );
  });

  test("sees `seq` rise", async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.nat(), paces, async (bodies, joinAt, pace) => {
        for (const reader of await readers(bodies, joinAt, pace)) {
          const seqs = reader.got.map(({ seq }) => seq);
          expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
          expect(new Set(seqs).size).toBe(seqs.length);
        }
      }),
      manyRuns,
    );
  });

  test("gets the deltas of one text that were not yet taken as one", async () => {
    const stream = aStream();
    const slow = new Reading(stream);
    await slow.take();
    for (const body of [write("a"), note("x"), write("b"), write("c")]) stream.emit(body);
    await slow.take();
    expect(slow.got.map((event) => (isDelta(event) ? event.text : event.type))).toEqual(["abc", "run.noticed"]);
    stream.emit(write("d"));
    await slow.take();
    expect(slow.got.at(-1)).toMatchObject({ text: "d" });
  });

  test("gets no text twice: what was taken before it is not merged again", async () => {
    const stream = aStream();
    const slow = new Reading(stream);
    await slow.take();
    for (const body of [write("a"), note("x"), note("y")]) stream.emit(body);
    await slow.take(1);
    stream.emit(write("b"));
    await slow.take();
    expect(slow.got.filter((event) => isDelta(event)).map(({ text }) => text)).toEqual(["a", "b"]);
  });

  test("does not get the text of two attempts as one", async () => {
    const stream = aStream();
    const slow = new Reading(stream);
    await slow.take();
    for (const body of [write("a", 1), write("b", 2), write("c", 2)]) stream.emit(body);
    await slow.take();
    expect(slow.got.map((event) => (isDelta(event) ? [event.attempt, event.text] : []))).toEqual([
      [1, "a"],
      [2, "bc"],
    ]);
  });

  test("does not get the text of what has ended: its result says it", async () => {
    const stream = aStream();
    stream.emit(write("a"));
    stream.emit({ type: "subtask.failed", subtaskId: "s1", error, attempts: 1 });
    const late = new Reading(stream);
    await late.take();
    expect(facts(late.got)).toEqual(["subtask.failed"]);
    expect(late.got.length).toBe(1);
  });
});

test("a text goes on where the try that writes it is said to go on", async () => {
  const stream = aStream();
  const started = { type: "attempt.started", role: "worker", subtaskId: "s1", attempt: 1, model: "m", reserved: { inputTokens: 1, outputTokens: 1 } } as const;
  stream.emit({ ...started, requeues: 0 });
  stream.emit(write("one "));
  stream.emit({ ...started, requeues: 1 });
  stream.emit(write("two"));
  const late = new Reading(stream);
  await late.take();
  expect(late.got.filter(isDelta)).toMatchObject([{ text: "one two" }]);
});

test("a run goes on without readers, and each fact is reported once, in order", async () => {
  const seen: string[] = [];
  const stream = aStream((type) => seen.push(type));
  for (const body of [note("x"), write("a"), { type: "run.finished", outcome } as const]) stream.emit(body);
  expect(seen).toEqual(["run.noticed", "run.finished"]);
});

test("after the run its events can still be read, as often as one likes", async () => {
  const stream = aStream();
  for (const body of [note("x"), write("a"), { type: "run.finished", outcome } as const]) stream.emit(body);
  for (let time = 0; time < 2; time++) {
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types.filter((type) => type !== "subtask.delta")).toEqual(["run.noticed", "run.finished"]);
  }
});

test("a reader that leaves takes nothing from the others, and is forgotten", async () => {
  const stream = aStream();
  const staying = new Reading(stream);
  await staying.take();
  stream.emit(note("x"));
  for await (const _ of stream) break;
  stream.emit(note("y"));
  await staying.take();
  expect(staying.got.length).toBe(2);
});
