import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { DivvyError, type ErrorCode } from "../errors.ts";
import type { Fact } from "../events.ts";
import type { Ledger, Lease, LedgerBatch, RunRecord, RunWrites } from "../ledger/ledger.ts";

/** What a ledger must keep to: give `run` to your test runner under `name`. */
export interface ConformanceCase {
  readonly name: string;
  /** Rejects where the ledger does something else. */
  readonly run: () => Promise<void>;
}

const owner = { pid: 7, host: "here", space: "boot", startTime: "1" };

function fact(runId: string, seq: number, analysis = "text"): Fact {
  return { type: "plan.answered", analysis, seq, at: 1000 + seq, runId };
}

function record(runId: string, more: Partial<RunRecord> = {}): RunRecord {
  return { runId, task: "Do it.", status: "running", startedAt: 1000, updatedAt: 1000, calls: 0, tokens: 0, ...more };
}

function writes(runId: string, seqs: readonly number[], epoch = 1, more: Partial<RunRecord> = {}): RunWrites {
  return { runId, epoch, facts: seqs.map((seq) => fact(runId, seq)), record: record(runId, more) };
}

function lease(epoch: number, expiresAt = 9000): Lease {
  return { epoch, owner, expiresAt };
}

function batch(runs: readonly RunWrites[], calls: LedgerBatch["calls"] = []): LedgerBatch {
  return { runs, calls };
}

/** Rejects with the error that a store may give here. */
async function refuses(use: Promise<unknown>, code: ErrorCode = "ledger_failed"): Promise<void> {
  await rejects(use, (thrown) => thrown instanceof DivvyError && thrown.code === code);
}

async function seqsOf(ledger: Ledger, runId: string): Promise<number[]> {
  return (await ledger.readFacts(runId)).map(({ seq }) => seq);
}

/**
 * What every ledger must do, as cases for any test runner. Each opens a new, empty ledger, and closes it.
 *
 * @param open opens an empty ledger
 */
