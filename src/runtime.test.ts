import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { sleep, systemClock, systemRuntime } from "./runtime.ts";
import { virtualClock } from "./testing/virtual-clock.ts";

describe("sleep", () => {
  test("ends when its time is up, not before, and leaves no timer and no listener", async () => {
    const clock = virtualClock();
    const { signal } = new AbortController();
    let over = false;
    const done = sleep(clock, 1_000, signal).then(() => (over = true));
    await clock.advance(999);
    expect([over, clock.pending]).toEqual([false, 1]);
    await clock.advance(1);
    await done;
    expect([over, clock.pending, getEventListeners(signal, "abort").length]).toEqual([true, 0, 0]);
  });

  test("ends at once with the signal's reason, and leaves no timer and no listener", async () => {
    const clock = virtualClock();
    const abort = new AbortController();
    const slept = sleep(clock, 1_000, abort.signal).catch((reason: unknown) => reason);
    abort.abort("enough");
    expect([await slept, clock.now(), clock.pending, getEventListeners(abort.signal, "abort").length]).toEqual(["enough", 0, 0, 0]);
  });

  test("does not begin where the signal was aborted before", async () => {
    const clock = virtualClock();
    expect(await sleep(clock, 1_000, AbortSignal.abort("before")).catch((reason: unknown) => reason)).toBe("before");
    expect(clock.pending).toBe(0);
  });

  test("that has ended hears no abort any more", async () => {
    const clock = virtualClock();
    const abort = new AbortController();
    const slept = sleep(clock, 0, abort.signal);
    await clock.advance(0);
    abort.abort("late");
    await expect(slept).resolves.toBeUndefined();
  });
});

describe("the system's clock", () => {
  test("tells the time since 1970, and never goes backwards", () => {
    const times = Array.from({ length: 1_000 }, () => systemClock.now());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Date(times[0] ?? 0).getUTCFullYear()).toBeGreaterThan(2025);
  });

  test("waits for what is longer than timers can count, instead of firing at once", async () => {
    let fired = false;
    const cancel = systemClock.setTimer(2 ** 31, () => (fired = true));
    await new Promise<void>((resolve) => void systemClock.setTimer(2, resolve));
    expect(fired).toBe(false);
    cancel();
    cancel();
  });

  test("fires no timer that was cancelled", async () => {
    let fired = false;
    systemClock.setTimer(0, () => (fired = true))();
    await new Promise<void>((resolve) => void systemClock.setTimer(2, resolve));
    expect(fired).toBe(false);
  });
});

test("the system gives numbers from 0 up to 1, and names that are never the same", () => {
  const { random, newId } = systemRuntime;
  const numbers = Array.from({ length: 1_000 }, random);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  expect(new Set(Array.from({ length: 1_000 }, newId)).size).toBe(1_000);
});
