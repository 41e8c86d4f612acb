import { describe, expect, test } from "vitest";
import { z } from "zod";
import { twoTasks } from "../../test/all-roles.ts";
import { embeddingModel } from "../../test/embedding-fixture.ts";
import { verdictBy } from "../../test/preferring.ts";
import { type DoubleCall, type ScriptedModel, scriptedModel } from "../testing/index.ts";
import { compare, type CompareOptions, type CompareProgress } from "./compare.ts";

const merge = twoTasks.replace("keep", "merge");
const isOneCall = ({ system }: Pick<DoubleCall, "system">): boolean => system.startsWith("You answer a request");

/** A model that answers at once where it is asked so, and plays all roles else. */
function model(comparison: (call: DoubleCall) => string = (call) => verdictBy(call, () => 0)): ScriptedModel {
  return scriptedModel(
    [
      { when: "You answer a request", reply: { text: "the one answer", usage: { inputTokens: 10, outputTokens: 10 } } },
      { when: "You are the orchestrator", reply: merge },
      { when: "You carry out one subtask", reply: ({ n }) => `part ${n}` },
      { when: "Several workers each", reply: "the joined answer" },
      { when: "You compare two texts", reply: comparison },
    ],
    { vary: false },
  );
}

const prefers =
  (words: string) =>
  (call: DoubleCall): string =>
    verdictBy(call, (text) => (text.includes(words) ? 1 : 0));

async function compared(asked: ScriptedModel, options: CompareOptions = {}): ReturnType<typeof compare> {
  const role = { model: asked, id: "m", price: { input: 1, output: 10 } };
  return await compare("Describe the bottle", { orchestrator: { orchestrator: role, worker: role, synthesizer: role, retry: { backoffMs: 0 } }, ...options });
}

describe("a task done both ways", () => {
  test("has both answers side by side, with calls, tokens, cost and time of each", async () => {
    const asked = model();
    const { tasks, figures, conclusion, stopped } = await compared(asked);
    expect(stopped).toBeUndefined();
    expect(tasks).toMatchObject([
      {
        task: "Describe the bottle",
        tries: [
          {
            one: { status: "ok", text: "the one answer", calls: 1, tokens: 20, cost: expect.closeTo(0.00011, 8) },
            divided: { status: "ok", text: "the joined answer", calls: 4 },
          },
        ],
      },
    ]);
    expect(tasks[0]?.tries[0]).not.toHaveProperty("verdict");
    expect(figures).toMatchObject({ tries: 1, one: { calls: 1 }, divided: { calls: 4 } });
    expect(conclusion).toMatch(/^Dividing takes .* times the cost and .* the time of one call\. Whether its answers are better, nobody judged\.$/);
  });

  test("is one call with a plain prompt, which has the request in a fence and knows nothing of parts", async () => {
    const asked = model();
    await compared(asked, { context: "A steel bottle." });
    const [one] = asked.calls.filter(isOneCall);
    expect(asked.calls.filter(isOneCall)).toHaveLength(1);
    expect(one?.prompt).toMatch(/<context-[0-9a-f]{32}>\nA steel bottle\.\n[^]*<request-[0-9a-f]{32}>\nDescribe the bottle\n/);
    expect(`${one?.system}${one?.prompt}`).not.toMatch(/subtask|worker|orchestrator/i);
    expect(one?.maxOutputTokens).toBe(16_384);
  });

  test("has the answer's form both ways, where there is one", async () => {
    const said = (text: string): string => JSON.stringify({ slogan: text });
    const asked = scriptedModel(
      [
        { when: "You answer a request", reply: said("one") },
        { when: "You are the orchestrator", reply: merge },
        { when: "You carry out one subtask", reply: "a part" },
        { when: "Several workers each", reply: said("joined") },
      ],
      { vary: false },
    );
    const { tasks, stopped } = await compare("t", { orchestrator: { model: asked, synthesizer: { output: z.object({ slogan: z.string() }) } } });
    expect(stopped).toBeUndefined();
    expect(tasks[0]?.tries).toMatchObject([{ one: { text: said("one") }, divided: { text: said("joined") } }]);
  });

  test("is always divided, though the orchestrator might answer by itself", async () => {
    const asked = model();
    await compared(asked);
    expect(asked.calls[0]?.system).not.toContain("<answer>");
  });
});

test("each try is planned anew, whatever the orchestrator's plan cache", async () => {
  const asked = model();
  const embed = embeddingModel();
  const { figures } = await compare("Describe the bottle", { tries: 2, orchestrator: { model: asked, planCache: { embed, threshold: 0 } } });
  expect(figures).toMatchObject({ tries: 2, divided: { calls: 4 } });
  expect(embed.texts).toEqual([]);
});

