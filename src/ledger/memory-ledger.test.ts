import { describe, expect, test } from "vitest";
import type { Ledger, RunRecord } from "./ledger.ts";
import { batchOf, leaseOf, seqsOf, writesOf } from "./ledger-fixture.ts";
import { memoryLedger } from "./memory-ledger.ts";

const paidFor = (scope: string, key = "k"): { readonly scope: string; readonly key: string; readonly answer: string } => ({ scope, key, answer: "paid" });

/** Writes a run as it is carried out: a lease, a fact, a call, and how it ended. */
async function carryOut(ledger: Ledger, runId: string, status: RunRecord["status"] = "ok", epoch = 1): Promise<void> {
  await ledger.takeLease(runId, leaseOf(epoch));
  await ledger.commit(batchOf([writesOf(runId, [epoch], { epoch, status })], [paidFor(runId)]));
}

async function idsOf(ledger: Ledger): Promise<string[]> {
  return (await ledger.listRuns()).map(({ runId }) => runId).sort();
}

describe("the memory ledger", () => {
  test.each([{ runs: Number.NaN }, { runs: 1.5 }, { sharedCalls: -1 }, { sharedCalls: Number.POSITIVE_INFINITY }])(
    "takes no bound that is none: %o",
    (options) => {
      expect(() => memoryLedger(options)).toThrow(
        expect.objectContaining({ code: "invalid_option", message: expect.stringContaining(Object.keys(options)[0] ?? "") }),
      );
    },
  );

  test("forgets runs that have ended, the oldest first, with all that is theirs", async () => {
    const ledger = memoryLedger({ runs: 2 });
    for (const runId of ["a", "b", "c"]) await carryOut(ledger, runId, "partial");
    expect(await idsOf(ledger)).toEqual(["b", "c"]);
    expect([await ledger.readRun("a"), await seqsOf(ledger, "a"), await ledger.readLease("a"), await ledger.readCall("a", "k")]).toEqual([
      undefined,
      [],
      undefined,
      undefined,
    ]);
    expect([await seqsOf(ledger, "b"), await ledger.readCall("b", "k")]).toEqual([[1], "paid"]);
  });

  test("keeps every run that is being carried out, and every one that is about to be", async () => {
    const ledger = memoryLedger({ runs: 0 });
    await carryOut(ledger, "a", "running");
    await ledger.takeLease("b", leaseOf(1));
    await carryOut(ledger, "c");
    expect(await idsOf(ledger)).toEqual(["a"]);
    expect(await ledger.commit(batchOf([writesOf("a", [2]), writesOf("b", [0])]))).toEqual({ fenced: [] });
  });

  test("keeps a run that has ended while somebody takes it up again, and as the newest after that", async () => {
    const ledger = memoryLedger({ runs: 2 });
    await carryOut(ledger, "a", "partial");
    await carryOut(ledger, "b");
    await ledger.takeLease("a", leaseOf(2));
    for (const runId of ["c", "d"]) await carryOut(ledger, runId);
    expect(await ledger.commit(batchOf([writesOf("a", [2], { epoch: 2, status: "ok" })]))).toEqual({ fenced: [] });
    expect(await idsOf(ledger)).toEqual(["c", "d"]);

    await carryOut(ledger, "c", "ok", 2);
    await carryOut(ledger, "e");
    expect(await idsOf(ledger)).toEqual(["c", "e"]);
  });

  test("forgets in time what nobody goes on with: runs given back, and leases without a run; calls without a run it does not take", async () => {
    const ledger = memoryLedger({ runs: 1 });
    await carryOut(ledger, "stopped", "running");
    await ledger.renewLease("stopped", 1, 0);
    await ledger.takeLease("idle", leaseOf(1));
    await ledger.renewLease("idle", 1, 0);
    await ledger.commit(batchOf([], [paidFor("alone")]));
    await carryOut(ledger, "last");
    expect(await idsOf(ledger)).toEqual(["last"]);
    expect([await ledger.readLease("idle"), await ledger.readCall("alone", "k")]).toEqual([undefined, undefined]);
  });

  test("keeps the newest calls of shared caches, over all their names", async () => {
    const ledger = memoryLedger({ sharedCalls: 3 });
    for (const [scope, key] of ["shared:a 1", "shared:b 1", "shared:a 2", "shared:c 1"].map((name) => name.split(" "))) {
      await ledger.commit(batchOf([], [paidFor(scope ?? "", key)]));
    }
    const kept = await Promise.all(["shared:a 1", "shared:b 1", "shared:a 2", "shared:c 1"].map((name) => ledger.readCall(name.slice(0, 8), name.slice(9))));
    expect(kept).toEqual([undefined, "paid", "paid", "paid"]);
  });

  test("does not grow with the number of runs", async () => {
    const ledger = memoryLedger();
    for (let run = 0; run < 1_000; run++) await carryOut(ledger, `run ${run}`);
    expect(await ledger.listRuns({ limit: 10_000 })).toHaveLength(100);
  });
});

test("the calls of a run that ended well are not kept: only its outcome will be asked for", async () => {
  const ledger = memoryLedger();
  for (const [runId, status] of [
    ["well", "ok"],
    ["partly", "partial"],
  ] as const) {
    await ledger.takeLease(runId, leaseOf(1));
    await ledger.commit(batchOf([], [paidFor(runId)]));
    await ledger.commit(batchOf([writesOf(runId, [0], { status })]));
  }
  expect([await ledger.readCall("well", "k"), await ledger.readCall("partly", "k")]).toEqual([undefined, "paid"]);
});
