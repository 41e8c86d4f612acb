import type { SQLOutputValue } from "node:sqlite";
import { DivvyError } from "../errors.ts";
import type { Fact } from "../events.ts";
import { isParsed, isRecord, type Json } from "../json.ts";
import type { Lease, LeaseOwner, PlanVector, RunRecord } from "./ledger.ts";

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** Reads rows back as what was written. What is that no more is damage: left out in silence, it would be a hole in a log. */
export interface RowReader {
  readonly fact: (row: Row) => Fact;
  readonly record: (row: Row) => RunRecord;
  readonly answer: (row: Row) => Json;
  readonly lease: (row: Row) => Lease;
  readonly plan: (row: Row) => PlanVector;
}

export function rowReader(path: string): RowReader {
  const damaged = (what: string): DivvyError => {
    const hint = "Move the file away and keep it; a new one is made by the next run.";
    return new DivvyError("ledger_failed", `The ledger ${path} is damaged: ${what} cannot be read.`, { hint, evidence: { path } });
  };
  const read = <T>(text: SQLOutputValue | undefined, is: (value: unknown) => value is T, what: string): T => {
    const value = parsed(text);
    if (is(value)) return value;
    throw damaged(what);
  };
  return {
    fact: (row) => read(row["fact"], isFact, `fact ${String(row["seq"])} of the run ${String(row["run_id"])}`),
    record: (row) => read(row["record"], isRunRecord, `the record of the run ${String(row["run_id"])}`),
    answer: (row) => read(row["answer"], isParsed, `a call of ${String(row["scope"])}`),
    lease: ({ run_id: runId, epoch, expires_at: expiresAt, owner }) =>
      read(JSON.stringify({ epoch, expiresAt, owner: parsed(owner) }), isLease, `the lease of the run ${String(runId)}`),
    plan: ({ run_id: runId, plan_group: group, kept_at: keptAt, vector }) => {
      if (typeof runId !== "string" || typeof group !== "string" || typeof keptAt !== "number" || !(vector instanceof Uint8Array) || vector.length % 4 > 0)
        throw damaged(`the plan of the run ${String(runId)}`);
      // A copy: where its bytes begin is nobody's promise.
      return { runId, group, keptAt, vector: new Float32Array(vector.slice().buffer) };
    },
  };
}

/** Undefined, which no JSON stands for, where it cannot be parsed. */
function parsed(text: SQLOutputValue | undefined): unknown {
  if (typeof text !== "string") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isFact(value: unknown): value is Fact {
  return isRecord(value) && typeof value["type"] === "string" && typeof value["seq"] === "number" && typeof value["runId"] === "string";
}

function isRunRecord(value: unknown): value is RunRecord {
  return isRecord(value) && typeof value["runId"] === "string" && typeof value["status"] === "string" && typeof value["startedAt"] === "number";
}

function isLease(value: unknown): value is Lease {
  return isRecord(value) && typeof value["epoch"] === "number" && typeof value["expiresAt"] === "number" && isOwner(value["owner"]);
}

function isOwner(value: unknown): value is LeaseOwner {
  return isRecord(value) && typeof value["pid"] === "number" && ["host", "space", "startTime"].every((name) => typeof value[name] === "string");
}