describe("judged", () => {
  test.each([
    ["joined", "divided"],
    ["one", "one"],
    ["neither", "tie"],
  ] as const)("by who prefers %j: %s wins, whatever place it has, and judging counts for neither side", async (words, winner) => {
    const asked = model(prefers(words));
    const { tasks, figures, judging } = await compared(asked, { judge: true, tries: 2 });
    expect(tasks[0]?.tries.map(({ verdict }) => verdict?.winner)).toEqual([winner, winner]);
    expect(figures?.share).toMatchObject({ wins: winner === "divided" ? 2 : 0, ties: winner === "tie" ? 2 : 0, losses: winner === "one" ? 2 : 0 });
    expect(figures).toMatchObject({ tries: 2, one: { calls: 1 }, divided: { calls: 4 } });
    expect(judging.calls).toBe(4);
  });

  test("by who goes by the place: a tie", async () => {
    const { tasks } = await compared(
      model(() => JSON.stringify({ reasons: "", better: "first" })),
      { judge: true },
    );
    expect(tasks[0]?.tries[0]?.verdict?.winner).toBe("tie");
  });

  test("by another model, where one is named", async () => {
    const judge = scriptedModel([{ when: "You compare", reply: (call) => prefers("joined")(call) }], { vary: false });
    const { tasks } = await compared(model(), { judge: { model: judge, id: "judge" } });
    expect([tasks[0]?.tries[0]?.verdict?.winner, judge.calls.length]).toEqual(["divided", 2]);
  });

  test("without a verdict the figures stand, and it is said", async () => {
    const { tasks, conclusion } = await compared(
      model(() => "Hm."),
      { judge: true },
    );
    expect(tasks[0]?.tries[0]).toMatchObject({ judgeError: { code: "no_verdict" }, one: { text: "the one answer" } });
    expect(conclusion).toContain("nobody judged");
  });
});

describe("a judge who cannot judge", () => {
  test.each<[string, (asked: ScriptedModel) => CompareOptions]>([
    [
      "is named",
      (asked) => ({ judge: { model: scriptedModel([]), id: "judge" }, orchestrator: { orchestrator: { model: asked, price: { input: 1, output: 10 } } } }),
    ],
    ["is the orchestrator's model", (asked) => ({ judge: true, orchestrator: { model: asked } })],
  ])("since the budget is in dollars and it has no price: nothing is asked, where it %s", async (_, optionsOf) => {
    const asked = model();
    await expect(compare("t", { ...optionsOf(asked), budget: { usd: 1 } })).rejects.toMatchObject({ code: "unknown_price" });
    expect(asked.calls).toEqual([]);
  });

  test("since the provider refuses the key: the try that was paid stands, and no further one is paid", async () => {
    const judge = scriptedModel([{ when: "", reply: { fault: { kind: "status", status: 401, body: "no" } } }]);
    const { tasks, figures, stopped } = await compared(model(), { judge: { model: judge, id: "judge" }, tries: 3 });
    expect(tasks[0]?.tries).toMatchObject([{ one: { text: "the one answer" }, judgeError: { code: "authentication" } }]);
    expect(figures?.tries).toBe(1);
    expect(stopped).toMatchObject({ code: "authentication" });
  });

  test("of two texts may of the next two", async () => {
    let asked = 0;
    const judge = scriptedModel([{ when: "", reply: () => (++asked <= 4 ? "Hm." : JSON.stringify({ reasons: "", better: "tie" })) }], { vary: false });
    const { tasks, stopped } = await compared(model(), { judge: { model: judge, id: "judge" }, tries: 2 });
    expect(tasks[0]?.tries).toMatchObject([{ judgeError: { code: "no_verdict" } }, { verdict: { winner: "tie" } }]);
    expect(stopped).toBeUndefined();
  });
});

describe("several tasks", () => {
  test("have figures each, and over all of them, and what is done is told", async () => {
    const told: CompareProgress[] = [];
    const role = model(prefers("joined"));
    const { tasks, figures } = await compare(["A", "B"], { orchestrator: { model: role }, judge: true, onProgress: (one) => told.push(one) });
    expect(tasks.map(({ task, figures }) => [task, figures?.share?.wins])).toEqual([
      ["A", 1],
      ["B", 1],
    ]);
    expect(figures).toMatchObject({ tries: 2, share: { wins: 2 } });
    expect(told.map(({ task, doing }) => `${task} ${doing}`)).toEqual(["1 divided", "1 one", "1 judging", "2 divided", "2 one", "2 judging"]);
  });
});

