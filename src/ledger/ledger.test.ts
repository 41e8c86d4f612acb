import { describe, expect, test } from "vitest";
import { ledgerConformance } from "../testing/ledger-conformance.ts";
import { memoryLedger } from "./memory-ledger.ts";
import { newFiles } from "./new-files-fixture.ts";
import { sqliteLedger } from "./sqlite-ledger.ts";

const newFile = newFiles();

describe("the memory ledger", () => {
  test.each(ledgerConformance(() => memoryLedger()))("$name", async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe("the SQLite ledger", () => {
  test.each(ledgerConformance(() => sqliteLedger(newFile())))("$name", async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
