import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/testing/random.ts";
import { checkEnd } from "./aftermath.ts";
import { type Kept, killing, lifeOf, live, start } from "./killing.ts";
import { type Scene, type SceneName, scenes } from "./scenes.ts";
import { severalAtATime } from "./several-at-a-time.ts";
import type { Death, WriteKind } from "./victim.ts";

/**
 * Real processes, really killed. `npm test` kills at the first, middle and last write of each kind, and at 50 instants of a run of
 * 100 workers, each time once more while the run is resumed; `npm run test:long` (DIVVY_LONG) at every write of every scene.
 */

const isLong = process.env["DIVVY_LONG"] !== undefined;
/** Hours where all is tried, on a machine that does other things too. */
const timeout = isLong ? 7_200_000 : 600_000;

/** A plan that is taken over from an earlier run, and what a function delivers to be judged, meet with death in the simulation. */
type KilledAt = Exclude<WriteKind, "plan.reused" | "subtask.delivered">;

/** Where each kind of write is met: in a scene, in a resume, or in a run that lasts. */
const metIn: Readonly<Record<KilledAt, SceneName | "resume">> = {
  "run.started": "whole",
  "run.resumed": "resume",
  "run.noticed": "troubled",
  "run.finished": "whole",
  "round.started": "rounds",
  "plan.looked_up": "cut",
  "plan.started": "whole",
  "plan.opened": "whole",
  "plan.asked_again": "cut",
  "plan.finished": "whole",
  "plan.answered": "direct",
  "plan.failed": "broken",
  "approval.requested": "approved",
  "approval.declined": "approved",
  "approval.given": "approved",
  "approval.rejected": "rejected",
  "subtask.planned": "whole",
  "subtask.started": "whole",
  "output.rejected": "formed",
  "subtask.evaluated": "judged",
  "subtask.chosen": "sampled",
  "subtask.finished": "whole",
  "subtask.failed": "troubled",
  "subtask.skipped": "troubled",
  "attempt.started": "whole",
  "attempt.settled": "whole",
  "attempt.failed": "troubled",
  "governor.throttled": "troubled",
  "budget.low": "whole",
  "synthesis.started": "whole",
  "reduction.started": "long",
  "synthesis.chosen": "cut",
  "synthesis.failed": "broken",
  "answer.evaluated": "judged",
  call: "whole",
  "lease.taken": "whole",
  "lease.taken_over": "resume",
  "lease.renewed": "small",
  "lease.released": "whole",
};
const isWriteKind = (kind: string): kind is KilledAt => kind in metIn;

const peaceful = ["whole", "troubled", "cut", "broken", "direct", "judged", "formed", "sampled", "approved", "rejected", "long", "rounds"] as const;

