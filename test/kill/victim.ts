import { FlexibleOrchestrator, type Ledger, type LedgerBatch } from "../../src/index.ts";
import { sqliteLedger } from "../../src/ledger/sqlite-ledger.ts";

/** A process that carries a run out and is killed on the way: by itself at a certain write, or by its parent at any instant. */

/** What the parent asks for, as JSON in the first argument. */
export interface Errand {
  readonly file: string;
  readonly baseUrl: string;
  /** Set to go on with a run. */
  readonly runId?: string;
  /** Set to die at a write: the nth that holds something of this kind (a fact's type, or "call"), before or after it is done. */
  readonly die?: { readonly kind: string; readonly nth: number; readonly when: "before" | "after" };
}

/** The kinds of what a batch writes, each as often as it is in it. */
function kindsOf({ runs, calls }: LedgerBatch): string[] {
  return [...runs.flatMap(({ facts }) => facts.map(({ type }) => type)), ...calls.map(() => "call")];
}

function deadly(ledger: Ledger, die: Errand["die"]): Ledger {
  if (die === undefined) return ledger;
  let seen = 0;
  const kill = (): void => void process.kill(process.pid, "SIGKILL");
  return {
    ...ledger,
    commit: async (batch) => {
      const before = seen;
      seen += kindsOf(batch).filter((kind) => kind === die.kind).length;
      const isIt = before < die.nth && seen >= die.nth;
      if (isIt && die.when === "before") kill();
      const report = await ledger.commit(batch);
      if (isIt) kill();
      return report;
    },
  };
}

if (process.argv[2] !== undefined) {
  const errand: Errand = JSON.parse(process.argv[2]);
  const orchestrator = new FlexibleOrchestrator(
    {
      model: "openai-compatible:double",
      limits: { subtasks: 1_000 },
      concurrency: 1_000,
      retry: { backoffMs: 1 },
      ledger: deadly(sqliteLedger(errand.file), errand.die),
    },
    { models: { env: { OPENAI_COMPATIBLE_BASE_URL: errand.baseUrl } } },
  );
  const run = errand.runId === undefined ? orchestrator.start("Do all parts.") : await orchestrator.resume(errand.runId);
  process.stdout.write(`${JSON.stringify(await run.outcome)}\n`);
}
