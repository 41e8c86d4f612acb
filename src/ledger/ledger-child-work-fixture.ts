import { rmSync, statSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { DatabaseSync } from "node:sqlite";
import { DivvyError } from "../errors.ts";
import { sleep, systemClock, timeOfDay } from "../runtime.ts";
import { holdRun } from "./lease-keeper.ts";
import { batchOf, factOf, leaseOf, recordOf, writesOf, writesOfEachKind } from "./ledger-fixture.ts";
import { writerOf } from "./ledger-writer.ts";
import { patiently } from "./patience.ts";
import { isDead, thisProcess } from "./process-identity.ts";
import { RunLog } from "./run-log.ts";
import { sqliteLedger } from "./sqlite-ledger.ts";

/** What tests have other processes do. Each says on a line of its own what it has done. */

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Not imported: one of these functions runs where there is none. */
function sqlite(file: string): DatabaseSync {
  return new (process.getBuiltinModule("node:sqlite").DatabaseSync)(file);
}

function codeOf(thrown: unknown): string {
  return thrown instanceof DivvyError ? thrown.code : String(thrown);
}

/** Makes or opens each of the files at the same time as others do; says how that went. */
export async function openTogether(files: readonly string[], startAt: number, everyMs: number): Promise<void> {
  for (const [n, file] of files.entries()) {
    while (timeOfDay() < startAt + n * everyMs) await sleep(systemClock, 1);
    try {
      const ledger = sqliteLedger(file);
      const call = { scope: "shared:pids", key: String(process.pid), answer: true };
      await patiently(systemClock, () => ledger.commit({ runs: [], calls: [call] }));
      await ledger.close();
    } catch (thrown) {
      say(codeOf(thrown));
    }
  }
  say("done");
}

/** Says whether SQLite lets this process have the file for itself, as nobody may while another has it open. */
export async function takeForItself(file: string): Promise<void> {
  const db = sqlite(file);
  try {
    db.exec("PRAGMA journal_mode = DELETE");
    say("taken");
  } catch {
    say("refused");
  } finally {
    db.close();
  }
}

/** Reads from the file and does not finish, for as long as it is told. */
export async function keepReading(file: string, ms: number): Promise<void> {
  const db = sqlite(file);
  db.exec("BEGIN; SELECT * FROM sqlite_schema");
  say("reading");
  await sleep(systemClock, ms);
  db.close();
}

/** Opens a ledger; says how it went. */
export async function openOnce(file: string): Promise<void> {
  try {
    await sqliteLedger(file).close();
    say("opened");
  } catch (thrown) {
    say(thrown instanceof DivvyError ? thrown.message : String(thrown));
  }
}

/** Writes until no more can be written, then tries every kind of write, and says how each went; then again, when some space is free. */
export async function writeUntilFull(file: string, ballast: string): Promise<void> {
  // Without this, the system would end a process that makes a file larger than it may.
  process.on("SIGXFSZ", () => undefined);
  writeFileSync(ballast, "x".repeat(200_000));
  const ledger = sqliteLedger(file);
  await ledger.takeLease("r", leaseOf(1));
  let kept = -1;
  await untilRefused(async () => {
    await ledger.commit(batchOf([{ ...writesOf("r", []), facts: [factOf("r", kept + 1, "x".repeat(3_000))] }]));
    kept++;
  });
  // The smallest of all writes, until not even that has room.
  let end = 9_000;
  await untilRefused(() => ledger.renewLease("r", 1, end++));
  say(JSON.stringify({ kept }));
  for (const [kind, write] of Object.entries(writesOfEachKind)) say(JSON.stringify({ kind, ...(await endOf(write(ledger, kept + 1))) }));
  say(JSON.stringify({ read: (await ledger.readFacts("r")).length }));
  rmSync(ballast);
  for (const [kind, write] of Object.entries(writesOfEachKind)) say(JSON.stringify({ kind, again: await endOf(write(ledger, kept + 1)) }));
  say(JSON.stringify({ read: (await ledger.readFacts("r")).length }));
}

async function untilRefused(write: () => Promise<unknown>): Promise<void> {
  try {
    for (;;) await write();
  } catch {
    return;
  }
}

async function endOf(write: Promise<unknown>): Promise<{ readonly code: string; readonly sqliteCode?: number }> {
  try {
    await write;
    return { code: "ok" };
  } catch (thrown) {
    const sqliteCode = thrown instanceof DivvyError ? thrown.evidence?.sqliteCode : undefined;
    return { code: codeOf(thrown), ...(sqliteCode !== undefined && { sqliteCode }) };
  }
}

/** Owns the run "r" in the ledger, and writes to it what it is told: "fact", or "call" and a key. Says what became of it. */
export async function ownAndWrite(file: string): Promise<void> {
  const ledger = sqliteLedger(file);
  const held = await holdRun(ledger, "r", { owner: thisProcess(), isDead, now: timeOfDay }, systemClock, () => undefined);
  const writer = writerOf(ledger, systemClock);
  const log = new RunLog(recordOf("r"), held.epoch, writer, ({ code }) => say(`broken: ${code}`));
  let seq = (await ledger.readFacts("r")).length;
  say(`holds ${held.epoch}`);
  for await (const line of createInterface({ input: process.stdin })) {
    const [what, key = ""] = line.split(" ");
    if (what === "call") {
      await writer.writeCall({ scope: "r", key, answer: "paid" });
      say(`paid ${key}`);
    } else {
      log.append(factOf("r", seq, `by epoch ${held.epoch}`), recordOf("r"));
      await log.committed().then(
        () => say(`wrote ${seq++}`),
        (thrown: unknown) => say(`refused: ${codeOf(thrown)}`),
      );
    }
  }
}

/**
 * Commits as it goes: two facts and a record of "a", one of "b", and a call, at once. Says when each is committed, and how long
 * the log of what is to be changed then is.
 */
export async function commitOnAndOn(file: string, commits: number): Promise<void> {
  const ledger = sqliteLedger(file);
  const done = (await ledger.readFacts("b")).length;
  const epoch = ((await ledger.readLease("a"))?.epoch ?? 0) + 1;
  for (const runId of ["a", "b"]) await ledger.takeLease(runId, leaseOf(epoch));
  for (let n = done; n < commits; n++) {
    const runs = [writesOf("a", [2 * n, 2 * n + 1], { epoch, calls: n + 1 }), writesOf("b", [n], { epoch, calls: n + 1 })];
    await ledger.commit(batchOf(runs, [{ scope: "a", key: `call ${n}`, answer: "paid ".repeat(n % 50) }]));
    say(JSON.stringify({ commits: n + 1, bytes: statSync(`${file}-wal`).size }));
  }
  // Not closed: it is killed.
  await sleep(systemClock, 60_000);
}
