import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Ledger, RunRecord } from "../ledger/ledger.ts";
import { memoryLedger } from "../ledger/memory-ledger.ts";
import { ledgerConformance } from "./ledger-conformance.ts";

/** A store that does one thing wrong. */
type Fault = (store: Ledger) => Partial<Ledger>;

/** Shadows what is recorded of runs, as a store does that writes records without looking at the lease. */
const anyRecord: Fault = (store) => {
  const records = new Map<string, RunRecord>();
  return {
    commit: async (batch) => {
      const report = await store.commit(batch);
      for (const { runId, record } of batch.runs) if (report.fenced.includes(runId)) records.set(runId, record);
      return report;
    },
    readRun: async (runId) => records.get(runId) ?? (await store.readRun(runId)),
  };
};

const faults: Readonly<Record<string, readonly [failed: string, fault: Fault]>> = {
  "replaces the record of a run that was taken over": [
    "leaves out the facts and the record of a run that was taken over, names it, and writes the rest of the batch",
    anyRecord,
  ],
  "takes an epoch above the lease's": [
    "writes no facts under an epoch that nobody has taken yet",
    (store) => ({
      commit: async (batch) => {
        const runs = await Promise.all(
          batch.runs.map(async (run) => ({ ...run, epoch: Math.min(run.epoch, (await store.readLease(run.runId))?.epoch ?? run.epoch) })),
        );
        return await store.commit({ ...batch, runs });
      },
    }),
  ],
  "refuses an empty batch": [
    "takes an empty batch, and reports nothing",
    (store) => ({ commit: (batch) => (batch.runs.length + batch.calls.length === 0 ? Promise.reject(new Error("nothing to write")) : store.commit(batch)) }),
  ],
  "keeps the last of two answers in a batch": [
    "keeps the first of two answers to one call in one batch",
    (store) => ({ commit: (batch) => store.commit({ ...batch, calls: batch.calls.toReversed() }) }),
  ],
  "loses a commit that comes while another is under way": [
    "takes commits of several runs at once, each whole",
    (store) => {
      let underWay = 0;
      return {
        commit: async (batch) => {
          if (underWay++ > 0) return { fenced: [] };
          await setImmediate();
          underWay = 0;
          return await store.commit(batch);
        },
      };
    },
  ],
  "takes calls of runs that it does not know": [
    "takes calls of shared caches without any run, and those of a run that it knows; others are left out",
    (store) => {
      const calls = new Map<string, Awaited<ReturnType<Ledger["readCall"]>>>();
      return {
        commit: async (batch) => {
          for (const { scope, key, answer } of batch.calls) if (!calls.has(`${scope} ${key}`)) calls.set(`${scope} ${key}`, answer);
          return await store.commit(batch);
        },
        readCall: async (scope, key) => calls.get(`${scope} ${key}`) ?? (await store.readCall(scope, key)),
      };
    },
  ],
  "removes a run whoever has it": [
    "forgets no run that has changed hands since it was looked at",
    (store) => ({ removeRun: async (runId) => await store.removeRun(runId, (await store.readLease(runId))?.epoch ?? 0) }),
  ],
  "lists what it likes where it is asked for no number of runs": [
    "refuses to list a number of runs that is none, and takes the largest",
    (store) => ({ listRuns: ({ limit = 100, ...query } = {}) => store.listRuns({ ...query, limit: Math.max(0, Math.trunc(limit) || 0) }) }),
  ],
  "does not go by the beginning of an id": [
    "lists runs by the beginning of their ids, to the letter, with all else that is asked",
    (store) => ({ listRuns: ({ idPrefix: _, ...query } = {}) => store.listRuns(query) }),
  ],
  "takes letters of either case for one": [
    "lists runs by the beginning of their ids, to the letter, with all else that is asked",
    (store) => ({
      listRuns: async ({ idPrefix = "", ...query } = {}) =>
        (await store.listRuns(query)).filter(({ runId }) => runId.toLowerCase().startsWith(idPrefix.toLowerCase())),
    }),
  ],
  "goes on when it is closed": ["refuses everything once it is closed, but being closed again", () => ({ close: () => Promise.resolve() })],
};

test.each(Object.entries(faults))("a store that %s does not pass", async (_, [failed, fault]) => {
  const open = (): Ledger => {
    const store = memoryLedger();
    return { ...store, ...fault(store) };
  };
  const found = ledgerConformance(open).find(({ name }) => name === failed);
  await expect(found?.run()).rejects.toThrow();
  // The very case passes without the fault.
  await ledgerConformance(() => memoryLedger())
    .find(({ name }) => name === failed)
    ?.run();
});
