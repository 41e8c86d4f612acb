import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/testing/random.ts";
import { inProcess, type Kept, killing, readKept, resumeAndCheck } from "./killing.ts";
import type { Errand } from "./victim.ts";

/**
 * Real processes, really killed. `npm test` kills at the first, middle and last write of each kind of a small run, and at 50 instants
 * of a run of 100 workers; `npm run test:long` (DIVVY_LONG) at every write of a run.
 */

const small = 12;
const isLong = process.env["DIVVY_LONG"] !== undefined;

/** Three at a time: a run waits more than it works. */
async function severalAtATime<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all([lane(), lane(), lane()]);
}

/** How often each kind of thing is written in a run that is left in peace. */
async function writesOfARun(): Promise<ReadonlyMap<string, number>> {
  await using one = await killing(small, 1);
  expect((await inProcess(one, {}).ended).outcome).toMatchObject({ status: "ok" });
  const { facts, answers } = await readKept(one);
  const counts = new Map<string, number>([["call", answers.size + 2]]);
  for (const { type } of facts) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

/** Dies at a write, and is resumed to its end. */
async function dieAt(die: NonNullable<Errand["die"]>): Promise<void> {
  const name = `killed ${die.when} ${die.kind} ${die.nth}`;
  await using one = await killing(small, die.nth);
  const { signal, outcome } = await inProcess(one, { die }).ended;
  if (signal === null) return expect(outcome, name).toMatchObject({ status: "ok" });
  await resumeAndCheck(one, [await readKept(one)], name);
}

test("a run that is killed at the first, middle or last write of any kind is resumed with all that was kept", { timeout: 300_000 }, async () => {
  const counts = await writesOfARun();
  const deaths = [...counts].flatMap(([kind, count]) => {
    const places = isLong ? Array.from({ length: count }, (_, n) => n + 1) : [...new Set([1, Math.ceil(count / 2), count])];
    return places.flatMap((nth) => (["before", "after"] as const).map((when) => ({ kind, nth, when })));
  });
  expect(deaths.length).toBeGreaterThan(30);
  await severalAtATime(deaths, dieAt);
});

test("a run of 100 workers that is killed at any instant, and again while it is resumed, is resumed with all that was kept", { timeout: 300_000 }, async () => {
  const random = seededRandom(7);
  // By how many requests have left, and a moment more: a busy machine is slow in everything.
  const instants = Array.from({ length: isLong ? 200 : 50 }, () => [
    { requests: Math.ceil(random() * 102), ms: random() * 250 },
    { requests: Math.ceil(random() * 60), ms: random() * 250 },
  ]);
  let [kills, answers] = [0, 0];
  await severalAtATime(instants, async (places) => {
    const name = `killed at ${JSON.stringify(places)}`;
    await using one = await killing(100, Math.round(places[0]?.ms ?? 0));
    const deaths: Kept[] = [];
    for (const { requests, ms } of places) {
      const runId = deaths.at(-1)?.runId;
      const before = one.server.requests.length;
      const { child, ended } = inProcess(one, runId === undefined ? {} : { runId });
      while (one.server.requests.length < before + requests && child.exitCode === null) await pause(1);
      await pause(ms);
      child.kill("SIGKILL");
      const { signal } = await ended;
      if (signal !== null) kills++;
      deaths.push(await readKept(one));
    }
    answers += deaths.at(-1)?.answers.size ?? 0;
    await resumeAndCheck(one, deaths, name);
  });
  // Most died in the middle of their work, not before or after it.
  expect(kills).toBeGreaterThan(instants.length);
  expect(answers).toBeGreaterThan(5 * instants.length);
});
