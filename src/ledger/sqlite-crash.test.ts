import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startChild } from "./ledger-child-fixture.ts";
import { commitOnAndOn } from "./ledger-child-work-fixture.ts";
import { leaseOf, seqsOf, writesOf } from "./ledger-fixture.ts";
import type { Ledger } from "./ledger.ts";
import { newFiles } from "./new-files-fixture.ts";
import { sqliteLedger } from "./sqlite-ledger.ts";

const newFile = newFiles();
const upTo = (end: number): number[] => Array.from({ length: end }, (_, n) => n);

interface Said {
  readonly commits: number;
  /** How long the write-ahead log was then. */
  readonly bytes: number;
}

/** Has a process commit to a file, and kills it when it has said so many times that it did. */
async function killAfter(file: string, commits: number, atMost: number): Promise<Said[]> {
  await using child = startChild(commitOnAndOn, [file, atMost]);
  const said: Said[] = [];
  while (said.length < commits) said.push(JSON.parse((await child.heard()) ?? "") as Said);
  child.process.kill("SIGKILL");
  await child.ended();
  for (const line of await child.rest()) said.push(JSON.parse(line) as Said);
  return said;
}

/** How many commits a ledger holds. Each is there whole or not at all, and none without those before it. */
async function commitsIn(ledger: Ledger): Promise<number> {
  const commits = (await ledger.readFacts("b")).length;
  expect(await seqsOf(ledger, "b")).toEqual(upTo(commits));
  expect(await seqsOf(ledger, "a")).toEqual(upTo(2 * commits));
  const calls = await Promise.all(upTo(commits + 1).map((n) => ledger.readCall("a", `call ${n}`)));
  expect(calls.map((answer) => answer !== undefined)).toEqual(upTo(commits + 1).map((n) => n < commits));
  const records = [await ledger.readRun("a"), await ledger.readRun("b")];
  expect(records.map((record) => record?.calls ?? 0)).toEqual([commits, commits]);
  return commits;
}

describe("a ledger whose process was killed", () => {
  test("holds every commit that was said to be one, in whole commits, one crash after another", async () => {
    const file = newFile();
    let said = 0;
    for (const more of [1, 7, 20, 33]) {
      said = (await killAfter(file, more, 1_000)).at(-1)?.commits ?? 0;
      const ledger = sqliteLedger(file);
      // One more may have been committed, and not been said.
      expect([said, said + 1]).toContain(await commitsIn(ledger));
      await ledger.close();
    }
    expect(said).toBeGreaterThanOrEqual(61);
  });
});

describe("a ledger whose last writes did not all reach the disk", async () => {
  const commits = 50;
  const file = newFile();
  const said = await killAfter(file, commits, commits);
  const [whole, log] = [readFileSync(file), readFileSync(`${file}-wal`)];

  /** Opens what a crash would have left, if only so many bytes of the log had been written as they were. */
  const commitsAfter = async (cut: number, rest: Uint8Array): Promise<number> => {
    const folder = `${newFile()}.d`;
    mkdirSync(folder);
    const copy = join(folder, "ledger.sqlite");
    writeFileSync(copy, whole);
    writeFileSync(`${copy}-wal`, Buffer.concat([log.subarray(0, cut), rest]));
    const ledger = sqliteLedger(copy);
    const found = await commitsIn(ledger);
    if (cut % 20 === 0) {
      // It can be gone on with.
      const epoch = ((await ledger.readLease("b"))?.epoch ?? 0) + 1;
      await ledger.takeLease("b", leaseOf(epoch));
      expect(await ledger.commit({ runs: [writesOf("b", [found], { epoch })], calls: [] })).toEqual({ fenced: [] });
    }
    await ledger.close();
    rmSync(folder, { recursive: true });
    return found;
  };
  const wholeAt = (cut: number): number => said.filter(({ bytes }) => bytes <= cut).length;
  const cuts = (count: number): number[] => upTo(count).map((n) => Math.floor((log.length * n) / (count - 1)));

  test("was cut where there was something to lose", () => {
    expect(said.map(({ commits: n }) => n)).toEqual(upTo(commits).map((n) => n + 1));
    expect(log.length).toBe(said.at(-1)?.bytes);
  });

  test("opens, and holds every commit before the cut and none after it, for 500 cuts of its log", { timeout: 120_000 }, async () => {
    const found = new Set<number>();
    for (const cut of cuts(500)) {
      const kept = await commitsAfter(cut, new Uint8Array());
      expect(kept, `cut at ${cut}`).toBe(wholeAt(cut));
      found.add(kept);
    }
    expect([...found]).toEqual(upTo(commits + 1));
  });

  test("takes nothing for written that is not as it was written", { timeout: 60_000 }, async () => {
    const wrong = log.map((byte) => ~byte);
    for (const cut of cuts(100)) expect(await commitsAfter(cut, wrong.subarray(cut)), `wrong from ${cut}`).toBe(wholeAt(cut));
  });
});
