import { copyFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type GoldenContent, goldenContent, writeGolden } from "../../test/fixtures/ledgers/golden.ts";
import type { Ledger } from "./ledger.ts";
import { memoryLedger } from "./memory-ledger.ts";
import { newFiles } from "./new-files-fixture.ts";
import { migrations } from "./sqlite-schema.ts";
import { sqliteLedger } from "./sqlite-ledger.ts";

const newFile = newFiles();
const folder = new URL("../../test/fixtures/ledgers/", import.meta.url);
const versions = readdirSync(folder).flatMap((name) => /^(v\d+)\.sqlite$/.exec(name)?.[1] ?? []);

/** Opens a copy: the file itself stays as it was left. */
function openGolden(version: string): Ledger {
  const copy = newFile();
  copyFileSync(fileURLToPath(new URL(`${version}.sqlite`, folder)), copy);
  return sqliteLedger(copy);
}

/** What of a golden file's content a ledger holds. */
async function contentOf(ledger: Ledger, { runs, calls }: GoldenContent): Promise<unknown> {
  return {
    runs: await Promise.all(
      runs.map(async ({ record: { runId } }) => ({
        lease: await ledger.readLease(runId),
        record: await ledger.readRun(runId),
        facts: await ledger.readFacts(runId),
      })),
    ),
    calls: await Promise.all(calls.map(async ({ scope, key }) => ({ scope, key, answer: await ledger.readCall(scope, key) }))),
  };
}

describe("the golden ledgers", () => {
  test("are there for every version", () => {
    expect(versions.sort()).toEqual(migrations.map((_, index) => `v${index + 1}`).sort());
  });

  test.each(versions)("are read whole: %s", async (version) => {
    const [ledger, golden] = [openGolden(version), goldenContent(version)];
    expect(await contentOf(ledger, golden)).toEqual(golden);
    expect(await ledger.listRuns()).toEqual(golden.runs.map(({ record }) => record).sort((a, b) => b.startedAt - a.startedAt));
    await ledger.close();
  });

  test.each(versions)("are gone on with: %s", async (version) => {
    const ledger = openGolden(version);
    for (const { record, lease, facts } of goldenContent(version).runs) {
      const { runId } = record;
      const [epoch, seq] = [lease.epoch + 1, (facts.at(-1)?.seq ?? 0) + 1];
      expect(await ledger.takeLease(runId, { ...lease, epoch })).toBe(true);
      const fact = { type: "plan.answered", analysis: "", seq, at: 0, runId } as const;
      expect(await ledger.commit({ runs: [{ runId, epoch, facts: [fact], record }], calls: [] })).toEqual({ fenced: [] });
      expect(await ledger.readFacts(runId)).toEqual([...facts, fact]);
    }
    await ledger.close();
  });

  test.each(versions)("hold what any ledger holds that the same is written to: %s", async (version) => {
    const [ledger, golden] = [memoryLedger(), goldenContent(version)];
    await writeGolden(ledger, golden);
    expect(await contentOf(ledger, golden)).toEqual(golden);
  });
});
