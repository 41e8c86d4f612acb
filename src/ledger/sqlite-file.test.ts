import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { startChild } from "./ledger-child-fixture.ts";
import { keepReading, openOnce, openTogether, takeForItself } from "./ledger-child-work-fixture.ts";
import { batchOf, leaseOf, recordOf, seqsOf, writesOf } from "./ledger-fixture.ts";
import type { Ledger } from "./ledger.ts";
import { newFiles } from "./new-files-fixture.ts";
import { openLedgerFile } from "./sqlite-file.ts";
import { ledgerOn, sqliteLedger } from "./sqlite-ledger.ts";

const newFile = newFiles();

/** Writes to a file with SQLite itself. */
function sql(file: string, statements: string): void {
  const db = new DatabaseSync(file);
  db.exec(statements);
  db.close();
}

/** A ledger's file with one run in it. */
async function withOneRun(): Promise<string> {
  const file = newFile();
  const ledger = sqliteLedger(file);
  await ledger.takeLease("r", leaseOf(1));
  await ledger.commit(batchOf([writesOf("r", [0, 1])], [{ scope: "r", key: "k", answer: "paid" }]));
  await ledger.close();
  return file;
}

function refusalOf(open: () => Ledger): unknown {
  try {
    open();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

describe("a ledger's file", () => {
  test("is made where it is not there, and keeps what was committed", async () => {
    const ledger = sqliteLedger(await withOneRun());
    expect(await ledger.listRuns()).toEqual([recordOf("r")]);
    expect([await seqsOf(ledger, "r"), await ledger.readCall("r", "k"), await ledger.readLease("r")]).toEqual([[0, 1], "paid", leaseOf(1)]);
    await ledger.close();
  });

  test("is for its owner alone, with all that stands beside it, whatever the process lets others do", async () => {
    const file = newFile();
    const mask = process.umask(0);
    try {
      const ledger = sqliteLedger(file);
      await ledger.commit(batchOf([], [{ scope: "shared:s", key: "k", answer: "paid" }]));
      const rights = ["", "-wal", "-shm"].map((end) => (statSync(file + end).mode & 0o777).toString(8));
      expect(rights).toEqual(["600", "600", "600"]);
      await ledger.close();
    } finally {
      process.umask(mask);
    }
  });

  test.skipIf(process.platform === "win32")(
    "is taken from others who may read it, with all that stands beside it; another program's is left alone",
    async () => {
      const file = await withOneRun();
      const open = sqliteLedger(file);
      await open.commit(batchOf([], [{ scope: "shared:s", key: "k", answer: "paid" }]));
      const rightsOf = (...names: readonly string[]): string[] => names.map((name) => (statSync(name).mode & 0o777).toString(8));
      const [all, link] = [["", "-wal", "-shm"].map((end) => file + end), newFile()];
      for (const name of all) chmodSync(name, 0o644);
      symlinkSync(file, link);
      await sqliteLedger(link).close();
      expect(rightsOf(...all)).toEqual(["600", "600", "600"]);
      await open.close();

      const theirs = newFile();
      sql(theirs, "CREATE TABLE recipes (name TEXT)");
      chmodSync(theirs, 0o644);
      expect(refusalOf(() => sqliteLedger(theirs))).toMatchObject({ code: "ledger_version" });
      expect(rightsOf(theirs)).toEqual(["644"]);
    },
  );

  test("is written by way of a log, which reaches the disk at every commit and goes when it is closed", async () => {
    const file = await withOneRun();
    const db = openLedgerFile(file);
    const ledger = ledgerOn(db, file);
    // 2 is FULL. That nothing is lost when the machine dies is for SQLite's own tests.
    expect([db.prepare("PRAGMA journal_mode").get(), db.prepare("PRAGMA synchronous").get()]).toMatchObject([{ journal_mode: "wal" }, { synchronous: 2 }]);
    const before = readFileSync(file);
    await ledger.commit(batchOf([], [{ scope: "r", key: "l", answer: "paid" }]));
    expect([readFileSync(file).equals(before), statSync(`${file}-wal`).size > 0]).toEqual([true, true]);
    await ledger.close();
    expect([existsSync(`${file}-wal`), existsSync(`${file}-shm`)]).toEqual([false, false]);
  });

  test("is named by a path, also where SQLite would take the name for something else", async () => {
    const folder = `${newFile()}.d`;
    mkdirSync(folder);
    const home = process.cwd();
    process.chdir(folder);
    try {
      for (const name of [":memory:", "file:x?mode=memory"]) {
        const ledger = sqliteLedger(name);
        await ledger.commit(batchOf([], [{ scope: "shared:s", key: "k", answer: "paid" }]));
        await ledger.close();
        const again = sqliteLedger(join(folder, name));
        expect(await again.readCall("shared:s", "k")).toBe("paid");
        await again.close();
      }
    } finally {
      process.chdir(home);
    }
  });

  // Newer SQLite looks for other signs of life too (3.51); what Node 22 has would let another process throw away what is written next.
  test.runIf(process.platform === "linux")("may be opened twice in a process, without its locks being lost", async () => {
    const file = await withOneRun();
    const { ino } = statSync(file);
    const locks = (): number => readFileSync("/proc/locks", "utf8").match(new RegExp(` ${process.pid} \\S+:${ino} `, "g"))?.length ?? 0;
    const one = sqliteLedger(file);
    expect([await seqsOf(one, "r"), locks()]).toEqual([[0, 1], 1]);
    const another = sqliteLedger(file);
    expect([await seqsOf(another, "r"), locks()]).toEqual([[0, 1], 1]);
    await another.close();
    expect(locks()).toBe(1);
    await one.close();
    expect(locks()).toBe(0);
  });

  test("may be made by several processes at the same time", async () => {
    const files = Array.from({ length: 25 }, newFile);
    const startAt = Date.now() + 1_000;
    const children = Array.from({ length: 4 }, () => startChild(openTogether, [files, startAt, 40]));
    expect(await Promise.all(children.map((child) => child.rest()))).toEqual(children.map(() => ["done"]));
    for (const file of files) {
      const ledger = sqliteLedger(file);
      expect(await Promise.all(children.map(({ process: { pid } }) => ledger.readCall("shared:pids", String(pid))))).toEqual(children.map(() => true));
      await ledger.close();
    }
  });

  test("is waited for while others still read what somebody has just made", async () => {
    const file = await withOneRun();
    sql(file, "PRAGMA journal_mode = DELETE");
    await using reader = startChild(keepReading, [file, 300]);
    expect(await reader.heard()).toBe("reading");
    const ledger = sqliteLedger(file);
    expect(await seqsOf(ledger, "r")).toEqual([0, 1]);
    await ledger.close();
  });

  test("needs no SQLite before it is opened, and says so where there is none", async () => {
    const file = newFile();
    await using child = startChild(openOnce, [file], { nodeArgs: ["--no-experimental-sqlite"] });
    expect(await child.heard()).toBe("This runtime has no node:sqlite.");
    expect(existsSync(file)).toBe(false);
  });
});

describe("a file that is no ledger of this version", () => {
  test.each([
    ["a text", (file: string) => writeFileSync(file, "To whom it may concern: ".repeat(400)), "ledger_failed", "is no SQLite file"],
    ["a short text", (file: string) => writeFileSync(file, "me"), "ledger_failed", "is no SQLite file"],
    ["another program's", (file: string) => sql(file, "CREATE TABLE runs (a); INSERT INTO runs VALUES (1)"), "ledger_version", "another program"],
    ["another program's, in WAL mode", (file: string) => sql(file, "PRAGMA journal_mode = WAL; CREATE TABLE t (a)"), "ledger_version", "another program"],
    ["another program's, which says so", (file: string) => sql(file, "PRAGMA application_id = 7; CREATE TABLE t (a)"), "ledger_version", "another program"],
    [
      "a newer Divvy's",
      (file: string) => sql(file, "PRAGMA application_id = 0x44767679; PRAGMA user_version = 999; CREATE TABLE t (a)"),
      "ledger_version",
      "newer Divvy (ledger version 999",
    ],
  ])("is refused by name, and not changed by a byte: %s", (_, make, code, said) => {
    const file = newFile();
    make(file);
    const before = readFileSync(file);
    const refusal = refusalOf(() => sqliteLedger(file));
    expect(refusal).toMatchObject({ code, message: expect.stringContaining(said), evidence: { path: file } });
    expect(refusal).toMatchObject({ message: expect.stringContaining(file) });
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(["-wal", "-shm", "-journal"].filter((end) => existsSync(file + end))).toEqual([]);
  });

  test("is taken where it is empty, by size or for SQLite", async () => {
    const [nothing, noTables] = [newFile(), newFile()];
    writeFileSync(nothing, "");
    sql(noTables, "CREATE TABLE t (a); DROP TABLE t");
    for (const file of [nothing, noTables]) {
      const ledger = sqliteLedger(file);
      expect(await ledger.listRuns()).toEqual([]);
      await ledger.close();
    }
  });

  test("is refused where its folder is not there, or where it is a folder, or a link that leads nowhere", () => {
    const file = newFile();
    symlinkSync(join(dirname(file), "nowhere", "file"), file);
    for (const path of [join(dirname(file), "nowhere", "file"), dirname(file), file]) {
      expect(refusalOf(() => sqliteLedger(path))).toMatchObject({ code: "ledger_failed", message: `The ledger ${path} cannot be opened.`, evidence: { path } });
    }
  });
});

describe("a damaged ledger", () => {
  test.each([
    ["facts", "UPDATE facts SET fact = substr(fact, 3) WHERE seq = 1", "fact 1 of the run r"],
    ["facts", `UPDATE facts SET fact = '{"type":"plan.answered"}' WHERE seq = 0`, "fact 0 of the run r"],
    ["record", "UPDATE runs SET record = '[]'", "the record of the run r"],
    ["list", "UPDATE runs SET record = ''", "the record of the run r"],
    ["call", "UPDATE calls SET answer = '{'", "a call of r"],
    ["lease", "UPDATE leases SET owner = '{}'", "the lease of the run r"],
  ] as const)("is said to be one, never read in part: %s, after %s", async (what, damage, said) => {
    const file = await withOneRun();
    sql(file, damage);
    const ledger = sqliteLedger(file);
    const reads = {
      facts: () => ledger.readFacts("r"),
      record: () => ledger.readRun("r"),
      list: () => ledger.listRuns(),
      call: () => ledger.readCall("r", "k"),
      lease: () => ledger.readLease("r"),
    };
    await expect(reads[what]()).rejects.toMatchObject({ code: "ledger_failed", message: `The ledger ${file} is damaged: ${said} cannot be read.` });
    await ledger.close();
  });

  test("is said to be one where its pages are", async () => {
    const file = await withOneRun();
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4_096);
    writeFileSync(file, bytes);
    const ledger = sqliteLedger(file);
    for (const use of [ledger.readFacts("r"), ledger.takeLease("s", leaseOf(1)), ledger.commit(batchOf([writesOf("r", [2])]))]) {
      await expect(use).rejects.toMatchObject({ code: "ledger_failed", message: `The ledger ${file} is damaged.`, evidence: { path: file, sqliteCode: 11 } });
    }
    await ledger.close();
  });

  test("is not left open where its tables are gone", async () => {
    const file = await withOneRun();
    sql(file, "DROP TABLE facts");
    expect(refusalOf(() => sqliteLedger(file))).toMatchObject({ code: "ledger_failed", message: expect.stringContaining("no such table: facts") });
    await using child = startChild(takeForItself, [file]);
    expect(await child.heard()).toBe("taken");
  });
});
