import { describe, expect, test } from "vitest";
import { sleep, systemClock } from "../runtime.ts";
import { testRuntime, virtualClock } from "./virtual-clock.ts";

describe("virtualClock", () => {
  test("stands still until it is moved, and shows where it started", async () => {
    const clock = virtualClock(1_000);
    expect(clock.now()).toBe(1_000);
    await clock.advance(250);
    expect(clock.now()).toBe(1_250);
  });

  test("fires due timers in order of time, then of setting, each at its own time", async () => {
    const clock = virtualClock();
    const fired: string[] = [];
    const note = (name: string) => (): void => void fired.push(`${name}@${clock.now()}`);
    clock.setTimer(30, note("late"));
    clock.setTimer(10, note("first"));
    clock.setTimer(10, note("second"));
    clock.setTimer(31, note("never"));
    await clock.advance(30);
    expect(fired).toEqual(["first@10", "second@10", "late@30"]);
    expect(clock.pending).toBe(1);
  });

  test("lets what a timer sets off settle before the next timer fires", async () => {
    const clock = virtualClock();
    const seen: string[] = [];
    const chain = async (): Promise<void> => {
      await sleep(clock, 10);
      for (let i = 0; i < 50; i++) await Promise.resolve();
      seen.push(`settled@${clock.now()}`);
      await sleep(clock, 5);
      seen.push(`again@${clock.now()}`);
    };
    const done = chain();
    clock.setTimer(12, () => void seen.push(`next@${clock.now()}`));
    await clock.advance(15);
    await done;
    expect(seen).toEqual(["settled@10", "next@12", "again@15"]);
  });

  test("a cancelled timer neither fires nor counts as pending", async () => {
    const clock = virtualClock();
    let fired = false;
    const cancel = clock.setTimer(1, () => (fired = true));
    cancel();
    cancel();
    expect(clock.pending).toBe(0);
    await clock.advance(10);
    expect(fired).toBe(false);
  });

  test("a negative or unreadable delay is due at once", async () => {
    const clock = virtualClock();
    let fired = 0;
    clock.setTimer(-5, () => fired++);
    clock.setTimer(Number.NaN, () => fired++);
    await clock.advance(0);
    expect(fired).toBe(2);
    expect(clock.now()).toBe(0);
  });

  test("runUntilIdle follows timers that set timers, and stops at the last", async () => {
    const clock = virtualClock();
    const countdown = (left: number): void => {
      if (left > 0) clock.setTimer(60_000, () => countdown(left - 1));
    };
    countdown(5);
    await clock.runUntilIdle();
    expect(clock.now()).toBe(300_000);
    expect(clock.pending).toBe(0);
  });

  test("runUntilIdle rejects when something ticks for ever", async () => {
    const clock = virtualClock();
    const tick = (): void => void clock.setTimer(100, tick);
    tick();
    await expect(clock.runUntilIdle(1_000)).rejects.toThrow("1 timer(s) remain after 1000 ms");
  });
});

describe("testRuntime", () => {
  test("gives the same chance under the same seed, and ids in sequence", () => {
    const [a, b, other] = [testRuntime({ seed: 5 }), testRuntime({ seed: 5 }), testRuntime({ seed: 6 })];
    const first = [a.random(), a.random()];
    expect([b.random(), b.random()]).toEqual(first);
    expect([other.random(), other.random()]).not.toEqual(first);
    expect([a.newId(), a.newId(), b.newId()]).toEqual(["id-1", "id-2", "id-1"]);
  });

  test("brings a virtual clock of its own, or takes the one given", async () => {
    const own = testRuntime();
    await own.clock.advance(5);
    expect(own.clock.now()).toBe(5);
    expect(testRuntime({ clock: systemClock }).clock).toBe(systemClock);
  });
});
