import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { systemClock } from "../runtime.ts";
import { seededRandom } from "../testing/random.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import type { CommitReport, Ledger, LedgerBatch } from "./ledger.ts";
import { factOf, leaseOf, recordOf, seqsOf } from "./ledger-fixture.ts";
import { type LedgerWriter, writerOf } from "./ledger-writer.ts";
import { memoryLedger } from "./memory-ledger.ts";
import { RunLog } from "./run-log.ts";

/** A memory ledger that shows its batches, and lets a test stand between it and them. */
function watchedLedger(before: (batch: LedgerBatch) => void | Promise<void> = () => undefined): { readonly ledger: Ledger; readonly batches: LedgerBatch[] } {
  const store = memoryLedger();
  const batches: LedgerBatch[] = [];
  const commit = async (batch: LedgerBatch): Promise<CommitReport> => {
    batches.push(batch);
    await before(batch);
    return await store.commit(batch);
  };
  return { ledger: { ...store, commit }, batches };
}

function logOf(runId: string, writer: LedgerWriter, broken: DivvyError[] = [], epoch = 1): { readonly log: RunLog; add(...seqs: number[]): void } {
  const log = new RunLog(recordOf(runId), epoch, writer, (error) => broken.push(error));
  return { log, add: (...seqs) => seqs.forEach((seq) => log.append(factOf(runId, seq), recordOf(runId, { calls: seq }))) };
}

async function withLeases(ledger: Ledger, ...runIds: string[]): Promise<void> {
  for (const runId of runIds) await ledger.takeLease(runId, leaseOf(1));
}

const busy = (): never => {
  throw new DivvyError("ledger_busy", "scripted");
};

