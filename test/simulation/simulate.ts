import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { memoryLedger } from "../../src/ledger/memory-ledger.ts";
import { sqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { lookBack } from "./aftermath.ts";
import { metIn } from "./coverage.ts";
import { lifeOf } from "./lives.ts";
import { raised } from "./drawn-budgets.ts";
import { calmLife, type Schedule } from "./schedule.ts";
import { Scene, type SceneOptions } from "./scene.ts";

/** What came of one simulation. */
export interface Simulated {
  readonly seed: number;
  /** What must not be, and was. */
  readonly faults: readonly string[];
  readonly calls: number;
  /** What it met with, as `wanted.ts` names it. */
  readonly met: readonly string[];
  /** Of all that happened, in order. */
  readonly digest: string;
}

export interface Report extends Simulated {
  /** How the runs ended the first time that they came to an end, and the last; `none` where nothing of one was kept. */
  readonly first: readonly string[];
  readonly last: readonly string[];
  readonly crashes: number;
  readonly takeovers: number;
  /** What processes died at that they asked of the ledger. */
  readonly deaths: readonly string[];
}

/** Carries out one schedule to its end, over as many lives as it takes, and looks whether all that must hold does. */
export async function simulate(schedule: Schedule, options: SceneOptions = {}): Promise<Report> {
  const ledgers = schedule.onSqlite ? onSqlite() : inMemory();
  const scene = new Scene(schedule, ledgers.open, options);
  const { faults, lives, runs } = scene;
  try {
    // Two calm lives in the end: in the first, one that was taken over may still be about.
    const last = { ...calmLife, newTotal: schedule.areRaised ? raised : undefined };
    for (const plan of [...schedule.lives, last, last]) {
      await lifeOf(scene, plan);
      if (scene.left.length === 0) break;
    }
    await lookBack(scene);
  } catch (thrown) {
    faults.push(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  } finally {
    await ledgers.close();
  }
  const outcomes = runs.map(({ runId }) => scene.outcomesOf(runId));
  return {
    seed: schedule.seed,
    faults,
    first: outcomes.map(([first]) => first?.status ?? "none"),
    last: outcomes.map((all) => all.at(-1)?.status ?? "none"),
    crashes: lives.filter(({ process }) => process.isDead).length,
    takeovers: lives.filter(({ isLeft }) => isLeft).length,
    calls: scene.asked.length,
    met: metIn(scene),
    deaths: lives.flatMap(({ process }) => process.diedAt ?? []),
    digest: scene.digest,
  };
}

interface Ledgers {
  /** The ledger, opened once more. */
  readonly open: () => Ledger;
  readonly close: () => Promise<void>;
}

function inMemory(): Ledgers {
  const ledger = memoryLedger();
  return { open: () => ledger, close: () => ledger.close() };
}

/** Each process has a connection of its own. */
function onSqlite(): Ledgers {
  const folder = mkdtempSync(join(tmpdir(), "divvy-simulation-"));
  const opened: Ledger[] = [];
  const open = (): Ledger => {
    const ledger = sqliteLedger(join(folder, "ledger.db"));
    opened.push(ledger);
    return ledger;
  };
  const close = async (): Promise<void> => {
    for (const ledger of opened) await ledger.close();
    rmSync(folder, { recursive: true });
  };
  return { open, close };
}
