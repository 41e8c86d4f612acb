import { expect, test, vi } from "vitest";
import { keptRunScenes, callsAt, type KeptRunScene } from "../kept/kept-run-fixture.ts";
import { cli } from "../test-world.ts";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const scene = keptRunScenes();
const flags = ["--plan-cache", "openai-compatible:words", "--price", "openai-compatible:words=0.02/0"];
const envOf = ({ env, server }: KeptRunScene): Record<string, string> => ({ ...env, OPENAI_COMPATIBLE_BASE_URL: server.openaiBaseUrl });

test("the plan of a kept run is taken over, and a line says whose, how alike the tasks are, and how to have another", async () => {
  const here = await scene();
  const env = envOf(here);
  expect((await cli(["Write about a steel bottle", ...flags], { env })).code).toBe(0);
  const first = await here.newest();
  const { code, stderr } = await cli(["Write about a steel bottle!", ...flags], { env });
  expect(code).toBe(0);
  expect(stderr).toContain(`plan: of ${first}, 100 of 100 alike: "Write about a steel bottle" (without --plan-cache one of its own)`);
  expect(stderr).toContain("plan: taken over · 3 subtasks · merge");
  expect(callsAt(here).filter((call) => call === "plan")).toHaveLength(1);

  const shown = await cli(["show", "last"], { env });
  expect(shown.stderr).toContain(`plan: of ${first}, 100 of 100 alike: "Write about a steel bottle"`);
  const events = await cli(["show", "last", "--events"], { env });
  expect(events.stdout).toMatch(/plan\.looked_up +1 plan, the nearest 100 of 100 alike, openai-compatible:words\n/);
  expect(events.stdout).toMatch(new RegExp(`plan\\.reused +of ${first}, 100 of 100 alike: Write about a steel bottle`));
});

test("a task that is too little like it has a plan of its own: the threshold says", async () => {
  const here = await scene();
  const env = envOf(here);
  await cli(["Write about a steel bottle", ...flags], { env });
  await cli(["Write about a steel kettle", ...flags], { env });
  expect(callsAt(here).filter((call) => call === "plan")).toHaveLength(2);
  await cli(["Write about a steel bucket", ...flags, "--plan-threshold", "0.7"], { env });
  expect(callsAt(here).filter((call) => call === "plan")).toHaveLength(2);
});

test.each([
  [["Do it", "--plan-threshold", "0.9"], "needs --plan-cache"],
  [["Do it", "--plan-cache", "openai:x", "--plan-threshold", "90"], "is a number from 0 to 1, such as 0.95"],
  [["Do it", "--plan-cache", "openai:x", "--no-save"], "does not go with --no-save"],
  [["Do it", "--plan-cache", "openai:x", "--plan", "plan.xml"], "do not go together"],
  [["Do it", "--plan-cache", "nobody:x"], 'There is no provider "nobody"'],
])("what makes no sense is a usage error: %j", async (argv, says) => {
  const { code, stderr } = await cli(argv, { env: { ANTHROPIC_API_KEY: "sk-test" } });
  expect([code, stderr]).toEqual([2, expect.stringContaining(says)]);
});