export function ledgerConformance(open: () => Ledger | Promise<Ledger>): readonly ConformanceCase[] {
  const on = (name: string, test: (ledger: Ledger) => Promise<void>): ConformanceCase => ({
    name,
    run: async () => {
      const ledger = await open();
      try {
        await test(ledger);
      } finally {
        await ledger.close();
      }
    },
  });

  return [
    on("knows nothing of what was never written", async (ledger) => {
      deepStrictEqual(await ledger.readFacts("r"), []);
      deepStrictEqual(await ledger.readRun("r"), undefined);
      deepStrictEqual(await ledger.readCall("r", "k"), undefined);
      deepStrictEqual(await ledger.readLease("r"), undefined);
      deepStrictEqual(await ledger.listRuns(), []);
      deepStrictEqual(await ledger.readPlans("g"), []);
    }),

    on("finds the plans of a group again, the newest first, with their vectors as they were", async (ledger) => {
      for (const runId of ["a", "b", "c", "other"]) await ledger.takeLease(runId, lease(1));
      const vector = Float32Array.of(0.25, -1, 1e-30);
      await ledger.keepPlan({ runId: "a", group: "g", keptAt: 1000, vector });
      await ledger.keepPlan({ runId: "c", group: "g", keptAt: 3000, vector: Float32Array.of(1) });
      await ledger.keepPlan({ runId: "b", group: "g", keptAt: 3000, vector: Float32Array.of(2) });
      await ledger.keepPlan({ runId: "other", group: "h", keptAt: 2000, vector });
      const found = await ledger.readPlans("g");
      deepStrictEqual(
        found.map(({ runId, group, keptAt }) => [runId, group, keptAt]),
        [
          ["c", "g", 3000],
          ["b", "g", 3000],
          ["a", "g", 1000],
        ],
      );
      deepStrictEqual([...(found[2]?.vector ?? [])], [...vector]);
      deepStrictEqual(await ledger.readPlans("nobody's"), []);
    }),

    on("keeps one plan of a run, the last, and none of a run that has no lease", async (ledger) => {
      await ledger.takeLease("r", lease(1));
      await ledger.keepPlan({ runId: "r", group: "g", keptAt: 1000, vector: Float32Array.of(1) });
      await ledger.keepPlan({ runId: "r", group: "h", keptAt: 2000, vector: Float32Array.of(2) });
      await ledger.keepPlan({ runId: "unknown", group: "h", keptAt: 2000, vector: Float32Array.of(3) });
      deepStrictEqual(await ledger.readPlans("g"), []);
      deepStrictEqual(await ledger.readPlans("h"), [{ runId: "r", group: "h", keptAt: 2000, vector: Float32Array.of(2) }]);
    }),

    on("forgets a run's plan with the run", async (ledger) => {
      for (const runId of ["r", "other"]) {
        await ledger.takeLease(runId, lease(1));
        await ledger.commit(batch([writes(runId, [0])]));
        await ledger.keepPlan({ runId, group: "g", keptAt: 1000, vector: Float32Array.of(1) });
      }
      deepStrictEqual(await ledger.removeRun("r", 1), true);
      deepStrictEqual(
        (await ledger.readPlans("g")).map(({ runId }) => runId),
        ["other"],
      );
    }),

    on("gives the 500 newest plans of a group", async (ledger) => {
      for (let n = 0; n < 502; n++) {
        const runId = `run ${n}`;
        await ledger.takeLease(runId, lease(1));
        await ledger.keepPlan({ runId, group: "g", keptAt: n, vector: Float32Array.of(n) });
      }
      const kept = (await ledger.readPlans("g")).map(({ keptAt }) => keptAt);
      // A store may forget old runs; the newest it has.
      ok(kept.length <= 500 && kept[0] === 501 && kept.every((at, index) => at === 501 - index));
    }),

    on("gives facts back as they were, in the order of seq, over any number of commits", async (ledger) => {
      await ledger.takeLease("r", lease(1));
      const odd = fact("r", 2, 'line\nbreak "quoted" \u0000 \u{1f600} \ud800 </task>');
      await ledger.commit(batch([writes("r", [0, 1])]));
      await ledger.commit(batch([{ ...writes("r", []), facts: [odd, fact("r", 7)] }]));
      deepStrictEqual(await seqsOf(ledger, "r"), [0, 1, 2, 7]);
      deepStrictEqual((await ledger.readFacts("r"))[2], odd);
    }),

    on("refuses facts that do not continue the log, and all else in their batch", async (ledger) => {
      for (const runId of ["r", "other"]) await ledger.takeLease(runId, lease(1));
      await ledger.commit(batch([writes("r", [0, 5])]));
      for (const seqs of [[5], [3], [6, 6], [7, 6]]) {
        const calls = [{ scope: "r", key: "k", answer: "paid" }];
        await refuses(ledger.commit(batch([writes("other", [0]), writes("r", seqs, 1, { status: "ok" })], calls)));
      }
      deepStrictEqual([await seqsOf(ledger, "r"), await seqsOf(ledger, "other")], [[0, 5], []]);
      deepStrictEqual([await ledger.readRun("r"), await ledger.readRun("other"), await ledger.readCall("r", "k")], [record("r"), undefined, undefined]);
      await ledger.commit(batch([writes("r", [6])]));
      deepStrictEqual(await seqsOf(ledger, "r"), [0, 5, 6]);
    }),

    on("takes facts and answers of ten megabytes", async (ledger) => {
      const text = '\u00e9\n"x'.repeat(2_500_000);
      await ledger.takeLease("r", lease(1));
      await ledger.commit(batch([{ ...writes("r", []), facts: [fact("r", 0, text)] }], [{ scope: "r", key: "k", answer: text }]));
      // Not compared deeply: a difference would be printed.
      const [first] = await ledger.readFacts("r");
      ok(first?.type === "plan.answered" && first.analysis === text);
      ok((await ledger.readCall("r", "k")) === text);
    }),

    on("keeps a run's record though no fact comes with it", async (ledger) => {
      await ledger.takeLease("r", lease(1));
      await ledger.commit(batch([writes("r", [], 1, { status: "aborted" })]));
      deepStrictEqual([await ledger.readRun("r"), await seqsOf(ledger, "r")], [record("r", { status: "aborted" }), []]);
    }),

    on("keeps runs apart", async (ledger) => {
      await ledger.takeLease("a", lease(1));
      await ledger.takeLease("b", lease(1));
      await ledger.commit(batch([writes("a", [0]), writes("b", [0, 1])], [{ scope: "a", key: "k", answer: "of a" }]));
      deepStrictEqual([await seqsOf(ledger, "a"), await seqsOf(ledger, "b")], [[0], [0, 1]]);
      deepStrictEqual([await ledger.readCall("a", "k"), await ledger.readCall("b", "k")], ["of a", undefined]);
    }),

    on("keeps the last record of a run", async (ledger) => {
      await ledger.takeLease("r", lease(1));
      await ledger.commit(batch([writes("r", [0])]));
      await ledger.commit(batch([writes("r", [1], 1, { status: "ok", updatedAt: 2000, cost: 0.25 })]));
      deepStrictEqual(await ledger.readRun("r"), record("r", { status: "ok", updatedAt: 2000, cost: 0.25 }));
    }),

    on("keeps the first answer to a call, whatever JSON it is", async (ledger) => {
      const answer = { text: "an answer", parts: [1, null, { deep: ["\u2028", ""] }] };
      await ledger.commit(batch([], [{ scope: "shared:s", key: "k", answer }]));
      await ledger.commit(batch([], [{ scope: "shared:s", key: "k", answer: "another" }]));
      deepStrictEqual(await ledger.readCall("shared:s", "k"), answer);
    }),

    on("keeps the first of two answers to one call in one batch", async (ledger) => {
      const calls = ["first", "second"].map((answer) => ({ scope: "shared:s", key: "k", answer }));
      deepStrictEqual(await ledger.commit(batch([], calls)), { fenced: [] });
      deepStrictEqual(await ledger.readCall("shared:s", "k"), "first");
    }),

    on("takes calls of shared caches without any run, and those of a run that it knows; others are left out", async (ledger) => {
      await ledger.takeLease("known", lease(1));
      const calls = ["known", "unknown", "shared:s"].map((scope) => ({ scope, key: "k", answer: scope }));
      deepStrictEqual(await ledger.commit(batch([], calls)), { fenced: [] });
      const kept = await Promise.all(["known", "unknown", "shared:s"].map((scope) => ledger.readCall(scope, "k")));
      deepStrictEqual(kept, ["known", undefined, "shared:s"]);
    }),

    on("takes an empty batch, and reports nothing", async (ledger) => {
      deepStrictEqual(await ledger.commit(batch([])), { fenced: [] });
      deepStrictEqual(await ledger.listRuns(), []);
    }),

    on("takes commits of several runs at once, each whole", async (ledger) => {
      const runIds = Array.from({ length: 8 }, (_, n) => `run ${n}`);
      for (const runId of runIds) await ledger.takeLease(runId, lease(1));
      const commits = runIds.flatMap((runId) =>
        [0, 1, 2].map((seq) =>
          ledger.commit(batch([writes(runId, [2 * seq, 2 * seq + 1], 1, { calls: seq })], [{ scope: runId, key: `${seq}`, answer: seq }])),
        ),
      );
      deepStrictEqual(
        await Promise.all(commits),
        commits.map(() => ({ fenced: [] })),
      );
      for (const runId of runIds) {
        deepStrictEqual(await seqsOf(ledger, runId), [0, 1, 2, 3, 4, 5]);
        deepStrictEqual(await ledger.readRun(runId), record(runId, { calls: 2 }));
        deepStrictEqual(await Promise.all(["0", "1", "2"].map((key) => ledger.readCall(runId, key))), [0, 1, 2]);
      }
    }),

    on("gives the first lease to one only, and each further one to whoever saw the one before", async (ledger) => {
      deepStrictEqual(await Promise.all([ledger.takeLease("r", lease(1)), ledger.takeLease("r", lease(1))]), [true, false]);
      deepStrictEqual(await ledger.takeLease("r", lease(3)), false);
      const other = { ...lease(2), owner: { ...owner, pid: 8 } };
      deepStrictEqual(await Promise.all([ledger.takeLease("r", other), ledger.takeLease("r", lease(2))]), [true, false]);
      deepStrictEqual(await ledger.readLease("r"), other);
    }),

    on("renews a lease only for its own epoch", async (ledger) => {
      await ledger.takeLease("r", lease(1));
      deepStrictEqual(await ledger.renewLease("r", 1, 12_000), true);
      deepStrictEqual(await ledger.readLease("r"), lease(1, 12_000));
      await ledger.takeLease("r", lease(2));
      deepStrictEqual(await ledger.renewLease("r", 1, 20_000), false);
      deepStrictEqual(await ledger.readLease("r"), lease(2));
    }),

    on("gives a lease on that was given back", async (ledger) => {
      await ledger.takeLease("r", lease(1));
      deepStrictEqual(await ledger.renewLease("r", 1, 0), true);
      deepStrictEqual(await ledger.readLease("r"), lease(1, 0));
      deepStrictEqual(await ledger.takeLease("r", lease(2)), true);
    }),

    on("leaves out the facts and the record of a run that was taken over, names it, and writes the rest of the batch", async (ledger) => {
      await ledger.takeLease("lost", lease(1));
      await ledger.takeLease("kept", lease(1));
      await ledger.commit(batch([writes("lost", [0])]));
      await ledger.takeLease("lost", lease(2));
      const late = writes("lost", [1], 1, { status: "failed", updatedAt: 5000 });
      const report = await ledger.commit(batch([late, writes("kept", [0])], [{ scope: "lost", key: "k", answer: "paid" }]));
      deepStrictEqual(report, { fenced: ["lost"] });
      deepStrictEqual(await ledger.readRun("lost"), record("lost"));
      deepStrictEqual([await seqsOf(ledger, "lost"), await seqsOf(ledger, "kept")], [[0], [0]]);
      deepStrictEqual(await ledger.readCall("lost", "k"), "paid");
    }),

    on("writes no facts under an epoch that nobody has taken yet", async (ledger) => {
      await ledger.takeLease("r", lease(1));
      await ledger.commit(batch([writes("r", [0])]));
      deepStrictEqual(await ledger.commit(batch([writes("r", [1], 2, { status: "ok" })])), { fenced: ["r"] });
      deepStrictEqual([await seqsOf(ledger, "r"), await ledger.readRun("r"), await ledger.readLease("r")], [[0], record("r"), lease(1)]);
    }),

    on("writes no facts without a lease", async (ledger) => {
      deepStrictEqual(await ledger.commit(batch([writes("r", [0])])), { fenced: ["r"] });
      deepStrictEqual(await ledger.readRun("r"), undefined);
    }),

    on("lists the newest runs first, as many as are asked for, and only those that are old enough", async (ledger) => {
      for (const [runId, startedAt, updatedAt] of [
        ["b", 2000, 9000],
        ["c", 3000, 3500],
        ["a", 1000, 4000],
      ] as const) {
        await ledger.takeLease(runId, lease(1));
        await ledger.commit(batch([writes(runId, [0], 1, { startedAt, updatedAt })]));
      }
      const ids = async (query?: Parameters<Ledger["listRuns"]>[0]): Promise<string[]> => (await ledger.listRuns(query)).map(({ runId }) => runId);
      deepStrictEqual(await ids(), ["c", "b", "a"]);
      deepStrictEqual(await ids({ limit: 0 }), []);
      deepStrictEqual(await ids({ limit: 2 }), ["c", "b"]);
      deepStrictEqual(await ids({ updatedBefore: 4000 }), ["c"]);
    }),

    on("refuses to list a number of runs that is none, and takes the largest", async (ledger) => {
      await ledger.takeLease("r", lease(1));
      await ledger.commit(batch([writes("r", [0])]));
      for (const limit of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) await refuses(ledger.listRuns({ limit }), "invalid_option");
      const all = { limit: Number.MAX_SAFE_INTEGER, updatedBefore: Number.POSITIVE_INFINITY };
      deepStrictEqual(await ledger.listRuns(all), [record("r")]);
    }),

    on("lists runs by the beginning of their ids, to the letter, with all else that is asked", async (ledger) => {
      const ids = ["ab-1", "ab-2", "ab", "a", "b", "abc", "AB-3", "a%", "a_b", "ab\u{1f600}"];
      for (const [startedAt, runId] of ids.entries()) {
        await ledger.takeLease(runId, lease(1));
        await ledger.commit(batch([writes(runId, [0], 1, { startedAt, updatedAt: startedAt })]));
      }
      const found = async (query: Parameters<Ledger["listRuns"]>[0]): Promise<string[]> => (await ledger.listRuns(query)).map(({ runId }) => runId);
      deepStrictEqual(await found({ idPrefix: "ab" }), ["ab\u{1f600}", "abc", "ab", "ab-2", "ab-1"]);
      deepStrictEqual(await found({ idPrefix: "ab-" }), ["ab-2", "ab-1"]);
      deepStrictEqual(await found({ idPrefix: "ab", limit: 2 }), ["ab\u{1f600}", "abc"]);
      deepStrictEqual(await found({ idPrefix: "ab", updatedBefore: 2 }), ["ab-2", "ab-1"]);
      deepStrictEqual([await found({ idPrefix: "a%" }), await found({ idPrefix: "a_" }), await found({ idPrefix: "abcd" })], [["a%"], ["a_b"], []]);
      deepStrictEqual(await found({ idPrefix: "" }), ids.toReversed());
    }),

    on("lists runs that started together in one order, whatever was written last", async (ledger) => {
      for (const runId of ["b", "c", "a"]) {
        await ledger.takeLease(runId, lease(1));
        await ledger.commit(batch([writes(runId, [0])]));
      }
      await ledger.commit(batch([writes("b", [1], 1, { updatedAt: 5000 })]));
      const ids = (await ledger.listRuns()).map(({ runId }) => runId);
      deepStrictEqual(ids, ["c", "b", "a"]);
    }),

    on("forgets a run with all that is its own, and nothing else", async (ledger) => {
      const calls = ["gone", "kept", "shared:s"].map((scope) => ({ scope, key: "k", answer: scope }));
      for (const runId of ["gone", "kept"]) await ledger.takeLease(runId, lease(1));
      await ledger.commit(batch([writes("gone", [0]), writes("kept", [0])], calls));
      deepStrictEqual(await ledger.removeRun("gone", 1), true);
      await ledger.removeRun("never", 0);
      await ledger.removeRun("shared:s", 0);
      deepStrictEqual([await ledger.readRun("gone"), await ledger.readFacts("gone"), await ledger.readLease("gone")], [undefined, [], undefined]);
      deepStrictEqual(
        [await ledger.readCall("gone", "k"), await ledger.readCall("kept", "k"), await ledger.readCall("shared:s", "k")],
        [undefined, "kept", "shared:s"],
      );
      deepStrictEqual(
        (await ledger.listRuns()).map(({ runId }) => runId),
        ["kept"],
      );
      ok((await ledger.readLease("kept")) !== undefined);
    }),

    on("forgets no run that has changed hands since it was looked at", async (ledger) => {
      await ledger.takeLease("r", lease(1, 0));
      await ledger.commit(batch([writes("r", [0])], [{ scope: "r", key: "k", answer: "paid" }]));
      deepStrictEqual([await ledger.removeRun("r", 0), await ledger.removeRun("r", 2)], [false, false]);
      await ledger.takeLease("r", lease(2));
      deepStrictEqual(await ledger.removeRun("r", 1), false);
      deepStrictEqual([await ledger.readRun("r"), await seqsOf(ledger, "r"), await ledger.readCall("r", "k")], [record("r"), [0], "paid"]);
      deepStrictEqual(await ledger.readLease("r"), lease(2));
      // Of one that takes a run on and one that removes it, one succeeds.
      const [removed, taken] = await Promise.all([ledger.removeRun("r", 2), ledger.takeLease("r", lease(3))]);
      deepStrictEqual([removed, (await ledger.readRun("r")) === undefined], [!taken, !taken]);
    }),

    on("writes nothing more of a run that was forgotten, nor a call that comes late", async (ledger) => {
      await ledger.takeLease("r", lease(1));
      await ledger.commit(batch([writes("r", [0])]));
      await ledger.removeRun("r", 1);
      deepStrictEqual(await ledger.commit(batch([writes("r", [1])], [{ scope: "r", key: "late", answer: "paid" }])), { fenced: ["r"] });
      deepStrictEqual([await ledger.renewLease("r", 1, 20_000), await ledger.readRun("r"), await seqsOf(ledger, "r")], [false, undefined, []]);
      deepStrictEqual(await ledger.readCall("r", "late"), undefined);
    }),

    on("refuses everything once it is closed, but being closed again", async (ledger) => {
      await ledger.takeLease("r", lease(1));
      await ledger.close();
      await ledger.close();
      const uses = [
        () => ledger.commit(batch([writes("r", [0])])),
        () => ledger.readCall("r", "k"),
        () => ledger.readFacts("r"),
        () => ledger.readRun("r"),
        () => ledger.listRuns(),
        () => ledger.removeRun("r", 1),
        () => ledger.readLease("r"),
        () => ledger.takeLease("r", lease(2)),
        () => ledger.renewLease("r", 1, 0),
      ];
      for (const use of uses) await refuses(use());
    }),
  ];
}
