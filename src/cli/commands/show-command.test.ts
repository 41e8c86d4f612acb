import { expect, test, vi } from "vitest";
import type { Fact } from "../../events.ts";
import { keptRunScenes, type KeptRunScene, refusal, threeWorkers } from "../kept/kept-run-fixture.ts";
import { cli, linesAfter, Screen, startCli } from "../test-world.ts";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const scene = keptRunScenes();

const evil = "Good \u001B[2J\u001B]52;c;eA==\u0007text\u009B31m\u202E.";

/** One that lacks a part. */
async function partial(): Promise<KeptRunScene> {
  const here = await scene(threeWorkers({ FACTS: evil, FEELING: refusal }));
  expect((await cli(["Write about a bottle", "-q", "-c", "audience=hikers"], { env: here.env })).code).toBe(3);
  return here;
}

test("the answer on stdout; what was asked, what became of it, and what to do on stderr", async () => {
  const { env } = await partial();
  const { code, stdout, stderr } = await cli(["show", "last"], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^The joined answer\.\n\n\*\*Not covered\*\*/);
  const lines = stderr
    .replace(/[\d.]+(?=k? (tok|in|out|s\b))/g, "#")
    .replace(/\$[\d.]+/g, "$#")
    .split("\n");
  expect(lines).toEqual([
    expect.stringMatching(/^[\w-]{36} {2}partial, begun \ds ago$/),
    "Write about a bottle",
    "with audience (6 characters)",
    "",
    expect.stringMatching(/^plan: claude-opus-\S+ · 3 subtasks · merge · # s$/),
    "plan: Three parts.",
    "facts: done, # tok, # s, $#",
    expect.stringMatching(/^feel: failed, # s: it rejected the request \(HTTP 400\): No such thing\.$/),
    "end: done, # tok, # s, $#",
    expect.stringMatching(/^answer: done, # tok, # s, \$#$/),
    expect.stringMatching(/^5 calls · #k in, # out · \$# \(expected \$#\) · # s/),
    "divvy: 2 of 3 subtasks are done. Missing: feel.",
    "  The answer says what is missing.",
    expect.stringMatching(/^ {2}Go on with it: divvy resume \w{4} \(it would do 1 subtask and the answer\)$/),
    "",
  ]);
});

test("one subtask: its result on stdout, whole and to the letter; the rest on stderr", async () => {
  const { env } = await partial();
  const { stdout, stderr } = await cli(["show", "last", "--subtask", "FACTS"], { env });
  expect(stdout).toBe(`${evil}\n`);
  expect(stderr).toMatch(/^facts {2}facts · anthropic:claude-haiku\S+ · done · \d+ tok · [\d.]+ s · \$[\d.]+\nList the FACTS\.\n$/);
  const failed = await cli(["show", "last", "--subtask", "feel"], { env });
  expect(failed.stdout).toBe("");
  expect(failed.stderr).toContain("rejected the request (HTTP 400): No such thing.");
  expect(await cli(["show", "last", "--subtask", "fax"], { env })).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/has no subtask "fax"\.\n {2}It has: facts, feel, end\.\n$/),
  });
});

test("--events is one clean line for each fact", async () => {
  const { env } = await partial();
  const { stdout } = await cli(["show", "last", "--events"], { env });
  const lines = stdout.trimEnd().split("\n");
  for (const line of lines) expect(line).toMatch(/^ *\+[\d.]+ s {2}[a-z]+\.[a-z_]+( |$)/);
  expect(stdout).not.toMatch(/(?!\n)\p{Cc}|\u202E/u);
  expect(lines[0]).toMatch(/^\+0\.0 s {2}run\.started +Write about a bottle \(anthropic:claude-opus\S+, anthropic:claude-haiku\S+\)$/);
  expect(stdout).toMatch(/ s {2}subtask\.planned +end after facts: Write the END\.$/m);
  expect(stdout).toMatch(/ s {2}subtask\.finished +facts: Good text\.$/m);
  expect(lines.at(-1)).toMatch(/ s {2}run\.finished +partial: 2 of 3 subtasks are done\. Missing: feel\.$/);
});

test("for programs: the facts as they are kept, the run as it stands, a subtask", async () => {
  const { env, look, newest } = await partial();
  const runId = await newest();
  const facts: readonly Fact[] = await look((ledger) => ledger.readFacts(runId));
  const lines = (await cli(["show", "last", "--jsonl"], { env })).stdout.trimEnd().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual(facts);
  expect(JSON.parse((await cli(["show", "last", "--events", "--json"], { env })).stdout)).toEqual(facts);
  expect(JSON.parse((await cli(["show", "last", "--json"], { env })).stdout)).toMatchObject({
    status: "partial",
    runId,
    request: { task: "Write about a bottle", context: { audience: "hikers" } },
    subtasks: [{ status: "done", text: evil }, { status: "failed" }, { status: "done" }],
    outcome: { status: "partial" },
  });
  expect(JSON.parse((await cli(["show", "last", "--subtask", "end", "--json"], { env })).stdout)).toMatchObject({ subtask: { id: "end" }, text: "The end." });
});

test.each([40, 60, 120])("in a terminal of %i columns nothing is wider, and nothing commands it", async (columns) => {
  const { env } = await partial();
  for (const argv of [
    ["show", "last"],
    ["show", "last", "--events"],
    ["show", "last", "--subtask", "facts"],
  ]) {
    const screen = { isTTY: true, columns };
    const [stdout, stderr] = [new Screen(screen), new Screen(screen)];
    expect(await startCli(argv, { env: { ...env, NO_COLOR: "1" }, stdout, stderr }).code).toBe(0);
    for (const line of [...linesAfter(stdout.text), ...linesAfter(stderr.text)]) {
      expect(line).not.toMatch(/\p{Cc}|\u202E/u);
      expect(line.length).toBeLessThanOrEqual(columns);
    }
  }
});
