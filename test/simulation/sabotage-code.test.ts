import { afterEach, describe, expect, test, vi } from "vitest";
import { DivvyError } from "../../src/errors.ts";
import type { Improved, Improving } from "../../src/evaluation/improve.ts";
import type { TryVerdict } from "../../src/evaluation/verdict.ts";
import { BudgetPool } from "../../src/governor/budget-pool.ts";
import { functionModel } from "../../src/role.ts";
import { calm, changeAsking, changeEvent, killed, type Sabotage, unsaid } from "./sabotage.ts";
import type { Schedule } from "./schedule.ts";

const trying = vi.hoisted(() => ({
  /** Changes what is written, judged and written again. */
  before: <Work>(improving: Improving<Work>): Improving<Work> => improving,
  /** Changes what is kept of it, of which the first try is shown. */
  after: <Work>(improved: Improved<Work>, _first: Work | undefined, _verdict: TryVerdict | undefined): Improved<Work> => improved,
}));
vi.mock(import("../../src/evaluation/improve.ts"), async (original) => {
  const { improve, ...rest } = await original();
  return {
    ...rest,
    improve: async <Work>(improving: Improving<Work>): Promise<Improved<Work>> => {
      let first: Work | undefined;
      let verdict: TryVerdict | undefined;
      const { write, onVerdict, ...changed } = trying.before(improving);
      const improved = await improve({
        ...changed,
        write: async (before) => {
          const work = await write(before);
          first ??= work;
          return work;
        },
        onVerdict: (said) => {
          verdict ??= said;
          onVerdict(said);
        },
      });
      return trying.after(improved, first, verdict);
    },
  };
});

const judged: Partial<Schedule> = {
  judge: "code",
  codeIsJudged: true,
  code: "idempotent",
  budgets: [],
  rerun: false,
  subtasks: 15,
  direct: "never",
  answers: 0,
};
const judging = (schedule: Schedule): Schedule => ({ ...calm(schedule), ...judged });
const dying = (schedule: Schedule): Schedule => ({ ...killed(12)(schedule), ...judged, copies: 0, judge: "a model" });

/** Who goes on with a run does not hear of what was delivered. */
function forgetDeliveries(): void {
  changeAsking((ledger) => ({ ...ledger, readFacts: async (runId) => (await ledger.readFacts(runId)).filter(({ type }) => type !== "subtask.delivered") }));
}

const sabotages: readonly Sabotage[] = [
  {
    name: "is run again for what it had delivered",
    breaks: forgetDeliveries,
    says: [/begins anew when it has delivered 1 times/],
    under: dying,
  },
  {
    name: "is run again and again for what it had delivered",
    breaks: () => changeEvent("subtask.started", (event) => (event.model === functionModel ? [] : [event])),
    says: [/the code for .* was run \d+ times/, /the code for .* begins before its log says so/],
    under: (schedule) => ({ ...killed(8)(schedule), ...judged, copies: 0 }),
  },
  {
    name: "has delivered what is lost",
    breaks: forgetDeliveries,
    says: [/ was delivered, and is failed/],
    under: (schedule) => ({ ...dying(schedule), code: "once" }),
  },
  {
    name: "is not said to have delivered",
    breaks: () => changeEvent("subtask.delivered", () => []),
    says: [/ took 2 tries, and was delivered 0 times/, /is told of a try that there was not/],
    under: judging,
  },
  {
    name: "delivers to nobody",
    breaks: () =>
      changeEvent("subtask.started", (event) => [
        event,
        ...(event.model === functionModel ? [{ type: "subtask.delivered" as const, subtaskId: event.subtaskId, result: "It is so." }] : []),
      ]),
    says: [/ was delivered to a judge, and there is none/],
    under: (schedule) => ({ ...judging(schedule), codeIsJudged: false }),
  },
  {
    name: "is asked more often than it may",
    breaks: () => {
      trying.before = (improving) => ({ ...improving, maxAttempts: 9 });
    },
    says: [/ was delivered 4 times/, / took 4 tries/, /begins anew when it has delivered 3 times/],
    under: judging,
  },
  {
    name: "is told of another verdict",
    breaks: () => {
      trying.before = (improving) => ({
        ...improving,
        write: async (before) => await improving.write(before && { ...before, verdict: { score: 0, reasons: "It is not blue." } }),
      });
    },
    says: [/is told of .*It is not blue.*, it delivered/],
    under: judging,
  },
  {
    name: "has its first try kept, and not its best",
    breaks: () => {
      trying.after = ({ work, evaluation }, first) => ({ work: first ?? work, evaluation });
    },
    says: [/ is Computed .*, the best that was delivered is Computed/],
    under: judging,
  },
  {
    name: "has the score of its first try, and not of its best",
    breaks: () => {
      trying.after = ({ work, evaluation }, _, verdict) => ({
        work,
        evaluation: { ...evaluation, ...(verdict && { score: verdict.score, reasons: verdict.reasons }) },
      });
    },
    says: [/ has the score .*, its best try has /],
    under: judging,
  },
  {
    name: "is not tried again, for no reason",
    breaks: () => {
      const error = new DivvyError("not_repeatable", "Not twice.").toJSON();
      trying.after = ({ work, evaluation }) => ({ work, evaluation: { ...evaluation, error } });
    },
    says: [/is not tried again, though nobody had begun with that/],
    under: judging,
  },
  {
    name: "begins when the time of its run is over",
    breaks: () => void vi.spyOn(BudgetPool.prototype, "outOfTime", "get").mockReturnValue(undefined),
    says: [/begins when the time of its run is over/],
    under: (schedule) => ({ ...judging(schedule), budgets: [{ seconds: 5 }, undefined], areRaised: false }),
  },
  {
    name: "begins with something else than its log says",
    breaks: () => changeEvent("subtask.planned", (event) => [{ ...event, subtask: { ...event.subtask, description: "Do something else." } }]),
    says: [/begins before a log says what it is for/],
    under: judging,
  },
];

describe("a simulation notices judged code that", () => {
  afterEach(() => {
    [trying.before, trying.after] = [(improving) => improving, (improved) => improved];
    vi.restoreAllMocks();
  });
  test.for(sabotages.map((sabotage) => [sabotage.name, sabotage] as const))("%s", { timeout: 60_000 }, async ([, sabotage]) => {
    expect(await unsaid(sabotage)).toEqual([]);
  });
});
