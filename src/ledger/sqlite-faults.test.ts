import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { startChild } from "./ledger-child-fixture.ts";
import { writeUntilFull } from "./ledger-child-work-fixture.ts";
import { batchOf, factOf, leaseOf, recordOf, seqsOf, writesOf, writesOfEachKind } from "./ledger-fixture.ts";
import type { Ledger } from "./ledger.ts";
import { newFiles } from "./new-files-fixture.ts";
import { openLedgerFile } from "./sqlite-file.ts";
import { ledgerOn, sqliteLedger } from "./sqlite-ledger.ts";

const newFile = newFiles();
const kinds = Object.entries(writesOfEachKind);

/** A ledger's file in a folder of its own, with a run in it. */
async function withOneRun(): Promise<string> {
  const folder = `${newFile()}.d`;
  mkdirSync(folder);
  chmodSync(dirname(folder), 0o755);
  const file = join(folder, "ledger.sqlite");
  const ledger = sqliteLedger(file);
  await ledger.takeLease("r", leaseOf(1));
  await ledger.commit(batchOf([writesOf("r", [0, 1])], [{ scope: "r", key: "k", answer: "paid" }]));
  await ledger.close();
  return file;
}

async function contentOf(ledger: Ledger): Promise<unknown> {
  return [await ledger.listRuns(), await seqsOf(ledger, "r"), await ledger.readCall("r", "k"), await ledger.readCall("r", "new"), await ledger.readLease("r")];
}

const content = [[recordOf("r")], [0, 1], "paid", undefined, leaseOf(1)];

