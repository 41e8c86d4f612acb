import { expect, test, vi } from "vitest";
import { preferring } from "../../../test/preferring.ts";
import { callsAt, keptRunScenes, threeWorkers } from "../kept/kept-run-fixture.ts";
import type { ReplyFunction } from "../../testing/index.ts";
import { cli, startCli } from "../test-world.ts";

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

test("divvy show says how good the kept try of a subtask was found, and why; of one that was not judged, why not", async () => {
  const verdicts = ['{"reasons": "Too dry.", "score": 4}', '{"reasons": "Still dry.", "score": 5}'];
  const ofFacts = { when: /You judge one piece[^]*List the FACTS/, reply: () => verdicts.shift() ?? "" };
  const ofOthers = { when: "You judge one piece", reply: "No idea." };
  const here = await scene([
    ofFacts,
    ofOthers,
    ...threeWorkers({ FACTS: ({ prompt }) => (prompt.includes("This falls short") ? "Better facts." : "The facts.") }),
  ]);
  await cli(["Write about a bottle", "-q", "--evaluate", "It is vivid."], here);
  const facts = await cli(["show", "last", "--subtask", "facts"], here);
  expect(facts.stderr).toContain("\njudged 50 of 100, which falls short, the best of 2 tries: Still dry.\n");
  const feel = await cli(["show", "last", "--subtask", "feel"], here);
  expect(feel.stderr).toMatch(/\nnot judged: The evaluator .* gave no score with reasons/);
});

test("where nobody judges anything, another judge is advised, and no further tries", async () => {
  const here = await scene([{ when: "You judge one piece", reply: "Nice work!" }, ...threeWorkers()]);
  const { code, stderr } = await cli(["Write about a bottle", "-q", "--evaluate", "It is vivid."], here);
  expect(code).toBe(3);
  expect(stderr).toContain("\n  The work stands, unjudged; use a stronger model to judge: --evaluator provider:model\n");
  expect(stderr).not.toContain("--tries");
});

test("what is judged only after a resume shows what it took; --events says which calls were the judge's", async () => {
  let stopOnce: (() => void) | undefined;
  const judge: ReplyFunction = () => {
    stopOnce?.();
    return stopOnce === undefined ? '{"reasons": "Vivid.", "score": 9}' : { text: "", firstMs: 60_000 };
  };
  const here = await scene([{ when: "You judge one piece", reply: judge }, ...threeWorkers()]);
  const run = startCli(["Write about a bottle", "-q", "--evaluate", "It is vivid."], here);
  stopOnce = () => void run.signals.emit("SIGINT");
  expect(await run.code).toBe(130);
  stopOnce = undefined;
  const { code, stderr } = await cli(["resume", "last", "--evaluate", "It is vivid."], here);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^facts: done, ~?\d\S* tok/m);
  expect((await cli(["show", "last"], here)).stderr).toMatch(/^facts: done, ~?\d\S* tok/m);
  const { stdout } = await cli(["show", "last", "--events"], here);
  expect(stdout).toMatch(/^.*attempt\.settled +facts, attempt 1: .*$/m);
  expect(stdout).toMatch(/^.*attempt\.settled +evaluator of facts, attempt 1: .*$/m);
});

test("a number that makes no sense is a usage error that names the flag", async () => {
  const { code, stderr } = await cli(["Do it", "--samples", "11"], { env: { ANTHROPIC_API_KEY: "sk-test" } });
  expect([code, stderr]).toEqual([2, expect.stringContaining("--samples: must be a whole number from 1 to 10, and is 11.")]);
});
