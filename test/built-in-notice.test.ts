import { expect, test } from "vitest";
import { FlexibleOrchestrator, initialRunState, type Notice, type OrchestratorOptions, reduce, type RunEvent } from "../src/index.ts";
import type { Model } from "../src/models/model.ts";
import { scriptedModel } from "../src/testing/index.ts";

const tasks = "<tasks><task><type>a</type><description>Do a.</description></task><task><type>b</type><description>Do b.</description></task></tasks>";

const scripted = (): ReturnType<typeof scriptedModel> =>
  scriptedModel([
    { when: "You are the orchestrator", reply: tasks },
    { when: "", reply: "done" },
  ]);

/** Where no model is named: no key, no server, but the built-in model can run. */
async function runWith(options: OrchestratorOptions, env: Record<string, string> = {}): Promise<{ events: RunEvent[]; notices: readonly Notice[] }> {
  const local = (): Promise<Model> =>
    Promise.resolve({ id: "local:tiny", model: scripted(), lane: "local", credential: "local", baseUrl: "", price: () => Promise.resolve(() => 0) });
  const orchestrator = new FlexibleOrchestrator(options, {
    models: { env, local, probes: { fetch: () => Promise.reject(new TypeError("fetch failed")), local: () => Promise.resolve({ usable: true, why: "here" }) } },
  });
  const run = orchestrator.start("Write it.");
  const events: RunEvent[] = [];
  for await (const event of run.events) events.push(event);
  const outcome = await run.outcome;
  expect(outcome.status).toBe("ok");
  return { events, notices: outcome.coverage.notices };
}

test("a run that falls back on the built-in model says so, at its beginning and in its outcome", async () => {
  const { events, notices } = await runWith({});
  expect(notices).toEqual([{ code: "built_in_model", message: expect.stringMatching(/^No key is set .* built-in model .*\.$/) }]);
  expect(events.slice(0, 2)).toMatchObject([{ type: "run.started" }, { type: "run.noticed", notice: notices[0] }]);
  expect(events.reduce(reduce, initialRunState).notices).toEqual(notices);
});

test("also where it stands in for one role alone", async () => {
  expect((await runWith({ orchestrator: scripted() })).notices).toMatchObject([{ code: "built_in_model" }]);
});

test("it is not said where the model was named, in the options or in the environment", async () => {
  expect((await runWith({ model: scripted() })).notices).toEqual([]);
  expect((await runWith({ model: "local:" })).notices).toEqual([]);
  expect((await runWith({}, { DIVVY_MODEL: "local:" })).notices).toEqual([]);
});
