import { expect, test } from "vitest";
import { virtualClock } from "../testing/index.ts";
import { RunTime } from "./run-time.ts";

test("a run's time stands still while somebody is waited for, as often as that is, and then goes on where it stood", async () => {
  const clock = virtualClock();
  let over = 0;
  const time = new RunTime(clock, 1_000, () => void over++);
  await clock.advance(400);
  time.pause();
  time.pause();
  await clock.advance(50_000);
  expect(time).toMatchObject({ pausedMs: 50_000, endsAt: 51_000 });
  time.goOn();
  time.goOn();
  await clock.advance(500);
  time.pause();
  await clock.advance(5_000);
  time.goOn();
  expect(over).toBe(0);
  await clock.advance(99);
  expect(over).toBe(0);
  await clock.advance(1);
  expect(over).toBe(1);
  expect(time.pausedMs).toBe(55_000);
});

test("a run that is over while it stands still leaves no timer", async () => {
  const clock = virtualClock();
  const time = new RunTime(clock, 1_000, () => undefined);
  time.pause();
  time.stop();
  expect(clock.pending).toBe(0);
});

test("a run whose time ran out in the moment in which it was to stand still ends when it goes on", async () => {
  const clock = virtualClock();
  const timers: number[] = [];
  const late = { now: clock.now, setTimer: (ms: number, fire: () => void) => (timers.push(ms), clock.setTimer(ms, fire)) };
  const time = new RunTime(late, 1_000, () => undefined);
  await clock.advance(1_500);
  time.pause();
  time.goOn();
  expect(timers).toEqual([1_000, 0]);
});
