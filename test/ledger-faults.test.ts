import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test } from "vitest";
import { DivvyError, type Fact, FlexibleOrchestrator, type Ledger, type Outcome, type Run } from "../src/index.ts";
import { openLedgerFile } from "../src/ledger/sqlite-file.ts";
import { ledgerOn, sqliteLedger } from "../src/ledger/sqlite-ledger.ts";
import { scriptedModel, type ScriptedModel, type VirtualClock, virtualClock } from "../src/testing/index.ts";
import { testRuntime } from "../src/testing/virtual-clock.ts";

/** What becomes of whole runs whose ledger breaks at each thing that it is asked for, in SQLite itself. */

const folder = mkdtempSync(join(tmpdir(), "divvy-faults-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

/** How the ledger breaks; it stays so until the process is gone. */
const kinds = {
  full: "ledger_failed",
  "read-only": "ledger_failed",
  "held by another process": "ledger_busy",
  silent: "ledger_busy",
} as const;
type Kind = keyof typeof kinds;

/** At what it breaks; reading goes on where nothing can be written, and then the next write ends it. A release is a renewal to an end that is past. */
const moments = ["takeLease", "the first commit", "a later commit", "renewLease", "release", "readCall", "readFacts"] as const;
type Moment = (typeof moments)[number];

interface Breakable {
  readonly ledger: Ledger;
  /** Whether it has come to that. */
  broken(): boolean;
  /** What it has resolved for. */
  readonly facts: Fact[];
  /** As another process finds the file when this one is gone. */
  end(): Promise<void>;
}

function breakable(file: string, moment: Moment, kind: Kind): Breakable {
  const db = openLedgerFile(file);
  // Time is not real here; the file's own patience would be.
  db.exec("PRAGMA busy_timeout = 0");
  const [store, other] = [ledgerOn(db, file), new DatabaseSync(file)];
  const facts: Fact[] = [];
  const seen = new Map<string, number>();
  let isBroken = false;
  const breaks: Readonly<Record<Kind, () => void>> = {
    full: () => db.exec(`PRAGMA max_page_count = ${Number(db.prepare("PRAGMA page_count").get()?.["page_count"])}`),
    "read-only": () => db.exec("PRAGMA query_only = ON"),
    "held by another process": () => other.exec("BEGIN IMMEDIATE"),
    silent: () => undefined,
  };
  const isAt = (method: string): boolean => {
    const n = (seen.get(method) ?? 0) + 1;
    seen.set(method, n);
    if (method === "commit") return n === (moment === "the first commit" ? 1 : 3) && moment.endsWith("commit");
    return method === moment && n === (method === "readCall" ? 2 : 1);
  };
  const ask = <T>(method: string, work: () => Promise<T>): Promise<T> => {
    if (!isBroken && isAt(method)) {
      isBroken = true;
      breaks[kind]();
    }
    return isBroken && kind === "silent" ? new Promise<never>(() => undefined) : work();
  };
  const ledger: Ledger = {
    ...store,
    takeLease: (...args) => ask("takeLease", () => store.takeLease(...args)),
    renewLease: (runId, epoch, end) => ask(end === 0 ? "release" : "renewLease", () => store.renewLease(runId, epoch, end)),
    readCall: (...args) => ask("readCall", () => store.readCall(...args)),
    readFacts: (...args) => ask("readFacts", () => store.readFacts(...args)),
    commit: async (batch) => {
      const report = await ask("commit", () => store.commit(batch));
      for (const run of batch.runs) facts.push(...run.facts);
      return report;
    },
  };
  return {
    ledger,
    facts,
    broken: () => isBroken,
    end: async () => {
      other.close();
      await store.close();
    },
  };
}

/** So long that each needs pages of its own. */
const long = "x".repeat(20_000);
const plan = `<tasks combine="merge">
<task id="facts"><type>facts</type><description>List the facts. ${long}</description></task>
<task id="story"><type>story</type><description>Tell the story.</description></task>
<task id="end" after="facts"><type>end</type><description>Write the end.</description></task>
</tasks>`;

interface Life {
  readonly orchestrator: FlexibleOrchestrator;
  readonly clock: VirtualClock;
  /** What its model was asked for, in order. */
  asked(): string[];
}

function nameOf({ system, prompt }: { readonly system: string; readonly prompt: string }): string {
  if (system.includes("You are the orchestrator")) return "plan";
  if (system.startsWith("Several workers")) return "answer";
  return /Your subtask \((\w+)/.exec(prompt)?.[1] ?? "?";
}

let lives = 0;

/** A process in a time of its own. The story takes three quarters of a minute, and where it `fails`, it does so in the end. */
function life(ledger: Ledger, { fails = false }: { readonly fails?: boolean } = {}): Life {
  const pid = ++lives;
  const clock = virtualClock(pid * 10_000_000);
  const model: ScriptedModel = scriptedModel(
    (call) => {
      const name = nameOf(call);
      if (name === "plan") return plan;
      if (name === "story" && fails) return { firstMs: 1_000, fault: { kind: "status", status: 400 } };
      return { text: `${name} in life ${pid}. ${long}`, chunkSize: 10_000, firstMs: name === "story" ? 45_000 : 1_000 };
    },
    { clock },
  );
  const owner = { pid, host: "here", space: "s", startTime: "1" };
  const world = { runtime: { ...testRuntime({ clock }), newId: () => `run-${pid}` }, identity: { owner, isDead: () => true, now: clock.now } };
  return { clock, orchestrator: new FlexibleOrchestrator({ model, ledger }, world), asked: () => model.calls.map(nameOf) };
}

/** Lets time pass until it is done. Of what a store can do, nothing takes longer than some minutes. */
async function over<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  const state = { isOver: false };
  const end = (): void => {
    state.isOver = true;
  };
  work.then(end, end);
  for (let waited = 0; !state.isOver; waited += 1_000) {
    if (waited > 240_000) throw new Error("It hangs.");
    await clock.advance(1_000);
  }
  return await work;
}

/** A run's end, or the code with which it could not go on. */
async function ended({ clock }: Life, run: Promise<Run>): Promise<Outcome | string> {
  try {
    return await over(clock, (await over(clock, run)).outcome);
  } catch (thrown) {
    if (thrown instanceof DivvyError) return thrown.code;
    throw thrown;
  }
}

function codeOf(end: Outcome | string): string {
  if (typeof end === "string") return end;
  return "error" in end ? end.error.code : end.status;
}

/**
 * All that an end says of what went wrong. Where a small write still fits and a large one does not, it is a subtask that lacks its
 * answer; where only the end of a run that is not done whole could not be kept, a notice.
 */
function saidIn(end: Outcome | string): string[] {
  if (typeof end === "string") return [end];
  const notices = end.coverage.notices.map(({ code }) => code);
  return [codeOf(end), ...end.results.flatMap((one) => (one.status === "failed" ? one.error.code : [])), ...notices];
}

/** What workers were paid for and is kept, by subtask, as it begins: "facts in life 1.". */
function committed(file: string): ReadonlyMap<string, string> {
  using db = new DatabaseSync(file);
  const paid = new Map<string, string>();
  for (const { answer } of db.prepare("SELECT answer FROM calls").all()) {
    const [text, id] = /(facts|story|end) in life \d+\. /.exec(String(answer)) ?? [];
    if (text !== undefined && id !== undefined) paid.set(id, text);
  }
  return paid;
}

/** Goes on with what the broken ledger has left, and holds that nothing was lost and nothing is paid again. */
async function goOn(file: string, runId: string, { facts }: Breakable): Promise<void> {
  const ledger = sqliteLedger(file);
  const paid = committed(file);
  const kept = await ledger.readFacts(runId);
  expect(kept.map(({ seq }) => seq)).toEqual(expect.arrayContaining(facts.map(({ seq }) => seq)));
  const next = life(ledger);
  const isThere = kept.length > 0;
  const end = await ended(next, isThere ? next.orchestrator.resume(runId) : Promise.resolve(next.orchestrator.start("t")));
  expect(codeOf(end)).toBe("ok");
  const asked = next.asked();
  if (kept.some(({ type }) => type === "plan.finished")) expect(asked).not.toContain("plan");
  for (const [id, text] of paid) {
    expect(asked).not.toContain(id);
    const result = typeof end === "string" ? undefined : end.results.find((one) => one.id === id);
    expect(result).toMatchObject({ status: "done", result: expect.stringContaining(text) });
  }
  if (isThere) expect((await ledger.readFacts(runId)).slice(0, kept.length)).toEqual(kept);
  await ledger.close();
}

const cases = (of: readonly Moment[]): (readonly [Moment, Kind])[] =>
  of.flatMap((moment) =>
    Object.keys(kinds)
      .filter(isKind)
      .map((kind) => [moment, kind] as const),
  );

function isKind(name: string): name is Kind {
  return name in kinds;
}

/** Only what is kept already is read. */
const ofStarts = moments.filter((moment) => moment !== "readFacts");

describe("a run", () => {
  test.each(cases(ofStarts))("whose ledger breaks at %s, and is %s from then on, ends with that, and is gone on with", async (moment, kind) => {
    const file = join(folder, `${++files}.sqlite`);
    const broken = breakable(file, moment, kind);
    const first = life(broken.ledger);
    const run = first.orchestrator.start("t");
    const end = await ended(first, Promise.resolve(run));
    expect([broken.broken(), first.clock.pending]).toEqual([true, 0]);
    expect(saidIn(end)).toContain(moment === "release" ? "ok" : kinds[kind]);
    await broken.end();
    await goOn(file, run.runId, broken);
  });

  test.each(cases(moments))(
    "that is resumed, and whose ledger breaks at %s, and is %s from then on, ends with that, and is gone on with",
    async (moment, kind) => {
      const file = join(folder, `${++files}.sqlite`);
      const ledger = sqliteLedger(file);
      const first = life(ledger, { fails: true });
      const { runId } = await over(first.clock, first.orchestrator.orchestrate("t"));
      await ledger.close();

      const broken = breakable(file, moment, kind);
      const second = life(broken.ledger);
      const end = await ended(second, second.orchestrator.resume(runId));
      expect([broken.broken(), second.clock.pending]).toEqual([true, 0]);
      const isLate = moment === "readCall" && kind === "silent";
      expect(saidIn(end)).toContain(moment === "release" ? "ok" : isLate ? "not_saved" : kinds[kind]);
      await broken.end();
      await goOn(file, runId, broken);
    },
  );
});
