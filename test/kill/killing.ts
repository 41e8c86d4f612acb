import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Fact, Outcome } from "../../src/index.ts";
import { sqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { latencyModel, type ProviderServer, providerServer } from "../../src/testing/index.ts";
import type { Errand } from "./victim.ts";

/** Runs that are killed for real, and resumed, and what must hold of each. */

export interface Killing {
  readonly file: string;
  readonly server: ProviderServer;
  readonly subtasks: number;
}

/** A fresh ledger file, and a provider that answers otherwise each time it is asked. */
export async function killing(subtasks: number, seed: number): Promise<Killing & AsyncDisposable> {
  const tasks = Array.from({ length: subtasks }, (_, n) => {
    // Every tenth builds on the one before.
    const after = n % 10 === 9 ? ` after="part-${n - 1}"` : "";
    return `<task id="part-${n}"${after}><type>part</type><description>Do part-${n}.</description></task>\n`;
  });
  const latency = latencyModel({ seed, firstTokenMs: { median: 30, sigma: 0.7 }, tokenMs: { median: 0.5, sigma: 0.5 } });
  let asked = 0;
  const server = await providerServer(
    ({ system, prompt }) => {
      const number = ++asked;
      const timing = (text: string, chunk: number): object => latency.timing(`${number}`, text, chunk);
      if (system.startsWith("Several workers")) return { text: `The answer, number ${number}.`, ...timing("", 8) };
      if (system.includes("You are the orchestrator")) {
        // Who is asked for the rest writes the rest.
        const standing = new Set(prompt.includes("Your plan broke off") ? [...prompt.matchAll(/id="(part-\d+)"/g)].map(([, id]) => id) : []);
        const text = `<tasks combine="merge">\n${tasks.filter((_, n) => !standing.has(`part-${n}`)).join("")}</tasks>`;
        return { text, chunkSize: 120, firstMs: 20, chunkMs: 2 };
      }
      const text = `Result of ${/Do (part-\d+)\./.exec(prompt)?.[1]}., number ${number}.`;
      return { text, ...timing(text, 8) };
    },
    { vary: false },
  );
  const file = join(mkdtempSync(join(tmpdir(), "divvy-kill-")), "runs.sqlite");
  return { file, server, subtasks, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

export interface Ended {
  readonly outcome: Outcome | undefined;
  readonly signal: NodeJS.Signals | null;
}

/** Carries the errand out in a process of its own. */
export function inProcess({ file, server }: Killing, errand: Partial<Errand>): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const whole: Errand = { file, baseUrl: server.openaiBaseUrl, ...errand };
  const child = spawn(process.execPath, [join(import.meta.dirname, "victim.ts"), JSON.stringify(whole)], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("close", (code, signal) => {
      if (signal === null && code !== 0) return reject(new Error(`The process failed (${code}): ${err}`));
      const outcome: Outcome | undefined = out === "" ? undefined : JSON.parse(out);
      resolve({ outcome, signal });
    });
  });
  return { child, ended };
}

/** What the file holds of its one run. */
export interface Kept {
  readonly runId: string | undefined;
  readonly facts: readonly Fact[];
  /** Texts of committed answers of workers, by subtask. */
  readonly answers: ReadonlyMap<string, string>;
}

export async function readKept({ file }: Killing): Promise<Kept> {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const db = new DatabaseSync(file);
  const answers = new Map<string, string>();
  for (const { answer } of db.prepare("SELECT answer FROM calls").all()) {
    const [text, id] = /Result of (part-\d+)\., number \d+\./.exec(String(answer)) ?? [];
    if (text !== undefined && id !== undefined) answers.set(id, text);
  }
  db.close();
  const ledger = sqliteLedger(file);
  const runId = (await ledger.listRuns())[0]?.runId;
  const facts = runId === undefined ? [] : await ledger.readFacts(runId);
  await ledger.close();
  return { runId, facts, answers };
}

/** Goes on until the run has its end, and holds what it became against what was kept at each death. */
export async function resumeAndCheck(one: Killing, deaths: readonly Kept[], name: string): Promise<void> {
  const last = deaths.at(-1);
  if (last?.runId === undefined) return;
  const { outcome } = await inProcess(one, { runId: last.runId }).ended;
  expect(outcome, name).toMatchObject({ status: "ok", coverage: { planned: one.subtasks, done: one.subtasks } });
  checkKept(outcome, deaths, name);
  const asked = askedFor(one);
  for (const { answers } of deaths) {
    // What was committed when the process died was asked for no more.
    for (const [id, text] of answers) expect(asked.get(id)?.at(-1), `${name}: ${id} was asked for again`).toBe(text);
  }
}

function checkKept(outcome: Outcome | undefined, deaths: readonly Kept[], name: string): void {
  const results = new Map(outcome?.results.map((result) => [result.id, result]));
  for (const { facts, answers } of deaths) {
    for (const [id, text] of answers) expect(results.get(id), name).toMatchObject({ result: text });
    for (const fact of facts) {
      if (fact.type === "subtask.planned") expect(results.get(fact.subtask.id), name).toMatchObject({ description: fact.subtask.description });
      if (fact.type === "subtask.finished") expect(results.get(fact.subtaskId), name).toMatchObject({ result: fact.result });
    }
  }
}

/** What the provider answered, in order, by subtask. */
function askedFor({ server }: Killing): Map<string, string[]> {
  const asked = new Map<string, string[]>();
  for (const [index, { prompt, system }] of server.requests.entries()) {
    const id = system.includes("You carry out one subtask") ? /Do (part-\d+)\./.exec(prompt)?.[1] : undefined;
    if (id !== undefined) asked.set(id, [...(asked.get(id) ?? []), `Result of ${id}., number ${index + 1}.`]);
  }
  return asked;
}
