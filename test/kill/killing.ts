import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Fact } from "../../src/index.ts";
import { isRecord } from "../../src/json.ts";
import { sqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { latencyModel, type ProviderServer, providerServer } from "../../src/testing/index.ts";
import { type Ask, askFrom, replyTo, type Scene } from "./scenes.ts";
import type { Errand, Said } from "./victim.ts";

/** Runs whose processes are killed for real. */

export interface Killing extends AsyncDisposable {
  readonly scene: Scene;
  readonly file: string;
  readonly server: ProviderServer;
  /** In the order in which they came. */
  readonly asks: readonly Ask[];
  /** Processes that are gone, in their order. */
  readonly lives: Life[];
}

/** What one process did, or several that went at it at once. */
export interface Life {
  /** How many of them may have carried the run out. */
  readonly carriers: number;
  /** How many asks had come before it began, and when it was gone. */
  readonly from: number;
  readonly to: number;
  /** What was kept when it was gone. */
  readonly kept: Kept;
}

/** What the file holds of its one run. */
export interface Kept {
  readonly runId: string | undefined;
  readonly facts: readonly Fact[];
  /** Answers that were paid for, by the number of their ask. */
  readonly answers: ReadonlyMap<number, string>;
}

/** A fresh ledger file, and a provider. `hold` says for which asks the answer waits, and for what. */
export async function killing(
  scene: Scene,
  seed: number,
  hold: (ask: Omit<Ask, "isAnswered">) => Promise<void> | undefined = () => undefined,
): Promise<Killing> {
  const latency = latencyModel({ seed, firstTokenMs: { median: 30, sigma: 0.7 }, tokenMs: { median: 0.5, sigma: 0.5 } });
  const asks: Ask[] = [];
  const server = await providerServer(
    async (call) => {
      const ask = askFrom(call);
      const { reply, isAnswered } = replyTo(scene, ask, call);
      asks.push({ ...ask, isAnswered });
      await hold(ask);
      return {
        ...(ask.role === "plan" || ask.role === "replan" ? { chunkSize: 120, firstMs: 20, chunkMs: 2 } : latency.timing(`${ask.n}`, reply.text ?? "", 8)),
        ...reply,
      };
    },
    { vary: false },
  );
  const file = join(mkdtempSync(join(tmpdir(), "divvy-kill-")), "runs.sqlite");
  const close = async (): Promise<void> => {
    await server.close();
    await rm(dirname(file), { recursive: true, force: true });
  };
  return { scene, file, server, asks, lives: [], [Symbol.asyncDispose]: close };
}

export interface Ended {
  /** Nothing where it was killed. */
  readonly said: Said | undefined;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  /** Resolves when it waits to be told to begin. */
  readonly waits: Promise<void>;
  readonly ended: Promise<Ended>;
}

/** Carries the errand out in a process of its own. */
export function start({ file, server, scene }: Killing, errand: Partial<Errand>): Started {
  const whole: Errand = {
    file,
    baseUrl: server.openaiBaseUrl,
    calls: scene.calls ?? 1_000_000,
    judged: scene.judged ?? false,
    formed: scene.formed ?? false,
    looksUp: scene.looksUp ?? false,
    sampled: scene.sampled ?? false,
    ...(scene.approval && { approval: scene.approval }),
    ...(scene.contextTokens !== undefined && { contextTokens: scene.contextTokens }),
    ...(scene.later !== undefined && { rounds: 2 }),
    ...errand,
  };
  const child = spawn(process.execPath, [join(import.meta.dirname, "victim.ts"), JSON.stringify(whole)], {
    stdio: ["pipe", "pipe", "pipe"],
    // Hundreds of processes, all of the same code.
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "divvy-kill-code") },
  });
  // One that is killed does not read what it was told last.
  child.stdin.on("error", () => undefined);
  let [out, stderr] = ["", ""];
  const { promise: waits, resolve: nowWaits } = Promise.withResolvers<void>();
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    if (out.startsWith("waits\n")) nowWaits();
  });
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (signal === null && code !== 0) return reject(new Error(`The process failed (${code}): ${stderr}`));
      const said: Said | undefined = signal === null ? JSON.parse(out.replace("waits\n", "")) : undefined;
      resolve({ said, signal, stderr });
    });
  });
  return { child, waits, ended };
}

/** Waits until all that go at the run now are gone, and notes what they did. */
export async function lifeOf(one: Killing, started: readonly Started[], carriers = 1): Promise<{ readonly ends: readonly Ended[]; readonly life: Life }> {
  const from = one.lives.at(-1)?.to ?? 0;
  const ends = await Promise.all(started.map(({ ended }) => ended));
  // What a dead process had sent is still read.
  do await pause(5);
  while (one.server.openSockets > 0);
  const life = { carriers, from, to: one.asks.length, kept: await readKept(one) };
  one.lives.push(life);
  return { ends, life };
}

/** The whole life of one process. */
export async function live(one: Killing, errand: Partial<Errand>): Promise<Ended & Life> {
  const { ends, life } = await lifeOf(one, [start(one, errand)]);
  const [ended] = ends;
  if (ended === undefined) throw new Error("Nobody lived.");
  return { ...ended, ...life };
}

export async function readKept({ file }: Killing): Promise<Kept> {
  // Opened first, since it makes the file where that is not there.
  const ledger = sqliteLedger(file);
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const db = new DatabaseSync(file);
  const texts = db
    .prepare("SELECT answer FROM calls")
    .all()
    .map(({ answer }) => textIn(JSON.parse(String(answer))));
  db.close();
  const runId = (await ledger.listRuns())[0]?.runId;
  const facts = runId === undefined ? [] : await ledger.readFacts(runId);
  await ledger.close();
  return { runId, facts, answers: new Map(texts.map((text) => [Number(/#(\d+)#/.exec(text)?.[1]), text])) };
}

function textIn(answer: unknown): string {
  const content: unknown[] = isRecord(answer) && Array.isArray(answer["content"]) ? answer["content"] : [];
  return content.map((part) => (isRecord(part) && part["type"] === "text" ? String(part["text"]) : "")).join("");
}
