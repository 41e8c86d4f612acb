import { expect, test, vi } from "vitest";
import { preferring } from "../../test/preferring.ts";
import { callsAt, keptRunScenes, threeWorkers } from "./kept-run-fixture.ts";
import { cli } from "./test-world.ts";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const scene = keptRunScenes();

test("--samples has each subtask carried out several times; a line says which try is kept, and so does divvy show", async () => {
  const compares = preferring("second", "It says more.");
  const rules = threeWorkers({ FACTS: ({ asked }) => (asked === 1 ? "The first facts." : "The second facts.") });
  const here = await scene([compares, ...rules]);
  const { code, stderr } = await cli(["Write about a bottle", "--samples", "2"], { env: here.env });
  expect(code).toBe(0);
  expect(stderr).toContain("facts: try 2 is kept of 2: It says more.");
  expect(stderr).toContain("feel: try 1 is kept of 2, and try 2 is as good:");
  expect(callsAt(here).filter((call) => call === "facts")).toHaveLength(2);
  const shown = await cli(["show", "last", "--subtask", "facts"], { env: here.env });
  expect(shown.stdout).toBe("The second facts.\n");
  expect(shown.stderr).toContain("try 2 is kept of 2: It says more.");
  const events = await cli(["show", "last", "--events"], { env: here.env });
  expect(events.stdout).toMatch(/subtask\.chosen +facts, try 2 of 2: It says more\./);
});

test("a number that makes no sense is a usage error that names the flag", async () => {
  const { code, stderr } = await cli(["Do it", "--samples", "11"], { env: { ANTHROPIC_API_KEY: "sk-test" } });
  expect([code, stderr]).toEqual([2, expect.stringContaining("--samples: must be a whole number from 1 to 10, and is 11.")]);
});
