import { expect, test } from "vitest";
import { batchOf, leaseOf, writesOf } from "./ledger-fixture.ts";
import { newFiles } from "./new-files-fixture.ts";
import { sqliteLedger } from "./sqlite-ledger.ts";

const newFile = newFiles();
const day = 86_400_000;

test("leases under which no run began are forgotten a day after their end, when the next run begins; all others stay", async () => {
  const ledger = sqliteLedger(newFile());
  await ledger.takeLease("died at once", leaseOf(1, 9_000));
  await ledger.takeLease("given back", leaseOf(1, 9_000));
  await ledger.renewLease("given back", 1, 0);
  await ledger.takeLease("begun", leaseOf(1, 9_000));
  await ledger.commit(batchOf([writesOf("begun", [0])]));
  await ledger.takeLease("about to begin", leaseOf(1, 10_000));
  await ledger.takeLease("next", leaseOf(1, 9_500 + day));
  const kept = await Promise.all(["died at once", "given back", "begun", "about to begin"].map((runId) => ledger.readLease(runId)));
  expect(kept.map((lease) => lease !== undefined)).toEqual([false, false, true, true]);
  await ledger.close();
});

test("a lease whose run's first facts were refused counts as one under which nothing began", async () => {
  const ledger = sqliteLedger(newFile());
  await ledger.takeLease("refused", leaseOf(1, 9_000));
  await expect(ledger.commit(batchOf([writesOf("refused", [1, 0])]))).rejects.toMatchObject({ code: "ledger_failed" });
  await ledger.takeLease("next", leaseOf(1, 9_500 + day));
  expect(await ledger.readLease("refused")).toBeUndefined();
  await ledger.close();
});