/** Does something as a user whom permissions bind, which they do not where tests run as root. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return await work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe("while another process writes", () => {
  test("every kind of write says that the ledger is busy, reads go on, and nothing is lost", async () => {
    const file = await withOneRun();
    const [ledger, other] = [sqliteLedger(file), new DatabaseSync(file)];
    other.exec("BEGIN IMMEDIATE");
    for (const [kind, write] of kinds) {
      await expect(write(ledger, 2), kind).rejects.toMatchObject({ code: "ledger_busy", evidence: { path: file, sqliteCode: 5 } });
      expect(await contentOf(ledger), kind).toEqual(content);
    }
    other.exec("COMMIT");
    for (const [, write] of kinds) await write(ledger, 2);
    expect([await ledger.listRuns(), await ledger.readLease("new")]).toEqual([[], leaseOf(1)]);
    await ledger.close();
    other.close();
  });

  test("the process goes on with its other work: a try takes it a few hundredths of a second at most", async () => {
    const file = await withOneRun();
    const [ledger, other] = [sqliteLedger(file), new DatabaseSync(file)];
    other.exec("BEGIN IMMEDIATE");
    const took: number[] = [];
    for (let tries = 0; tries < 5; tries++) {
      const from = performance.now();
      await expect(ledger.renewLease("r", 1, 0)).rejects.toMatchObject({ code: "ledger_busy" });
      took.push(performance.now() - from);
    }
    // The shortest: a busy machine adds to all of them.
    expect(Math.min(...took)).toBeLessThan(100);
    await ledger.close();
    other.close();
  });

  test("a ledger that is held for itself by another cannot be opened, and is busy by name", async () => {
    const file = await withOneRun();
    const other = new DatabaseSync(file);
    other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    expect(() => sqliteLedger(file)).toThrow(expect.objectContaining({ code: "ledger_busy", message: `The ledger ${file} is held by another process.` }));
    other.close();
    const ledger = sqliteLedger(file);
    expect(await contentOf(ledger)).toEqual(content);
    await ledger.close();
  });
});

describe("where the ledger may not be written", () => {
  test("every kind of write says so, reads go on, and nothing is lost", async () => {
    const file = await withOneRun();
    chmodSync(dirname(file), 0o777);
    chmodSync(file, 0o444);
    await asNobody(async () => {
      const ledger = sqliteLedger(file);
      for (const [kind, write] of kinds) {
        const message = `The ledger ${file} is read-only.`;
        await expect(write(ledger, 2), kind).rejects.toMatchObject({ code: "ledger_failed", message, evidence: { path: file } });
        expect(await contentOf(ledger), kind).toEqual(content);
      }
      await ledger.close();
    });
    chmodSync(file, 0o600);
    const ledger = sqliteLedger(file);
    expect(await contentOf(ledger)).toEqual(content);
    await ledger.close();
  });

  test("a folder that may not be written is named, also where the file is there already", async () => {
    const file = await withOneRun();
    chmodSync(file, 0o666);
    chmodSync(dirname(file), 0o555);
    await asNobody(async () => {
      for (const path of [file, join(dirname(file), "new.sqlite")]) {
        const message = expect.stringMatching(/cannot be opened|may not be read or written|is read-only/);
        expect(() => sqliteLedger(path)).toThrow(expect.objectContaining({ code: "ledger_failed", message, evidence: expect.objectContaining({ path }) }));
      }
    });
    chmodSync(dirname(file), 0o700);
    const ledger = sqliteLedger(file);
    expect(await contentOf(ledger)).toEqual(content);
    await ledger.close();
  });
});

describe("where the ledger cannot grow", () => {
  test("a write that does not fit is undone whole and says so; what fits is still written", async () => {
    const file = await withOneRun();
    const db = openLedgerFile(file);
    const ledger = ledgerOn(db, file);
    db.exec(`PRAGMA max_page_count = ${statSync(file).size / 4_096 + 4}`);
    const long = "x".repeat(50_000);
    const tooMuch = [
      batchOf([{ ...writesOf("r", []), facts: [factOf("r", 2), factOf("r", 3, long)] }]),
      batchOf([writesOf("r", [2])], [{ scope: "r", key: "new", answer: long }]),
    ];
    for (const batch of tooMuch) {
      const message = `The ledger ${file} cannot grow: the disk is full.`;
      await expect(ledger.commit(batch)).rejects.toMatchObject({ code: "ledger_failed", message, evidence: { path: file, sqliteCode: 13 } });
      expect(await contentOf(ledger)).toEqual(content);
    }
    await ledger.commit(batchOf([writesOf("r", [2])]));
    expect(await seqsOf(ledger, "r")).toEqual([0, 1, 2]);
    await ledger.close();
  });

  /** What a child says that writes until it cannot, told apart. */
  const told = async (around: readonly string[], file: string): Promise<Record<string, unknown>[]> => {
    await using child = startChild(writeUntilFull, [file, `${file}.ballast`], { around });
    return (await child.rest()).map((line) => JSON.parse(line));
  };
  const ends = (end: Readonly<Record<string, unknown>>): unknown[] => kinds.map(([kind]) => ({ kind, ...end }));

  // A limit of the process, which a full disk is to it.
  test("every kind of write is refused, and what was committed is there for the next process", async () => {
    const file = await withOneRun().then((other) => join(dirname(other), "full.sqlite"));
    const said = await told(["sh", "-c", 'ulimit -f 800; exec "$@"', "sh"], file);
    const kept = Number(said[0]?.["kept"]);
    expect(kept).toBeGreaterThan(10);
    expect(said.slice(1, 8)).toEqual([...ends({ code: "ledger_failed", sqliteCode: 778 }), { read: kept + 1 }]);

    const ledger = sqliteLedger(file);
    expect(await seqsOf(ledger, "r")).toEqual(Array.from({ length: kept + 1 }, (_, seq) => seq));
    for (const [, write] of kinds) await write(ledger, kept + 1);
    expect([await ledger.listRuns(), await ledger.readLease("new")]).toEqual([[], leaseOf(1)]);
    await ledger.close();
  });

  // A disk of its own, which takes rights that not every machine gives.
  const small = (file: string): string[] => ["unshare", "-Urm", "sh", "-c", `mount -t tmpfs -o size=900k none '${dirname(file)}' && exec "$@"`, "sh"];
  const maySmall = spawnSync("sh", ["-c", "unshare -Urm mount -t tmpfs none /mnt"]).status === 0;
  test.runIf(maySmall)("every kind of write is refused on a disk that is full, and taken as soon as there is space", async () => {
    const file = await withOneRun();
    const said = await told(small(file), file);
    const kept = Number(said[0]?.["kept"]);
    expect(kept).toBeGreaterThan(10);
    expect(said.slice(1)).toEqual([...ends({ code: "ledger_failed", sqliteCode: 13 }), { read: kept + 1 }, ...ends({ again: { code: "ok" } }), { read: 0 }]);
  });
});
