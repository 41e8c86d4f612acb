import { describe, expect, test } from "vitest";
import { aResult, aRun, rules } from "../../../test/call-fixture.ts";
import type { CallResult } from "../../calls/call.ts";
import { PlanBuilder } from "../../plan/plan-builder.ts";
import type { Planner } from "../../plan/planner.ts";
import type { Planned } from "../../subtask.ts";
import type { Past } from "./past.ts";
import { whereToGoOn } from "./plan-resumed.ts";

const planned = (id: string, ordinal: number): Planned => ({ subtask: { id, type: "t", description: `Do ${id}.`, dependsOn: [] }, ordinal, sample: 0 });
const reply = (...ids: string[]): string =>
  `<tasks combine="merge">${ids.map((id) => `<task id="${id}"><type>t</type><description>Do ${id}.</description></task>`).join("")}</tasks>`;

function aPlanner(): Planner {
  const nothing = (): void => undefined;
  return {
    calls: () => Promise.reject(new Error("unused")),
    run: aRun(),
    signal: new AbortController().signal,
    model: "m",
    settings: { maxOutputTokens: 100 },
    formatOptions: undefined,
    rules,
    messages: [{ role: "user", content: [{ type: "text", text: "t" }] }],
    format: "xml",
    direct: true,
    marks: {},
    sample: 0,
    completions: 2,
    builder: new PlanBuilder({ maxSubtasks: 20 }),
    sink: { onCombine: nothing, onSubtask: nothing, onAnswer: nothing, restartAnswer: nothing, mayRestartAnswer: () => true },
  };
}

/** Left in the middle of the answer to its first question. */
const left: Pick<Past, "question" | "questionOver" | "history" | "analysis" | "dropped" | "combine"> = {
  question: { number: 0, format: "xml", stood: 0 },
  questionOver: false,
  history: [planned("a", 0), planned("b", 1)],
  analysis: "",
  dropped: 0,
  combine: "merge",
};

async function goOn(change: Partial<typeof left>, recorded: CallResult | undefined, planner: Planner = aPlanner()) {
  const role = { model: "m", endpoint: "", settings: "", prompt: "" };
  const setup = { orchestrator: role, synthesizer: role, workers: { default: role }, planFormat: "xml", direct: true, maxSubtasks: 20 } as const;
  const rest = {
    request: { task: "t", context: "" },
    setup,
    sharedCache: undefined,
    budget: undefined,
    concurrency: 1,
    given: undefined,
    plan: undefined,
    round: 1,
    look: undefined,
    approval: undefined,
    declined: [],
    ends: new Map(),
    unjudged: new Set<string>(),
    begun: new Set<string>(),
    delivered: new Map(),
    open: [],
    badAnswers: 0,
    outcome: undefined,
  };
  const from = await whereToGoOn(planner, { ...rest, planned: [], ...left, ...change }, () => Promise.resolve(recorded));
  return { ...from, stands: planner.builder.planned.map(({ subtask }) => subtask.id) };
}

describe("a plan that broke off in a crash", () => {
  test("is read again where its reply is recorded, and that is what it was read from", async () => {
    expect(await goOn({}, aResult(reply("a", "b", "c")))).toMatchObject({ number: 0, asksForRest: false, stands: [] });
  });

  test("stands, and its rest is asked for, where nothing is recorded", async () => {
    expect(await goOn({}, undefined)).toMatchObject({ number: 1, asksForRest: true, stands: ["a", "b"] });
  });

  test("stands, and its rest is asked for, where another reply to the same question is recorded", async () => {
    expect(await goOn({}, aResult(reply("x", "b", "c")))).toMatchObject({ number: 1, asksForRest: true, stands: ["a", "b"] });
    expect(await goOn({}, aResult(reply("a")))).toMatchObject({ number: 1, asksForRest: true, stands: ["a", "b"] });
  });

  test("is asked for in the same words where nothing of it was read", async () => {
    expect(await goOn({ history: [] }, undefined)).toMatchObject({ number: 0, asksForRest: false, stands: [] });
  });

  test("is read again over what stood before the question", async () => {
    const question = { number: 1, format: "xml", stood: 1 } as const;
    expect(await goOn({ question }, aResult(reply("a", "b", "c")))).toMatchObject({ number: 1, asksForRest: false, stands: ["a"] });
  });

  test("is read again where a further round has written a subtask anew", async () => {
    const planner = aPlanner();
    planner.builder.restore([planned("a", 0), planned("b", 1)], 0);
    planner.builder.openRound({ number: 2, maxSubtasks: 20, replaceable: new Set(["a"]) });
    const anew: Planned = { subtask: { id: "a", type: "t", description: "Do it otherwise.", dependsOn: [] }, ordinal: 0, sample: 0, round: 2 };
    const again = '<tasks combine="merge"><task id="a"><type>t</type><description>Do it otherwise.</description></task></tasks>';
    const change = { question: { number: 0, format: "xml", stood: 2 }, history: [...left.history, anew] } as const;
    expect(await goOn(change, aResult(again), planner)).toMatchObject({ number: 0, asksForRest: false });
  });
});
