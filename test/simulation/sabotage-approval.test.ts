import { afterEach, describe, expect, test, vi } from "vitest";
import { RunTime } from "../../src/orchestrator/run-time.ts";
import { calm, changeEvent, killed, type Sabotage, unsaid } from "./sabotage.ts";
import type { Schedule } from "./schedule.ts";

const asking = vi.hoisted(() => ({ is: "sound" as "sound" | "never" | "always" }));
vi.mock(import("../../src/orchestrator/planning/approval-phase.ts"), async (original) => {
  const real = await original();
  return {
    ...real,
    approvalOf: (setup) => (asking.is === "sound" ? real.approvalOf(setup) : asking.is === "always" ? setup.approval : undefined),
  };
});

const log = vi.hoisted(() => ({ rests: true }));
vi.mock(import("../../src/ledger/keep-run.ts"), async (original) => {
  const { ownRun, ...rest } = await original();
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    ...rest,
    ownRun: async (...asked) => {
      const owned = await ownRun(...asked);
      return log.rests ? owned : { ...owned, open: (onBroken) => ({ ...owned.open(onBroken), rest: nothing, takeOn: nothing }) };
    },
  };
});

const approved = (schedule: Schedule): Schedule => ({ ...calm(schedule), approves: true, direct: "never", isGiven: false, budgets: [] });
const nothing = { kind: "subtasks", analysis: "", combine: "keep", subtasks: [] } as const;

const sabotages: readonly Sabotage[] = [
  {
    name: "starts what nobody has approved",
    breaks: () => {
      asking.is = "never";
    },
    says: [/ starts before its plan is approved/, /an attempt of worker leaves before the plan is approved/],
    under: approved,
  },
  {
    name: "asks again for what was given",
    breaks: () => {
      asking.is = "always";
    },
    says: [/approval is asked for that was given/, /approval is given twice/],
    under: (schedule) => ({ ...approved(schedule), lives: killed(8)(schedule).lives }),
  },
  {
    name: "asks the orchestrator though its plan is approved",
    breaks: () => changeEvent("approval.declined", () => [{ type: "approval.given", plan: nothing, edited: false }]),
    says: [/the orchestrator is asked though its plan is approved/],
    under: approved,
  },
  {
    name: "goes on while somebody is asked",
    breaks: () => changeEvent("approval.requested", (event) => [event, { type: "plan.opened", combine: "keep" }]),
    says: [/plan\.opened \(\d+\) while it waits for approval/],
    under: approved,
  },
  {
    name: "holds its run while somebody is asked",
    breaks: () => {
      log.rests = false;
    },
    says: [/ waits for approval, and is held/],
    under: approved,
  },
  {
    name: "counts the time for which somebody was waited for",
    breaks: () => void vi.spyOn(RunTime.prototype, "pausedMs", "get").mockReturnValue(0),
    says: [/it says that it took \d+ ms, and was carried out for/],
    under: approved,
  },
];

describe("a simulation notices an approval that", () => {
  afterEach(() => {
    asking.is = "sound";
    log.rests = true;
    vi.restoreAllMocks();
  });
  test.for(sabotages.map((sabotage) => [sabotage.name, sabotage] as const))("%s", { timeout: 60_000 }, async ([, sabotage]) => {
    expect(await unsaid(sabotage)).toEqual([]);
  });
});
