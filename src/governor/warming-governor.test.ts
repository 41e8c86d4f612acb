import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aRun } from "../../test/call-fixture.ts";
import { DivvyError } from "../errors.ts";
import { sleep } from "../runtime.ts";
import { testRuntime, virtualClock } from "../testing/virtual-clock.ts";
import { adaptiveGovernor } from "./adaptive-governor.ts";
import { anAdmission, type Asked, type Stage, stage } from "./governor-fixture.ts";
import { warmingGovernor } from "./warming-governor.ts";

/** Attempts of one run that start alike, unless it is said otherwise. */
function warming(): Stage {
  const clock = virtualClock();
  const { ask, ...rest } = stage(clock, (governor) => warmingGovernor(governor, clock));
  const run = aRun();
  return { ...rest, ask: (name, change = {}) => ask(name, { run, prefix: "shared", ...change }) };
}

/** The first one, let out, and two that wait for it. */
async function threeAsked({ ask, permit }: Stage) {
  const first = ask("first");
  const others = [ask("second"), ask("third")] as const;
  return { first, others, permit: await permit(first) };
}

const names = (...asked: Asked[]): string[] => asked.map(({ name }) => name);

describe("prompts that start alike", () => {
  test("wait for the first one's reply to begin, and then go together", async () => {
    const on = warming();
    const { first, others, permit } = await threeAsked(on);
    permit.accepted(undefined);
    await on.clock.advance(2_000);
    expect(await on.order()).toEqual(["first"]);
    permit.began();
    expect(await on.order()).toEqual(names(first, ...others));
    expect(others.map(({ at }) => at)).toEqual([2_000, 2_000]);
  });

  test("wait for nobody while the cache keeps their start, which each use makes longer", async () => {
    const on = warming();
    const first = await on.permit(on.ask("first"));
    first.began();
    first.release();
    await on.clock.advance(200_000);
    (await on.permit(on.ask("second"))).began();
    await on.clock.advance(200_000);
    on.ask("third");
    on.ask("fourth");
    expect(await on.order()).toEqual(["first", "second", "third", "fourth"]);
  });

  test("wait for a first one again when the cache has forgotten their start", async () => {
    const on = warming();
    const first = await on.permit(on.ask("first"));
    first.began();
    first.release();
    await on.clock.advance(300_000);
    on.ask("second");
    on.ask("third");
    expect(await on.order()).toEqual(["first", "second"]);
  });

  test("take another for the first where that fails, one after another", async () => {
    const on = warming();
    const { others, permit } = await threeAsked(on);
    permit.release();
    expect(await on.order()).toEqual(["first", "second"]);
    (await on.permit(others[0])).release();
    expect(await on.order()).toEqual(["first", "second", "third"]);
  });

  test("take another for the first where that is stopped before it is let out", async () => {
    const on = warming();
    const full = aRun(1);
    const busy = await on.permit(on.ask("busy", { run: full, prefix: undefined }));
    const stop = new AbortController();
    const first = on.ask("first", { run: full, signal: stop.signal });
    on.ask("second", { run: full });
    await on.clock.advance(0);
    stop.abort(new Error("stopped"));
    busy.release();
    expect(await on.order()).toEqual(["busy", "second"]);
    expect(first.error).toEqual(new Error("stopped"));
  });

  test("wait on for the first one where that is throttled and asks again", async () => {
    const on = warming();
    const { permit } = await threeAsked(on);
    permit.throttled(5_000);
    const again = on.ask("first again", { since: 0 });
    await on.clock.advance(10_000);
    expect(await on.order()).toEqual(["first", "first again"]);
    const taken = await on.permit(again);
    taken.accepted(undefined);
    taken.began();
    taken.release();
    await on.clock.advance(1_000);
    expect(await on.order()).toEqual(["first", "first again", "second", "third"]);
  });

  test("take another for the first where that is throttled and gives up", async () => {
    const on = warming();
    const { others, permit } = await threeAsked(on);
    permit.throttled(5_000);
    await on.clock.advance(10_000);
    expect(await on.order()).toEqual(["first", "second"]);
    (await on.permit(others[0])).began();
    await on.clock.advance(1_000);
    expect(await on.order()).toEqual(["first", "second", "third"]);
  });

  test("all end with what the first one's credential was refused with", async () => {
    const on = warming();
    const { others, permit } = await threeAsked(on);
    const error = new DivvyError("authentication", "No such key.");
    permit.refused(error);
    await on.order();
    expect(others.map((other) => other.error)).toEqual([error, error]);
  });

  test("wait 15 s at most for one that reads on, and from then on not at all", async () => {
    const on = warming();
    await threeAsked(on);
    await on.clock.advance(14_999);
    expect(await on.order()).toEqual(["first"]);
    await on.clock.advance(1);
    on.ask("fourth");
    expect(await on.order()).toEqual(["first", "second", "third", "fourth"]);
  });
});

