import { describe, expect, test } from "vitest";
import type { Clock } from "../runtime.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { answered } from "./patience.ts";

describe("a store that is asked once", () => {
  test("is believed at once, whatever it says, and leaves no timer", async () => {
    const clock = virtualClock();
    expect(await answered(clock, () => Promise.resolve("yes"))).toBe("yes");
    await expect(answered(clock, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(clock.pending).toBe(0);
  });

  test("may take its time", async () => {
    const clock = virtualClock();
    const answer = answered(clock, () => new Promise((resolve) => clock.setTimer(14_000, () => resolve("late"))));
    await clock.advance(14_000);
    expect(await answer).toBe("late");
    expect(clock.pending).toBe(0);
  });

  test("is not given up because this process stood still: an answer that came meanwhile is heard", async () => {
    // As it is after a standstill: all timers are due, and the first to fire is ours.
    const due: (() => void)[] = [];
    const clock: Clock = { now: () => 0, setTimer: (_, fn) => (due.push(fn), () => undefined) };
    const store = Promise.withResolvers<string>();
    const answer = answered(clock, () => store.promise);
    for (const fire of due.splice(0)) fire();
    store.resolve("it was there");
    expect(await answer).toBe("it was there");
  });
});
