import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { sleep } from "../runtime.ts";
import { type VirtualClock, virtualClock } from "../testing/virtual-clock.ts";
import type { AdmittedContext, Calls, SentContext } from "./call.ts";
import { aContext, aRequest, aResult, errorOf, rejection, rules } from "../../test/call-fixture.ts";
import { timed } from "./timed.ts";

function anAdmittedContext(change: Partial<AdmittedContext> = {}): AdmittedContext {
  return { ...aContext({ rules: { ...rules, totalMs: 10_000, idleMs: 1_000 } }), attempt: 1, onAccepted: () => undefined, onBegun: () => undefined, ...change };
}

/** Gives a sign of life every so often, and answers after `forMs`. */
function ticking(clock: VirtualClock, everyMs: number, forMs: number): Calls<SentContext> {
  return async (_, { alive, signal }) => {
    for (const end = clock.now() + forMs; clock.now() < end;) {
      await sleep(clock, everyMs, signal);
      alive();
    }
    return aResult("late");
  };
}

/** Never answers and never says anything; ends with the signal's reason. */
const silent: Calls<SentContext> = (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

describe("silence", () => {
  test("is counted from admission on, before the first byte too, and ends the attempt to the millisecond", async () => {
    const clock = virtualClock(5_000);
    const call = errorOf(timed(clock)(silent)(aRequest(), anAdmittedContext()));
    await clock.advance(999);
    expect(clock.pending).toBe(2);
    await clock.advance(1);
    expect(await call).toMatchObject({ code: "idle_timeout", retryable: true, message: expect.stringContaining("1 s") });
    expect(clock.pending).toBe(0);
  });

  test("is counted from the last sign of life", async () => {
    const clock = virtualClock();
    const call: Calls<SentContext> = async (request, ctx) => {
      for (const wait of [900, 900, 10]) {
        await sleep(clock, wait, ctx.signal);
        ctx.alive();
      }
      return silent(request, ctx);
    };
    const ended = errorOf(timed(clock)(call)(aRequest(), anAdmittedContext())).then(({ code }) => `${code} at ${clock.now()}`);
    await clock.runUntilIdle();
    expect(await ended).toBe("idle_timeout at 2810");
  });
});

describe("the whole time", () => {
  test("bounds a stream that is full of life", async () => {
    const clock = virtualClock();
    const call = errorOf(timed(clock)(ticking(clock, 100, 60_000))(aRequest(), anAdmittedContext()));
    await clock.advance(9_999);
    expect(clock.pending).toBeGreaterThan(0);
    await clock.advance(1);
    expect(await call).toMatchObject({ code: "total_timeout", retryable: false, message: expect.stringContaining("10 s") });
    expect(clock.pending).toBe(0);
  });

  test("leaves a lively stream alone that ends in time", async () => {
    const clock = virtualClock();
    const call = timed(clock)(ticking(clock, 999, 9_000))(aRequest(), anAdmittedContext());
    await clock.runUntilIdle();
    expect(await call).toMatchObject({ content: [{ text: "late" }] });
    expect(clock.now()).toBeLessThan(10_000);
  });

  test("is begun anew by each attempt", async () => {
    const clock = virtualClock();
    const call = timed(clock)(ticking(clock, 500, 8_000));
    for (const attempt of [1, 2, 3]) {
      const done = call(aRequest(), anAdmittedContext({ attempt }));
      await clock.runUntilIdle();
      expect(await done).toBeDefined();
    }
  });
});

describe("the caller's abort", () => {
  test("reaches the attempt with the caller's own reason where it is an error of ours, and else as `aborted`", async () => {
    for (const [reason, code] of [
      [new DivvyError("run_timeout", "Over."), "run_timeout"],
      [new Error("enough"), "aborted"],
    ] as const) {
      const clock = virtualClock();
      const abort = new AbortController();
      const call = errorOf(timed(clock)(silent)(aRequest(), anAdmittedContext({ signal: abort.signal })));
      abort.abort(reason);
      expect(await call).toMatchObject({ code });
      expect(clock.pending).toBe(0);
    }
  });

  test("that came before the attempt is seen by it at once", async () => {
    const clock = virtualClock();
    let aborted = false;
    const call: Calls<SentContext> = async (_, { signal }) => {
      aborted = signal.aborted;
      throw signal.reason;
    };
    await rejection(timed(clock)(call)(aRequest(), anAdmittedContext({ signal: AbortSignal.abort() })));
    expect([aborted, clock.pending]).toEqual([true, 0]);
  });
});

test.each<[string, Calls<SentContext>]>([
  ["a reply", async () => aResult("x")],
  ["a failure", () => Promise.reject(new Error("x"))],
])("after %s no timer is left and nobody listens to the caller's signal", async (_, call) => {
  const clock = virtualClock();
  const { signal } = new AbortController();
  await timed(clock)(call)(aRequest(), anAdmittedContext({ signal })).catch(() => undefined);
  expect([clock.pending, getEventListeners(signal, "abort")]).toEqual([0, []]);
});