describe("who waits for a first one", () => {
  test("can be stopped", async () => {
    const on = warming();
    const stop = new AbortController();
    const { permit } = await threeAsked(on);
    const stopped = on.ask("stopped", { signal: stop.signal });
    await on.clock.advance(1_000);
    stop.abort(new Error("stopped"));
    await on.order();
    expect(stopped).toMatchObject({ error: new Error("stopped"), at: 1_000 });
    permit.began();
    expect(await on.order()).toEqual(["first", "second", "third"]);
  });

  test("waits no longer than it may wait in all, nor than its budget lasts", async () => {
    const on = warming();
    const full = aRun(1);
    await on.permit(on.ask("busy", { run: full, prefix: undefined }));
    on.ask("first", { run: full });
    const late = on.ask("late", { run: full, until: 5_000 });
    const error = new DivvyError("budget_exhausted", "Time is up.");
    const poor = on.ask("poor", { run: full, claim: { reserve: () => "later", end: { at: 3_000, error: () => error } } });
    await on.clock.advance(10_000);
    expect(late).toMatchObject({ at: 5_000, error: { code: "admission_timeout" } });
    expect(poor).toMatchObject({ at: 3_000, error });
  });

  test("waits on where its time is made longer meanwhile", async () => {
    const { clock, governor, ask, permit } = warming();
    const run = aRun();
    const first = await permit(ask("first", { run }));
    let until = 5_000;
    const admission = {
      ...anAdmission({ run, prefix: "shared" }),
      get until() {
        return until;
      },
    };
    const letOutAt = governor.admit(admission).then(() => clock.now());
    await clock.advance(3_000);
    until = 9_000;
    await clock.advance(4_000);
    first.began();
    await clock.advance(0);
    expect(await letOutAt).toBe(7_000);
  });

  test("holds up nobody else: no other run, lane or prompt, and none without a start to cache", async () => {
    const on = warming();
    await threeAsked(on);
    on.ask("another run", { run: aRun() });
    on.ask("another lane", { lane: "other" });
    on.ask("another start", { prefix: "other" });
    on.ask("no start", { prefix: undefined });
    expect((await on.order()).toSorted()).toEqual(["another lane", "another run", "another start", "first", "no start"]);
  });

  test("holds no slot: calls of the run that start otherwise take them all", async () => {
    const on = warming();
    const run = aRun(2);
    on.ask("first", { run });
    on.ask("second", { run });
    on.ask("other", { run, prefix: undefined });
    expect((await on.order()).toSorted()).toEqual(["first", "other"]);
  });

  test("finds a start that another run has warmed", async () => {
    const on = warming();
    (await on.permit(on.ask("first"))).began();
    const run = aRun();
    on.ask("second", { run });
    on.ask("third", { run });
    expect(await on.order()).toEqual(["first", "second", "third"]);
  });
});

/** What becomes of an attempt, and when, in milliseconds. */
const fates = fc.record({
  asksAt: fc.nat({ max: 20_000 }),
  prefix: fc.constantFrom("one", "two", undefined),
  run: fc.nat({ max: 1 }),
  end: fc.constantFrom("begins", "fails", "throttled", "silent"),
  takesMs: fc.nat({ max: 30_000 }),
  stopsAt: fc.option(fc.nat({ max: 60_000 }), { nil: undefined }),
});

test("whoever is let out, fails, is throttled or stopped, in whatever order: everybody is let out or hears why not", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fates, { minLength: 20, maxLength: 30 }), fc.integer({ min: 1, max: 4 }), async (all, concurrency) => {
      const clock = virtualClock();
      const governor = warmingGovernor(adaptiveGovernor(testRuntime({ clock })), clock);
      const runs = [aRun(concurrency), aRun(concurrency)];
      let settled = 0;
      const live = async ({ asksAt, run, end, takesMs, stopsAt, ...rest }: (typeof all)[number]): Promise<void> => {
        await sleep(clock, asksAt);
        const stop = new AbortController();
        if (stopsAt !== undefined) clock.setTimer(stopsAt, () => stop.abort(new Error("stopped")));
        const asking = anAdmission({ ...rest, run: runs[run] ?? aRun(), since: clock.now(), until: clock.now() + 3_600_000, signal: stop.signal });
        let permit = await governor.admit(asking);
        if (end === "throttled") {
          await sleep(clock, takesMs / 10);
          permit.throttled(1_000);
          permit = await governor.admit(asking);
        }
        permit.accepted(undefined);
        await sleep(clock, takesMs);
        if (end === "begins" || end === "throttled") permit.began();
        permit.release();
      };
      for (const fate of all) {
        void live(fate)
          .catch(() => undefined)
          .finally(() => settled++);
      }
      await clock.advance(3_000_000);
      expect(settled).toBe(all.length);
    }),
    { numRuns: 100 },
  );
});