describe("a ledger's writer", () => {
  test("is one in a process", () => {
    const [one, another] = [memoryLedger(), memoryLedger()];
    expect(writerOf(one, systemClock)).toBe(writerOf(one, systemClock));
    expect(writerOf(another, systemClock)).not.toBe(writerOf(one, systemClock));
  });

  test("commits what several runs and calls want in one tick at once", async () => {
    const { ledger, batches } = watchedLedger();
    await withLeases(ledger, "a", "b");
    const writer = writerOf(ledger, systemClock);
    const [a, b] = [logOf("a", writer), logOf("b", writer)];
    a.add(0);
    const call = writer.writeCall({ scope: "a", key: "k", answer: "paid" });
    // A tick is more than what runs without a pause: promises, and whatever else is due now.
    for (let hops = 0; hops < 50; hops++) await Promise.resolve();
    b.add(0, 1);
    process.nextTick(() => a.add(1));
    await Promise.all([call, a.log.committed(), b.log.committed()]);

    expect(batches).toHaveLength(1);
    expect(batches[0]?.runs.map(({ runId, facts, record }) => [runId, facts.map(({ seq }) => seq), record.calls])).toEqual([
      ["a", [0, 1], 1],
      ["b", [0, 1], 1],
    ]);
    expect(batches[0]?.calls).toEqual([{ scope: "a", key: "k", answer: "paid" }]);

    a.add(2);
    await a.log.committed();
    expect(batches).toHaveLength(2);
  });

  test("says that something is written when it is, not before", async () => {
    const gate = Promise.withResolvers<void>();
    const { ledger } = watchedLedger(() => gate.promise);
    await withLeases(ledger, "a");
    const writer = writerOf(ledger, systemClock);
    const a = logOf("a", writer);
    a.add(0);
    const said: string[] = [];
    void a.log.committed().then(() => said.push("log"));
    void writer.writeCall({ scope: "a", key: "k", answer: 1 }).then(() => said.push("call"));
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    expect(said).toEqual([]);
    gate.resolve();
    await setImmediate();
    expect(said).toEqual(["log", "call"]);
  });

  test("keeps the order of a run's facts, whenever they come and however slow the store is", async () => {
    const random = seededRandom(7);
    const { ledger, batches } = watchedLedger(async () => {
      for (let turns = random() * 4; turns > 1; turns--) await setImmediate();
    });
    await withLeases(ledger, "a", "b");
    const writer = writerOf(ledger, systemClock);
    const logs = { a: logOf("a", writer), b: logOf("b", writer) };
    for (let seq = 0; seq < 200; seq++) {
      logs.a.add(seq);
      if (seq % 3 === 0) logs.b.add(seq);
      if (random() < 0.4) await setImmediate();
    }
    await Promise.all([logs.a.log.committed(), logs.b.log.committed()]);
    expect(await seqsOf(ledger, "a")).toEqual(Array.from({ length: 200 }, (_, seq) => seq));
    expect(await seqsOf(ledger, "b")).toEqual(Array.from({ length: 67 }, (_, seq) => seq * 3));
    // What came while a write was under way went together, too.
    expect(batches.length).toBeLessThan(100);
  });

  test("asks a busy store again until it takes the write, which it takes once", async () => {
    let refusals = 20;
    const clock = virtualClock();
    const { ledger, batches } = watchedLedger(() => (refusals-- > 0 ? busy() : undefined));
    await withLeases(ledger, "a");
    const writer = writerOf(ledger, clock);
    const a = logOf("a", writer);
    a.add(0);
    const call = writer.writeCall({ scope: "a", key: "k", answer: "paid" });
    await clock.advance(500);
    a.add(1);
    await clock.advance(1_000);
    await Promise.all([a.log.committed(), call]);
    expect(await seqsOf(ledger, "a")).toEqual([0, 1]);
    expect(batches).toHaveLength(22);
    expect(clock.pending).toBe(0);
  });

  /** A fact and a call that wait for a store that is busy until it is freed. */
  async function waitingForBusyStore() {
    let isBusy = true;
    const clock = virtualClock();
    const { ledger } = watchedLedger(() => (isBusy ? busy() : undefined));
    await withLeases(ledger, "a");
    const writer = writerOf(ledger, clock);
    const broken: DivvyError[] = [];
    logOf("a", writer, broken).add(0);
    const call = writer.writeCall({ scope: "a", key: "k", answer: 1 }).catch((thrown: unknown) => thrown);
    const free = (): void => {
      isBusy = false;
    };
    return { clock, ledger, writer, broken, call, free };
  }

  test("gives a store ten seconds, then says that it is busy, and goes on with what comes next", async () => {
    const { clock, ledger, writer, broken, call, free } = await waitingForBusyStore();
    await clock.advance(9_900);
    expect(broken).toEqual([]);
    await clock.advance(100);
    expect(await call).toMatchObject({ code: "ledger_busy" });
    expect(broken.map(({ code }) => code)).toEqual(["ledger_busy"]);
    expect(clock.pending).toBe(0);

    free();
    await writer.writeCall({ scope: "a", key: "k", answer: 2 });
    expect(await ledger.readCall("a", "k")).toBe(2);
  });

  test("tells what still waits when the store is closed", async () => {
    const { clock, ledger, broken, call, free } = await waitingForBusyStore();
    await clock.advance(100);
    await ledger.close();
    free();
    await clock.advance(100);
    expect([broken, await call]).toMatchObject([[{ code: "ledger_failed" }], { code: "ledger_failed" }]);
    expect(clock.pending).toBe(0);
  });

  test("lets a write that the store refuses end no other run", async () => {
    const ledger = memoryLedger();
    await withLeases(ledger, "good", "bad");
    const writer = writerOf(ledger, systemClock);
    const [fromGood, fromBad]: [DivvyError[], DivvyError[]] = [[], []];
    const [good, bad] = [logOf("good", writer, fromGood), logOf("bad", writer, fromBad)];
    good.add(0);
    bad.add(3, 2);
    await Promise.all([good.log.committed(), writer.writeCall({ scope: "bad", key: "k", answer: "paid" })]);
    await expect(bad.log.committed()).rejects.toMatchObject({ code: "ledger_failed" });
    good.add(1);
    await good.log.committed();
    expect([await seqsOf(ledger, "good"), await seqsOf(ledger, "bad"), await ledger.readCall("bad", "k")]).toEqual([[0, 1], [], "paid"]);
    expect([fromGood.length, fromBad.length]).toEqual([0, 1]);
  });

  test("tells everybody whose write failed, in the family's words, whatever the store throws", async () => {
    const { ledger } = watchedLedger(() => {
      throw new TypeError("not an error of ours");
    });
    const writer = writerOf(ledger, systemClock);
    const a = logOf("a", writer);
    a.add(0);
    const calls = ["k", "l"].map((key) => writer.writeCall({ scope: "a", key, answer: 1 }));
    const ends = await Promise.allSettled([a.log.committed(), ...calls]);
    expect(ends.map((end) => end.status === "rejected" && end.reason instanceof DivvyError && end.reason.code)).toEqual(["internal", "internal", "internal"]);
  });

  test.each([{}, undefined, null, { fenced: "a" }, { fenced: [1] }])(
    "tells everybody where a store does not report what it wrote, writes nothing twice, and goes on: %j",
    async (report) => {
      let isOdd = true;
      const commits: LedgerBatch[] = [];
      const store = memoryLedger();
      // As a store without types might do.
      const commit = (batch: LedgerBatch): Promise<CommitReport> => {
        commits.push(batch);
        return isOdd ? Promise.resolve(JSON.parse(JSON.stringify(report ?? null))) : store.commit(batch);
      };
      await withLeases(store, "a", "b");
      const writer = writerOf({ ...store, commit }, systemClock);
      const broken: DivvyError[] = [];
      const logs = [logOf("a", writer, broken), logOf("b", writer, broken)];
      for (const { add } of logs) add(0);
      const ends = await Promise.allSettled([...logs.map(({ log }) => log.committed()), writer.writeCall({ scope: "a", key: "k", answer: 1 })]);
      expect(ends.map((end) => end.status === "rejected" && end.reason instanceof DivvyError && end.reason.code)).toEqual(Array(3).fill("ledger_failed"));
      expect([broken.length, commits.length]).toEqual([2, 1]);

      isOdd = false;
      await writer.writeCall({ scope: "a", key: "k", answer: 2 });
      expect(await store.readCall("a", "k")).toBe(2);
    },
  );

  test("gives a write that is never answered fifteen seconds, then says so to all concerned, and goes on with what comes next", async () => {
    let isSilent = true;
    const clock = virtualClock();
    const { ledger, batches } = watchedLedger(() => (isSilent ? new Promise<never>(() => undefined) : undefined));
    await withLeases(ledger, "a");
    const writer = writerOf(ledger, clock);
    const broken: DivvyError[] = [];
    logOf("a", writer, broken).add(0);
    const call = writer.writeCall({ scope: "a", key: "k", answer: 1 }).catch((thrown: unknown) => thrown);
    await clock.advance(14_999);
    expect(broken).toEqual([]);
    await clock.advance(1);
    expect(broken).toMatchObject([{ code: "ledger_busy", message: "The ledger gave no answer for 15 s." }]);
    expect(await call).toBe(broken[0]);
    expect([batches.length, clock.pending]).toEqual([1, 0]);

    isSilent = false;
    await writer.writeCall({ scope: "a", key: "k", answer: 2 });
    expect(await ledger.readCall("a", "k")).toBe(2);
  });

  test("takes what a process has paid for, though the run is another's by now", async () => {
    const ledger = memoryLedger();
    await withLeases(ledger, "lost", "kept");
    const writer = writerOf(ledger, systemClock);
    const [lost, kept] = [logOf("lost", writer), logOf("kept", writer)];
    await ledger.takeLease("lost", leaseOf(2));
    lost.add(0);
    kept.add(0);
    await writer.writeCall({ scope: "lost", key: "k", answer: "paid" });
    await kept.log.committed();
    await expect(lost.log.committed()).rejects.toMatchObject({ code: "run_taken_over" });
    expect([await seqsOf(ledger, "lost"), await ledger.readCall("lost", "k")]).toEqual([[], "paid"]);
  });

  test("tells a run's old log from its new one, where this process took the run over from itself", async () => {
    const ledger = memoryLedger();
    await withLeases(ledger, "a");
    await ledger.takeLease("a", leaseOf(2));
    const writer = writerOf(ledger, systemClock);
    const [old, now] = [logOf("a", writer, [], 1), logOf("a", writer, [], 2)];
    old.add(8);
    now.add(0);
    await expect(old.log.committed()).rejects.toMatchObject({ code: "run_taken_over" });
    await now.log.committed();
    expect(await seqsOf(ledger, "a")).toEqual([0]);
  });

  test("asks the store nothing where there is nothing to write any more", async () => {
    const gate = Promise.withResolvers<void>();
    const { ledger, batches } = watchedLedger(() => gate.promise);
    const a = logOf("a", writerOf(ledger, systemClock));
    a.add(0);
    await setImmediate();
    // On its way when the first turns out not to be written.
    a.add(1);
    gate.reject(new DivvyError("ledger_failed", "scripted"));
    await expect(a.log.committed()).rejects.toMatchObject({ code: "ledger_failed" });
    for (let turn = 0; turn < 3; turn++) await setImmediate();
    expect(batches).toHaveLength(1);
  });
});
