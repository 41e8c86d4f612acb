import { once } from "node:events";
import type { EmbeddingModelV4 } from "@ai-sdk/provider";
import { z } from "zod";
import { type ApprovePlan, FlexibleOrchestrator, type Fact, type Ledger, type LedgerBatch, type Outcome, type Runtime } from "../../src/index.ts";
import { type ErrorData, toDivvyError } from "../../src/errors.ts";
import { isDead, thisProcess } from "../../src/ledger/process-identity.ts";
import { sqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { systemRuntime, timeOfDay } from "../../src/runtime.ts";
import { anew, type Approver } from "./scenes.ts";

/** A process that carries a run out and is killed on the way: by itself at a certain write, or by its parent at any instant. */

/** What is written: a fact of this type, an answer that was paid for, or a lease. */
export type WriteKind = Fact["type"] | "call" | "lease.taken" | "lease.taken_over" | "lease.renewed" | "lease.released";

export interface Death {
  readonly kind: WriteKind;
  /** The write that holds the so manieth of the kind that this process writes. */
  readonly nth: number;
  readonly when: "before" | "after";
}

/** What the parent asks for, as JSON in the first argument. */
export interface Errand {
  readonly file: string;
  readonly baseUrl: string;
  /** The budget that a run is started with: calls that it may make. One that is gone on with may make as many as it likes. */
  readonly calls: number;
  /** Its results and its answer are judged. @default false */
  readonly judged?: boolean;
  /** Its results and its answer have a form. @default false */
  readonly formed?: boolean;
  /** Tokens of the synthesizer's window. @default what most have */
  readonly contextTokens?: number;
  /** Rounds of its plan. @default 1 */
  readonly rounds?: number;
  /** Looks for a plan of an earlier run. @default false */
  readonly looksUp?: boolean;
  /** Each part has two tries. @default false */
  readonly sampled?: boolean;
  /** Who approves its plan. @default nobody is asked */
  readonly approval?: Approver;
  /** Set to go on with a run. */
  readonly runId?: string;
  /** Set to die at a write. */
  readonly die?: Death;
  /** Tells of every write on stderr, a line each. */
  readonly tells?: boolean;
  /** All its timers go off so many times sooner; below 1, later. @default 1 */
  readonly haste?: number;
  /** How far ahead its clock is of all others'. @default 0 */
  readonly aheadMs?: number;
  /** Says that it is there, and begins when it is told to. */
  readonly waits?: boolean;
}

/** What it says at its end. */
export type Said = { readonly outcome: Outcome } | { readonly error: ErrorData };

function kindsOf({ runs, calls }: LedgerBatch): WriteKind[] {
  return [...runs.flatMap(({ facts }) => facts.map(({ type }) => type)), ...calls.map(() => "call" as const)];
}

/** The ledger, with something done around each write. */
function watched(ledger: Ledger, around: <T>(kinds: readonly WriteKind[], write: () => Promise<T>) => Promise<T>): Ledger {
  return {
    ...ledger,
    commit: (batch) => around(kindsOf(batch), () => ledger.commit(batch)),
    takeLease: (runId, lease) => around([lease.epoch === 1 ? "lease.taken" : "lease.taken_over"], () => ledger.takeLease(runId, lease)),
    renewLease: (runId, epoch, expiresAt) => around([expiresAt === 0 ? "lease.released" : "lease.renewed"], () => ledger.renewLease(runId, epoch, expiresAt)),
  };
}

function deadly(ledger: Ledger, die: Death): Ledger {
  let seen = 0;
  const kill = (): void => void process.kill(process.pid, "SIGKILL");
  return watched(ledger, async (kinds, write) => {
    const before = seen;
    seen += kinds.filter((kind) => kind === die.kind).length;
    const isIt = before < die.nth && seen >= die.nth;
    if (isIt && die.when === "before") kill();
    const done = await write();
    if (isIt) kill();
    return done;
  });
}

function hasty(haste: number): Runtime {
  const { clock } = systemRuntime;
  return { ...systemRuntime, clock: { ...clock, setTimer: (ms, fn) => clock.setTimer(ms / haste, fn) } };
}

const output = z.object({ text: z.string() });

const embed: EmbeddingModelV4 = {
  specificationVersion: "v4",
  provider: "double",
  modelId: "vectors",
  maxEmbeddingsPerCall: 1,
  supportsParallelCalls: true,
  doEmbed: async () => ({ embeddings: [[1]], warnings: [] }),
};

const approvers: Readonly<Record<Approver, ApprovePlan>> = {
  rejects: async () => "reject",
  /** Sends the first plan back; of the next, the last part shall build on the first. */
  edits: async (plan) => {
    if (!plan.analysis.includes(anew)) return { feedback: "Otherwise, please." };
    const [first] = plan.subtasks;
    const subtasks = plan.subtasks.map((one, index) => (first && index === plan.subtasks.length - 1 ? { ...one, dependsOn: [first.id] } : one));
    return { ...plan, subtasks };
  },
};

const evaluate = { criteria: "It is better.", threshold: 0.8 };

async function carryOut({
  file,
  baseUrl,
  calls,
  judged = false,
  formed = false,
  contextTokens,
  rounds,
  looksUp = false,
  sampled = false,
  approval,
  runId,
  die,
  tells = false,
  haste = 1,
  aheadMs = 0,
}: Errand): Promise<Said> {
  try {
    const store = sqliteLedger(file);
    const told = tells
      ? watched(store, async (kinds, write) => {
          process.stderr.write(`${kinds.join("\n")}\n`);
          return await write();
        })
      : store;
    const long = 600_000 * haste;
    const orchestrator = new FlexibleOrchestrator(
      {
        model: "openai-compatible:double",
        worker: { ...(judged && { evaluate }), ...(formed && { output }), ...(sampled && { samples: 2 }) },
        synthesizer: { ...(judged && { evaluate }), ...(formed && { output }), ...(contextTokens !== undefined && { contextTokens }) },
        ...(looksUp && { planCache: { embed, threshold: 0.9 } }),
        ...(approval && { approvePlan: approvers[approval] }),
        limits: { subtasks: 1_000, ...(rounds !== undefined && { rounds }) },
        concurrency: 1_000,
        retry: { backoffMs: 1 },
        timeout: { workerMs: long, orchestratorMs: long, synthesizerMs: long, idleMs: long, runMs: long },
        ledger: die === undefined ? told : deadly(told, die),
      },
      {
        models: { env: { OPENAI_COMPATIBLE_BASE_URL: baseUrl } },
        identity: { owner: thisProcess(), isDead, now: () => timeOfDay() + aheadMs },
        ...(haste !== 1 && { runtime: hasty(haste) }),
      },
    );
    const run =
      runId === undefined ? orchestrator.start("Do all parts.", "", { budget: { calls } }) : await orchestrator.resume(runId, { budget: { calls: 1_000_000 } });
    return { outcome: await run.outcome };
  } catch (thrown) {
    return { error: toDivvyError(thrown).toJSON() };
  }
}

if (process.argv[2] !== undefined) {
  const errand: Errand = JSON.parse(process.argv[2]);
  if (errand.waits === true) {
    process.stdout.write("waits\n");
    await once(process.stdin, "data");
    process.stdin.destroy();
  }
  process.stdout.write(`${JSON.stringify(await carryOut(errand))}\n`);
}
