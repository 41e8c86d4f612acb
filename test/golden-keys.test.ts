import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FlexibleOrchestrator, type Ledger, memoryLedger } from "../src/index.ts";
import { scriptedModel } from "../src/testing/index.ts";

/**
 * The keys under which the calls of one fixed run are recorded. Users have paid for what stands under such keys: where this test
 * fails, a release would not find it any more. If that is meant (a prompt was bettered), write the new keys into the fixture, and
 * say so in the changelog.
 */
const fixture = new URL("fixtures/call-keys.json", import.meta.url);

const plan = `<analysis>Two parts.</analysis>
<tasks combine="merge">
<task id="facts"><type>facts</type><description>List the facts.</description></task>
<task id="story" after="facts"><type>story</type><description>Tell the story.</description></task>
</tasks>`;

test.each(["xml", "json"] as const)("calls are recorded under the keys that they always had (%s)", async (planFormat) => {
  const keys: string[] = [];
  const ledger = memoryLedger();
  const watching: Ledger = {
    ...ledger,
    commit: (batch) => {
      keys.push(...batch.calls.map(({ key }) => key));
      return ledger.commit(batch);
    },
  };
  const json = JSON.stringify({
    analysis: "",
    combine: "merge",
    subtasks: [
      { id: "facts", type: "facts", description: "List the facts.", after: [] },
      { id: "story", type: "story", description: "Tell the story.", after: ["facts"] },
    ],
  });
  const model = scriptedModel(
    [
      { when: "You are the orchestrator", reply: planFormat === "xml" ? plan : json },
      { when: "Several workers each", reply: "The answer." },
      { when: "List the facts.", reply: "The facts." },
      { when: "Tell the story.", reply: "The story." },
    ],
    { vary: false },
  );
  const worker = { model, id: "golden:fast", maxOutputTokens: 1000, temperature: 0.5, providerOptions: { golden: { b: 1, a: [2] } } };
  const orchestrator = new FlexibleOrchestrator({
    model: "anthropic:unused",
    orchestrator: { model, id: "golden:strong" },
    synthesizer: { model, id: "golden:joins" },
    worker,
    planFormat,
    ledger: watching,
  });
  const outcome = await orchestrator.orchestrate("Write about bottles.", { audience: "cyclists", features: ["light", "insulated"] });
  expect(outcome).toMatchObject({ status: "ok", text: "The answer." });
  const golden: unknown = JSON.parse(readFileSync(fixture, "utf8"));
  expect(golden).toMatchObject({ [planFormat]: keys });
  expect(keys).toHaveLength(4);
});
