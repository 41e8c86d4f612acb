import { afterEach, describe, expect, test, vi } from "vitest";
import { DivvyError } from "../../src/errors.ts";
import type { LedgerBatch } from "../../src/ledger/ledger.ts";
import { changeAsking, killed, once, type Sabotage, unsaid } from "./sabotage.ts";
import type { Schedule } from "./schedule.ts";

const nothing: LedgerBatch = { runs: [], calls: [] };
const takenOver = (schedule: Schedule): Schedule => ({
  ...schedule,
  lives: schedule.lives.map((life) => ({ ...life, takenOver: { at: { on: "ask", what: "commit", n: 5, done: true }, frozen: false } })),
});

const sabotages: readonly Sabotage[] = [
  {
    name: "knows no call",
    breaks: () => (ledger) => ({ ...ledger, readCall: async () => undefined }),
    says: [/call \d+ was made, though the answer to it was kept as that of call/, /\(worker .* left, though its answer was kept/],
    under: killed(8),
  },
  {
    name: "does not know what the orchestrator answered",
    breaks: () => (ledger) => ({ ...ledger, readCall: async () => undefined }),
    says: [/\(orchestrator .* left, though its answer was kept/],
    under: (schedule) => ({ ...killed(2)(schedule), direct: "auto", answers: 1 }),
  },
  {
    name: "loses one call that it committed",
    breaks: () => {
      const isFirst = once();
      return (ledger) => ({ ...ledger, commit: ({ runs, calls }) => ledger.commit({ runs, calls: calls.length > 0 && isFirst() ? [] : calls }) });
    },
    says: [/call \d+ .* left, though its answer was kept/],
    under: killed(6),
  },
  {
    name: "answers with another call's answer",
    breaks: () => {
      const keys: string[] = [];
      return (ledger) => ({
        ...ledger,
        commit: (batch) => {
          for (const { key } of batch.calls) keys.push(key);
          return ledger.commit(batch);
        },
        readCall: async (scope, key) => (keys.includes(key) ? await ledger.readCall(scope, keys[keys.indexOf(key) - 1] ?? key) : undefined),
      });
    },
    says: [/rests on call \d+, which was for something else/],
    under: killed(14),
  },
  {
    name: "takes what is written of a run that another has taken over",
    breaks: () => (ledger) => ({ ...ledger, commit: async (batch) => ({ ...(await ledger.commit(batch)), fenced: [] }) }),
    says: [/processes wrote to its log in turns/],
    under: takenOver,
  },
  {
    name: "says that a commit is written before it is, so that a crash loses it",
    breaks: () => (ledger, process) => {
      let promised = nothing;
      const keep = async (): Promise<void> => {
        const batch = promised;
        promised = nothing;
        if (!process.isDead) await ledger.commit(batch);
      };
      return {
        ...ledger,
        commit: async (batch) => {
          await keep();
          promised = batch;
          return { fenced: [] };
        },
        renewLease: async (runId, epoch, expiresAt) => {
          await keep();
          return await ledger.renewLease(runId, epoch, expiresAt);
        },
        readCall: async (scope, key) => {
          await keep();
          return await ledger.readCall(scope, key);
        },
      };
    },
    says: [/fact \d+ stands after \d+/, /call \d+ .* left, though its answer was kept/],
    under: killed(9),
  },
  {
    name: "writes what a run says before the answer that it says it of",
    breaks: () =>
      changeAsking((ledger) => {
        let calls: LedgerBatch["calls"] = [];
        return {
          ...ledger,
          commit: async (batch) => {
            const report = await ledger.commit({ runs: batch.runs, calls });
            calls = batch.calls;
            return report;
          },
        };
      }),
    says: [/is done by call \d+, whose answer is not kept yet/],
  },
  {
    name: "never gives a lease back",
    breaks: () => (ledger) => ({
      ...ledger,
      renewLease: async (runId, epoch, expiresAt) => expiresAt === 0 || (await ledger.renewLease(runId, epoch, expiresAt)),
    }),
    says: [/is being carried out by/],
  },
  {
    name: "never lets a lease end",
    breaks: () => (ledger) => ({
      ...ledger,
      readLease: async (runId) => {
        const lease = await ledger.readLease(runId);
        return lease && { ...lease, expiresAt: Number.POSITIVE_INFINITY };
      },
    }),
    says: [/ was held for ever/],
    under: (schedule) => ({ ...killed(5)(schedule), lives: killed(5)(schedule).lives.map((life) => ({ ...life, diesUnseen: true })) }),
  },
  {
    name: "hides from a process that another has taken over",
    breaks: () => changeAsking((ledger) => ({ ...ledger, commit: async (batch) => ({ ...(await ledger.commit(batch)), fenced: [] }) })),
    says: [/it was taken over, and says that it is/],
    under: takenOver,
  },
  {
    name: "keeps another record than it is told",
    breaks: () => (ledger) => ({
      ...ledger,
      commit: ({ runs, calls }) =>
        ledger.commit({ runs: runs.map(({ record, ...rest }) => ({ ...rest, record: { ...record, tokens: record.tokens + 1 } })), calls }),
    }),
    says: [/its record says/],
  },
  {
    name: "says that a run which is ok has failed",
    breaks: () => (ledger) => ({
      ...ledger,
      readRun: async (runId) => {
        const record = await ledger.readRun(runId);
        return record && { ...record, status: record.status === "ok" ? "failed" : record.status };
      },
      readFacts: async (runId) => {
        const facts = await ledger.readFacts(runId);
        const error = new DivvyError("nothing_done", "Nothing is done.").toJSON();
        return facts.map((fact) => (fact.type === "run.finished" ? { ...fact, outcome: { ...fact.outcome, status: "failed", error } } : fact));
      },
    }),
    says: [/resumed when it was ok, it wrote to its log/, /resumed when it was ok, it made calls/, /resumed when it was ok, it has another outcome/],
  },
  {
    name: "cannot be read where one answer is",
    breaks: () => {
      const bad = new Set<string>();
      return (ledger) => ({
        ...ledger,
        readCall: async (scope, key) => {
          if (bad.size === 0 || bad.has(key)) {
            bad.add(key);
            throw new DivvyError("ledger_failed", "It is damaged.");
          }
          return await ledger.readCall(scope, key);
        },
      });
    },
    says: [/in the end there are left: .* failed/],
    under: (schedule) => ({ ...schedule, isGiven: true, runs: 1, shared: false }),
  },
];

describe("a simulation notices a ledger that", () => {
  afterEach(() => void vi.restoreAllMocks());
  test.for(sabotages.map((sabotage) => [sabotage.name, sabotage] as const))("%s", { timeout: 60_000 }, async ([, sabotage]) => {
    expect(await unsaid(sabotage)).toEqual([]);
  });
});
