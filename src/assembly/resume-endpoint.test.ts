import { expect, test } from "vitest";
import { FlexibleOrchestrator, memoryLedger } from "../index.ts";
import { providerServer } from "../testing/index.ts";

test("a role's endpoint and key are still the joiner's, too, when a run is resumed", async () => {
  let fails = true;
  await using server = await providerServer(({ prompt }) => (fails && prompt.includes("Write b.") ? { fault: { kind: "status", status: 400 } } : "done"), {
    vary: false,
  });
  const role = { model: "anthropic:claude-test", baseURL: server.anthropicBaseUrl, apiKey: "k" };
  const orchestrator = new FlexibleOrchestrator({ orchestrator: role, worker: role, ledger: memoryLedger() }, { models: { env: {} } });
  const subtasks = ["a", "b"].map((id) => ({ id, description: `Write ${id}.` }));
  const run = orchestrator.start("t", "", { plan: { combine: "keep", subtasks } });
  expect(await run.outcome).toMatchObject({ status: "partial" });
  fails = false;
  expect(await (await orchestrator.resume(run.runId)).outcome).toMatchObject({ status: "ok" });
});
