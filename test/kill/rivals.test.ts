import { spawnSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { sqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { checkEnd } from "./aftermath.ts";
import { type Killing, killing, lifeOf, live, readKept, start, type Started } from "./killing.ts";
import { type Ask, scenes } from "./scenes.ts";
import { severalAtATime } from "./several-at-a-time.ts";

/** Two real processes at one run: both want to go on with it, or one has taken it over while the other was stopped. */

/** Something that others wait for. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  return { opened, open };
}

test("of two processes that resume a run at once exactly one goes on; the other says who has it, and asks nothing", { timeout: 300_000 }, async () => {
  const rounds = Array.from({ length: 12 }, (_, round) => round);
  await severalAtATime(rounds, async (round) => {
    const name = `round ${round}`;
    // Nobody comes to the end of the run before the other has looked at it.
    const oneIsGone = gate();
    await using one: Killing = await killing(scenes.small, round, () => (one.lives.length > 0 ? oneIsGone.opened : undefined));
    const { signal, kept } = await live(one, { die: { kind: "subtask.started", nth: 1 + (round % 6), when: "after" } });
    expect(signal, name).toBe("SIGKILL");
    if (kept.runId === undefined) return expect.fail(`${name}: nothing was kept`);

    const { runId } = kept;
    const rivals = [start(one, { runId, waits: true }), start(one, { runId, waits: true })];
    await Promise.all(rivals.map(({ waits }) => waits));
    for (const { child } of rivals) child.stdin?.write("go\n");
    // Where none gives way, both are let go on, and that shows.
    void Promise.race([...rivals.map(({ ended }) => ended), pause(60_000, undefined, { ref: false })]).finally(oneIsGone.open);
    const { ends } = await lifeOf(one, rivals);

    const winner = ends.findIndex(({ said }) => said !== undefined && "outcome" in said);
    checkEnd(one, ends[winner]?.said, name);
    const pid = rivals[winner]?.child.pid;
    expect(ends[1 - winner]?.said, name).toMatchObject({ error: { code: "run_held", message: expect.stringContaining(`by process ${pid} on `) } });
    const leases = await leaseOf(one, runId);
    expect(leases, name).toMatchObject({ epoch: 2, owner: { pid } });
  });
});

async function leaseOf({ file }: Killing, runId: string): Promise<unknown> {
  const ledger = sqliteLedger(file);
  const lease = await ledger.readLease(runId);
  await ledger.close();
  return lease;
}

async function stop({ child }: Started): Promise<void> {
  child.kill("SIGSTOP");
  while (!spawnSync("ps", ["-o", "state=", "-p", String(child.pid)], { encoding: "utf8" }).stdout.startsWith("T")) await pause(5);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(10);
}

/** The subtask on which the last one builds. */
const lastButOne = 4;

interface AfterTakeover {
  /** What was answered to the process while it was stopped. */
  readonly late: string;
  /** What was kept of that when the process was gone. */
  readonly kept: string | undefined;
  /** What it became in the end. */
  readonly result: string | undefined;
}

/**
 * Stops a process that waits for its last worker but one, whose answer comes then; has the run taken over by another, which waits
 * for the same; lets the first wake, and looks what it does; and then has a third one go on, for the second is killed.
 */
async function standstill(haste: number): Promise<AfterTakeover> {
  const isStopped = gate();
  const holds = [isStopped.opened, new Promise<void>(() => undefined)];
  await using one: Killing = await killing(scenes.small, 1, ({ part, asked }) => (part === lastButOne ? holds[asked - 1] : undefined));
  const asksOfLast = (): Ask[] => one.asks.filter(({ part }) => part === lastButOne);
  // Minutes between their clocks, so that no slow machine makes a lease end.
  const stopped = start(one, { haste, aheadMs: 300_000 });
  let successor: Started | undefined;
  try {
    await until(async () => asksOfLast().length === 1 && (await readKept(one)).facts.filter(({ type }) => type === "subtask.finished").length === 4);
    await stop(stopped);
    isStopped.open();
    const [{ id, n } = { id: "", n: 0 }] = asksOfLast();
    await until(() => one.server.requests[n - 1]?.endedAt !== undefined);
    // Its next renewal is due when it wakes.
    if (haste > 1) await pause(20_000 / haste);

    const { runId = "" } = await readKept(one);
    const early = await start(one, { runId }).ended;
    expect(early.said).toMatchObject({ error: { code: "run_held", message: expect.stringContaining(`by process ${stopped.child.pid} on `) } });
    // As it would be half a minute after its lease was renewed: nobody can tell that a stopped process is not just slow.
    successor = start(one, { runId, aheadMs: 600_000 });
    await until(() => asksOfLast().length === 2 || successor?.child.exitCode !== null);
    const [asks, { facts }] = [one.asks.length, await readKept(one)];
    stopped.child.kill("SIGCONT");
    expect((await stopped.ended).said).toMatchObject({ outcome: { error: { code: "run_taken_over" } } });
    expect(one.asks).toHaveLength(asks);
    const after = await readKept(one);
    expect(after.facts).toEqual(facts);
    expect(await leaseOf(one, runId)).toMatchObject({ epoch: 2, owner: { pid: successor.child.pid } });

    successor.child.kill("SIGKILL");
    await lifeOf(one, [stopped, successor], 2);
    const { said } = await live(one, { runId });
    checkEnd(one, said, "after a takeover");
    const result = said !== undefined && "outcome" in said ? said.outcome.results.find((its) => its.id === id) : undefined;
    return { late: `Result of ${id}, #${n}#.`, kept: after.answers.get(n), result: result?.status === "done" ? result.result : undefined };
  } finally {
    stopped.child.kill("SIGKILL");
    successor?.child.kill("SIGKILL");
  }
}

test(
  "a process that was stopped in the middle of a run, and wakes after a takeover, asks nothing more and writes nothing to the log; its late answer is kept",
  { timeout: 300_000 },
  async () => {
    // No timer is due when it wakes, however slow the machine is: its answer is the first that it hears of.
    const { late, kept, result } = await standstill(0.01);
    // And serves whoever comes next.
    expect([kept, result]).toEqual([late, late]);
  },
);

test("a process that was stopped for so long that its lease is to be renewed asks and writes nothing more either", { timeout: 300_000 }, async () => {
  const { late, kept, result } = await standstill(20);
  // Whether the late answer is heard before the takeover is chance; if it is, it serves.
  expect(result === late).toBe(kept === late);
});