test("a way that comes to no answer is counted, and its figures are of the tries in which it did", async () => {
  let asked = 0;
  const failing = scriptedModel(
    [
      { when: "You answer a request", reply: { text: "the one answer", usage: { inputTokens: 10, outputTokens: 10 } } },
      { when: "You are the orchestrator", reply: () => (++asked === 1 ? merge : { fault: { kind: "status", status: 400, body: "no" } }) },
      { when: "You carry out one subtask", reply: "a part" },
      { when: "Several workers each", reply: "the joined answer" },
    ],
    { vary: false },
  );
  const { figures, conclusion } = await compared(failing, { tries: 3 });
  expect(figures).toMatchObject({ tries: 3, one: { unanswered: 0, calls: 1 }, divided: { unanswered: 2, calls: 4 } });
  expect(conclusion).toMatch(/^Dividing takes .* Divided, 2 of 3 tries came to no answer\.$/);
});

describe("what ends it early", () => {
  test("a budget is one for all: what is there up to then stands, and a try that it cut is not counted", async () => {
    const asked = model();
    const { tasks, figures, stopped } = await compared(asked, { tries: 5, budget: { calls: 12 } });
    // Five calls a try; of the third there is not enough for the workers.
    expect(tasks[0]?.tries).toHaveLength(2);
    expect(figures?.tries).toBe(2);
    expect(stopped).toMatchObject({ code: "budget_exhausted" });
    expect(asked.calls.length).toBeLessThanOrEqual(12);
  });

  test("a budget that is used up by judging leaves both answers, unjudged", async () => {
    const { tasks, figures, stopped, conclusion } = await compared(model(), { tries: 5, judge: true, budget: { calls: 6 } });
    expect(tasks[0]?.tries).toMatchObject([
      { one: { text: "the one answer" }, divided: { text: "the joined answer" }, judgeError: { code: "budget_exhausted" } },
    ]);
    expect(figures?.tries).toBe(1);
    expect(conclusion).toContain("nobody judged");
    expect(stopped).toMatchObject({ code: "budget_exhausted", message: "The budget of the comparison is used up." });
  });

  test("that is stopped while two answers are judged keeps both, unjudged", async () => {
    const controller = new AbortController();
    const onProgress = ({ try: number, doing }: CompareProgress): void => (number === 2 && doing === "judging" ? controller.abort() : undefined);
    const { tasks, figures, stopped } = await compared(model(), { tries: 3, judge: true, signal: controller.signal, onProgress });
    expect(tasks[0]?.tries).toMatchObject([
      { verdict: {} },
      { one: { text: "the one answer" }, divided: { text: "the joined answer" }, judgeError: { code: "aborted" } },
    ]);
    expect(figures?.tries).toBe(2);
    expect(stopped).toMatchObject({ code: "aborted" });
  });

  test("that is stopped before it begins says so, with nothing compared", async () => {
    const { tasks, stopped } = await compared(model(), { tries: 3, signal: AbortSignal.abort() });
    expect(tasks).toMatchObject([{ tries: [] }]);
    expect(stopped).toMatchObject({ code: "aborted" });
  });

  test("so does whoever stops it", async () => {
    const controller = new AbortController();
    const onProgress = ({ try: number }: CompareProgress): void => (number === 2 ? controller.abort() : undefined);
    const { tasks, stopped, conclusion } = await compared(model(), { tries: 3, signal: controller.signal, onProgress });
    expect(tasks[0]?.tries).toHaveLength(1);
    expect(stopped).toMatchObject({ code: "aborted" });
    expect(conclusion).toContain("Dividing takes");
  });

  test("so does a try in which neither way came to an answer", async () => {
    const refuses = scriptedModel([{ when: "", reply: { fault: { kind: "status", status: 401, body: "no" } } }]);
    const { tasks, figures, stopped, conclusion } = await compared(refuses, { tries: 3, judge: true });
    expect([tasks[0]?.tries, figures, conclusion]).toEqual([[], undefined, "Nothing was done both ways, so nothing can be said."]);
    expect(stopped).toMatchObject({ code: "authentication" });
  });

  test("a judge whose model is not there is an error before anything is asked", async () => {
    const asked = model();
    await expect(compared(asked, { judge: "nobody:at-all" })).rejects.toMatchObject({ code: "unknown_provider" });
    expect(asked.calls).toEqual([]);
  });

  test.each([
    [[], {}, "there is none to compare"],
    [["t"], { tries: 0 }, "options.tries"],
    [[" "], {}, "task"],
    [["t"], { budget: { calls: 0 } }, "options.budget.calls"],
    [["t"], { orchestrator: { synthesis: "none" as const } }, "options.orchestrator.synthesis"],
    [["t"], { judge: Object.assign({ model: "openai:x" }, { prompt: "Which is longer?" }) }, 'options.judge: has no option "prompt"'],
    [["t"], { judge: Object.assign({ model: "openai:x" }, { allowLength: true }) }, 'options.judge: has no option "allowLength"'],
  ])("%j with %j cannot be compared", async (tasks, options, message) => {
    await expect(compare(tasks, options)).rejects.toMatchObject({ code: "invalid_option", message: expect.stringContaining(message) });
  });
});