/** How often each kind of thing is written in a run that is left in peace. */
async function writesOf(scene: Scene): Promise<ReadonlyMap<string, number>> {
  await using one = await killing(scene, 1);
  const { said, stderr } = await live(one, { tells: true });
  checkEnd(one, said, "left in peace");
  const counts = new Map<string, number>();
  for (const kind of stderr.trimEnd().split("\n")) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

interface Killed {
  readonly scene: Scene;
  readonly first: Death;
}

/** All places at which a run is to die, before and after the write. */
async function placesOfDeath(): Promise<readonly Killed[]> {
  const places: Killed[] = [];
  for (const name of peaceful) {
    const counts = await writesOf(scenes[name]);
    for (const kind of Object.keys(metIn).filter(isWriteKind)) {
      const [where, count] = [metIn[kind], counts.get(kind) ?? 0];
      if (where === name) expect(count, `${kind} in "${name}"`).toBeGreaterThan(0);
      if (where !== name && !isLong) continue;
      const all = Array.from({ length: count }, (_, n) => n + 1);
      const nths = isLong ? all : all.filter((n) => n === 1 || n === Math.ceil(count / 2) || n === count);
      places.push(...nths.flatMap((nth) => (["before", "after"] as const).map((when) => ({ scene: scenes[name], first: { kind, nth, when } }))));
    }
  }
  return places;
}

/** Writes that a resume does not get by; each is taken in turn. */
function secondDeath(scene: Scene, { facts }: Kept, turn: number): Death {
  const done = facts.filter(({ type }) => type === "subtask.finished").length;
  const middle = { kind: "subtask.finished", nth: Math.ceil((scene.parts - done) / 2) } as const;
  const kinds: readonly Omit<Death, "when">[] = [
    { kind: "lease.taken_over", nth: 1 },
    { kind: "run.resumed", nth: 1 },
    ...(scene === scenes.whole && middle.nth > 0 ? [middle] : []),
    { kind: "run.finished", nth: 1 },
    { kind: "lease.released", nth: 1 },
  ];
  const { kind, nth } = kinds[turn % kinds.length] ?? middle;
  return { kind, nth, when: Math.floor(turn / kinds.length) % 2 === 0 ? "before" : "after" };
}

function nameOf({ when, kind, nth }: Death): string {
  return `${when} ${kind} ${nth}`;
}

test(
  "a run that is killed at the first, middle or last write of any kind, and again while it is resumed, is resumed with all that was kept",
  { timeout },
  async () => {
    const places = await placesOfDeath();
    const met = new Set<string>();
    const unkept = new Set<string>();
    let [resumed, overBefore] = [0, 0];
    await severalAtATime(places, async ({ scene, first }, turn) => {
      let name = `killed ${nameOf(first)}`;
      await using one = await killing(scene, turn);
      const { signal, kept } = await live(one, { die: first });
      expect(signal, name).toBe("SIGKILL");
      met.add(first.kind);
      const { runId } = kept;
      if (runId === undefined) return void unkept.add(nameOf(first));
      resumed++;
      const second = secondDeath(scene, kept, turn);
      name += ` and ${nameOf(second)}`;
      const again = await live(one, { runId, die: second });
      if (kept.facts.at(-1)?.type === "run.finished" && ![scenes.troubled, scenes.broken, scenes.rejected].includes(scene)) {
        // A run that was over is read, and nothing is written.
        overBefore++;
        expect(again.said, name).toMatchObject({ outcome: { status: "ok" } });
      } else {
        expect(again.signal, name).toBe("SIGKILL");
        met.add(second.kind);
      }
      checkEnd(one, (await live(one, { runId })).said, name);
    });
    expect(Object.keys(metIn).filter((kind) => !met.has(kind))).toEqual(["lease.renewed"]);
    // Those who died before anything of them was kept: the first three facts are written at once.
    const atFirst = ["before lease.taken 1", "after lease.taken 1", "before run.started 1", "before plan.started 1", "before attempt.started 1"];
    expect([...unkept].toSorted()).toEqual(atFirst.toSorted());
    expect(resumed).toBeGreaterThan(places.length * 0.9);
    expect(overBefore).toBeLessThan(resumed / 5);
  },
);

test("a run that is killed while its lease is renewed, and again so, is resumed with all that was kept", { timeout: 300_000 }, async () => {
  await severalAtATime([["before", "after"] as const, ["after", "before"] as const], async (deaths, turn) => {
    let runId: string | undefined;
    const left = [...deaths];
    // Until both are dead, the run does not come to its end.
    await using one = await killing(scenes.small, turn, ({ part }) => (part === 0 && left.length > 0 ? new Promise(() => undefined) : undefined));
    for (let [when] = left; when !== undefined; [when] = left) {
      // Ten seconds would be long; nothing but the lease depends on it.
      const { signal, kept } = await live(one, { ...(runId !== undefined && { runId }), haste: 5, die: { kind: "lease.renewed", nth: 1, when } });
      expect(signal).toBe("SIGKILL");
      ({ runId } = kept);
      // Where the machine is slow, that is before there is anything to go on with.
      if (runId !== undefined) left.shift();
    }
    if (runId === undefined) return expect.fail("Nothing was kept.");
    checkEnd(one, (await live(one, { runId })).said, `killed ${deaths.join(" and ")} a renewal`);
  });
});

test("a run of 100 workers that is killed at any instant, and again while it is resumed, is resumed with all that was kept", { timeout }, async () => {
  const random = seededRandom(7);
  // By how much of what is left has been asked for, and a moment more: a busy machine is slow in everything.
  const instants = Array.from({ length: isLong ? 200 : 50 }, () => [
    { share: random(), ms: random() * 60 },
    { share: random(), ms: random() * 60 },
  ]);
  const kills = [0, 0];
  let answers = 0;
  await severalAtATime(instants, async (places, turn) => {
    const name = `killed at ${JSON.stringify(places)}`;
    await using one = await killing(scenes.hundred, turn);
    let kept: Kept | undefined;
    for (const [time, { share, ms }] of places.entries()) {
      const runId = kept?.runId;
      // The plan, a hundred workers, and the answer.
      const until = one.asks.length + Math.ceil(share * (102 - (kept?.answers.size ?? 0)));
      const started = start(one, runId === undefined ? {} : { runId });
      while (one.asks.length < until && started.child.exitCode === null) await pause(1);
      await pause(ms);
      started.child.kill("SIGKILL");
      const { ends, life } = await lifeOf(one, [started]);
      if (ends[0]?.signal === "SIGKILL") kills[time] = (kills[time] ?? 0) + 1;
      ({ kept } = life);
    }
    answers += kept?.answers.size ?? 0;
    if (kept?.runId === undefined) return expect.fail(`${name}: nothing was kept`);
    checkEnd(one, (await live(one, { runId: kept.runId })).said, name);
  });
  // Most died in the middle of their work, not before or after it.
  expect(kills[0]).toBeGreaterThanOrEqual(0.9 * instants.length);
  expect(kills[1]).toBeGreaterThanOrEqual(0.8 * instants.length);
  expect(answers).toBeGreaterThan(5 * instants.length);
});
