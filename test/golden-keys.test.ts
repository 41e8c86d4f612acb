import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FlexibleOrchestrator, type Ledger, memoryLedger, type OrchestratorOptions } from "../src/index.ts";
import { isRecord } from "../src/json.ts";
import { preferring } from "./preferring.ts";
import { type ScriptedModel, scriptedModel, type ScriptRule } from "../src/testing/index.ts";

/**
 * Under which keys the calls of some fixed runs are recorded (after the scope: "run" stands for the run's own), and what of their setup
 * stands in their logs. Users have paid for what stands under such keys, and have runs with such setups: where this test fails, a
 * release would not find the ones, and would say of the others that they drifted. If that is meant (a prompt was bettered), write
 * what is new into the fixture, and say so in the changelog.
 */
const fixture: unknown = JSON.parse(readFileSync(new URL("fixtures/call-keys.json", import.meta.url), "utf8"));

const xml = (combine: string, tasks: string): string => `<analysis>Two parts.</analysis>
<tasks combine="${combine}">
${tasks}
</tasks>`;
const facts = `<task id="facts"><type>facts</type><description>List the facts.</description></task>`;
const story = `<task id="story" after="facts"><type>story</type><description>Tell the story.</description></task>`;
const json = JSON.stringify({
  analysis: "",
  combine: "merge",
  subtasks: [
    { id: "facts", type: "facts", description: "List the facts.", after: [] },
    { id: "story", type: "story", description: "Tell the story.", after: ["facts"] },
  ],
});

interface Scene {
  /** Asked before the usual ones. */
  readonly rules?: readonly ScriptRule[];
  /** @default the usual roles over this model */
  readonly options?: (model: ScriptedModel) => OrchestratorOptions;
  readonly context?: string;
  /** How many calls it takes. */
  readonly calls: number;
}

const rolesOf = (model: ScriptedModel): OrchestratorOptions => ({
  model: "anthropic:unused",
  orchestrator: { model, id: "golden:strong" },
  synthesizer: { model, id: "golden:joins" },
  worker: { model, id: "golden:fast", maxOutputTokens: 1000, temperature: 0.5, providerOptions: { golden: { b: 1, a: [2] } } },
});

const scenes: Readonly<Record<string, Scene>> = {
  xml: { calls: 4 },
  json: { calls: 4, rules: [{ when: "You are the orchestrator", reply: json }], options: (model) => ({ ...rolesOf(model), planFormat: "json" }) },
  "a choice": {
    calls: 5,
    rules: [{ when: "You are the orchestrator", reply: xml("choose", facts + story) }, preferring("story")],
  },
  "a plan in two rounds": {
    calls: 5,
    options: (model) => ({ ...rolesOf(model), concurrency: 1 }),
    rules: [
      { when: "Your plan broke off", reply: `<tasks combine="merge">${story}</tasks>` },
      { when: "You are the orchestrator", reply: xml("merge", `${facts}<task id="story"><descr`).replace("</tasks>", "") },
    ],
  },
  "templates, a context of text, and a result that is cut": {
    calls: 4,
    context: "For cyclists.",
    rules: [
      { when: "Divide", reply: xml("merge", facts + story) },
      { when: "Join", reply: "The answer." },
      { when: "Do List the facts.", reply: "The facts, of which there are many." },
    ],
    options: (model) => ({
      orchestrator: { model, id: "golden:strong", prompt: "Divide {task}, given {context}" },
      worker: { model, id: "golden:fast", prompt: "For {original_task} ({task_type}): Do {task_description} {{braces}}" },
      synthesizer: { model, id: "golden:joins", prompt: "Join for {task}: {results}" },
      limits: { upstreamBytes: 12 },
    }),
  },
  "a kind of its own": {
    calls: 4,
    options: (model) => ({
      ...rolesOf(model),
      workers: { Story: { maxOutputTokens: 500, temperature: 0, reasoning: "low", providerOptions: { golden: { c: true } } } },
    }),
  },
  "a provider's model, shared": {
    calls: 4,
    options: () => ({ model: "groq:golden", worker: { baseURL: "https://golden.example/v1/", id: "golden" }, cache: { shared: "golden" } }),
  },
  "a reply that is cut": {
    calls: 4,
    rules: [{ when: "Your subtask (facts)", reply: { text: "The facts", finish: "length" } }],
    options: (model) => ({ ...rolesOf(model), worker: { model, id: "golden:fast", allowLength: true } }),
  },
};

const usual: readonly ScriptRule[] = [
  { when: "You are the orchestrator", reply: xml("merge", `${facts}\n${story}`) },
  { when: "Several workers each", reply: "The answer." },
  { when: "List the facts.", reply: "The facts." },
  { when: "Tell the story.", reply: "The story." },
];

async function carriedOut({ rules = [], options = rolesOf, context }: Scene): Promise<{ calls: string[]; setup: unknown }> {
  const written: { scope: string; key: string }[] = [];
  const ledger = memoryLedger();
  const watching: Ledger = {
    ...ledger,
    commit: (batch) => {
      written.push(...batch.calls);
      return ledger.commit(batch);
    },
  };
  const model = scriptedModel([...rules, ...usual], { vary: false });
  const load = (): Promise<unknown> => Promise.resolve({ createGroq: () => ({ languageModel: () => model }) });
  const orchestrator = new FlexibleOrchestrator({ ...options(model), ledger: watching }, { models: { load, env: { GROQ_API_KEY: "unused-key" } } });
  const given = context ?? { audience: "cyclists", features: ["light", "insulated"] };
  const { runId, outcome } = orchestrator.start("Write about bottles.", given);
  expect(await outcome).toMatchObject({ status: "ok" });
  const [started] = await ledger.readFacts(runId);
  return {
    calls: written.map(({ scope, key }) => `${scope === runId ? "run" : scope} ${key}`),
    setup: started?.type === "run.started" ? started.setup : undefined,
  };
}

describe("calls are recorded under the keys that they always had, and runs have the setups", () => {
  test.each(Object.entries(scenes))("%s", async (name, scene) => {
    const made = await carriedOut(scene);
    expect(made.calls).toHaveLength(scene.calls);
    expect(isRecord(fixture) && fixture[name]).toEqual(made);
  });

  test("and there are no others in the fixture", () => {
    expect(Object.keys(isRecord(fixture) ? fixture : {})).toEqual(Object.keys(scenes));
  });
});
