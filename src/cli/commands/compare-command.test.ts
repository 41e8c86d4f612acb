import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { preferring } from "../../../test/preferring.ts";
import { providerServer, type ProviderServer, type ScriptRule } from "../../testing/index.ts";
import { cli, startCli } from "../test-world.ts";

/** Over real HTTP. */

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

let server: ProviderServer;

afterEach(() => server.close());

const plan = `<tasks combine="merge"><task id="a"><description>Do A.</description></task><task id="b"><description>Do B.</description></task></tasks>`;

async function envOf(...rules: readonly ScriptRule[]): Promise<Record<string, string>> {
  server = await providerServer(
    [
      ...rules,
      { when: "You are the orchestrator", reply: plan },
      { when: "You answer a request", reply: "In one go." },
      { when: "You carry out one subtask", reply: "A part." },
      { when: "Several workers each", reply: "In parts." },
      preferring("parts", "It says more."),
    ],
    { vary: false },
  );
  return { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl };
}

async function fileOf(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "divvy-tasks-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "tasks"), text);
  return join(folder, "tasks");
}

describe("divvy compare", () => {
  test("shows both answers, what each took, the verdict, and what follows", async () => {
    const { code, stdout, stderr } = await cli(["compare", "Tell it", "--judge"], { env: await envOf() });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^# One call\n\nIn one go\.\n\n# Divided\n\nIn parts\.\n\n\*\*Judged:\*\* the divided answer is better\. It says more\.\n\n\| task \|/,
    );
    expect(stdout).toMatch(/\| Tell it \| 1 \| 1 call, .* tokens, \$.* s \| 4 calls, .* \| 100 % \(95 %: 21 % to 100 %\), 0 tied \|/);
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^Too few tries to tell/);
    expect(stderr).toContain("task 1 of 1, try 1 of 1: judging");
    expect(server.requests).toHaveLength(4 + 1 + 2);
  });

  test("asks the models that are named: one call goes to who divides", async () => {
    const argv = ["compare", "t", "-q", "--judge", "-m", "anthropic:m", "--orchestrator", "anthropic:strong", "--evaluator", "anthropic:judge"];
    const { code, stderr } = await cli([...argv, "--max-tokens", "500000"], { env: await envOf() });
    expect([code, stderr]).toEqual([0, ""]);
    const models = server.requests.map(({ system, modelId }) => `${system.slice(0, 12)}: ${modelId}`);
    expect(new Set(models)).toEqual(
      new Set(["You are the : strong", "You carry ou: m", "Several work: strong", "You answer a: strong", "You compare : judge"]),
    );
  });

  test.each([
    ["one a line", "First thing\n\n  Second | thing\n"],
    ["a JSON list", '["First thing", "Second | thing"]'],
  ])("takes a file of tasks, %s, and makes a table of them", async (_, text) => {
    const { code, stdout } = await cli(["compare", "--tasks", await fileOf(text), "--judge", "--n", "2", "-q"], { env: await envOf() });
    expect(code).toBe(0);
    const lines = stdout.split("\n");
    expect(lines.slice(0, 5).map((line) => line.split(" | ").slice(0, 2).join(" | "))).toEqual([
      "| task | tries",
      "| --- | ---",
      "| First thing | 2",
      "| Second \\| thing | 2",
      "| all | 4",
    ]);
    expect(stdout).toContain("it won 100 % of 4 judged tries (95 %: 51 % to 100 %)");
  });

  test("says below the table why tries are not judged, and what to do", async () => {
    const { code, stdout } = await cli(["compare", "t", "--judge", "--n", "2", "-q"], { env: await envOf({ when: "You compare two texts", reply: "Hm." }) });
    expect(code).toBe(3);
    expect(stdout).toMatch(/\*\*Not judged:\*\* 2 of 2 tries\. .* did not say which .* --evaluator provider:model\n\nDividing takes/);
  });

  test("says in the table and below it which way came to no answer", async () => {
    const refused = { fault: { kind: "status", status: 400, body: { type: "error", error: { type: "invalid_request_error", message: "No." } } } } as const;
    const { stdout } = await cli(["compare", "t", "-q"], { env: await envOf({ when: "You are the orchestrator", reply: refused }) });
    expect(stdout).toMatch(/\| t \| 1 \| 1 call, .*[^r] \| .*, 1 of 1 without an answer \| not judged \|/);
    expect(stdout).toMatch(/\n\nWhether its answers are better, nobody judged\. Divided, 1 of 1 try came to no answer\.\n$/);
  });

  test("says why a way came to no answer also where there are several tries", async () => {
    const refused = { fault: { kind: "status", status: 400, body: { type: "error", error: { type: "invalid_request_error", message: "No" } } } } as const;
    const { stdout } = await cli(["compare", "t", "-q", "--n", "2"], { env: await envOf({ when: "You are the orchestrator", reply: refused }) });
    expect(stdout).toMatch(/\n\n\*\*No answer divided:\*\* 2 of 2 tries\. anthropic:claude-\S+ rejected the request \(HTTP 400\): No\. .*\n\nWhether/);
    expect(stdout).not.toContain("No answer in one call");
  });

  test("says what judging took, which is in no column", async () => {
    const { stdout } = await cli(["compare", "t", "-q", "--n", "2", "--judge"], { env: await envOf() });
    expect(stdout).toMatch(/\n\nJudging took 4 calls, \S+ tokens, \$\S+, which stand in neither way's figures\.\n\nToo few/);
  });

  test("with a price that nobody knows of the judge says so before anything is asked", async () => {
    const argv = ["compare", "t", "--judge", "--evaluator", "anthropic:unheard-of", "--budget", "1", "-m", "anthropic:m", "--price", "anthropic:m=1/2"];
    const { code, stderr } = await cli(argv, { env: await envOf() });
    expect([code, server.requests.length]).toEqual([1, 0]);
    expect(stderr).toContain("--price provider:model=3/15");
  });

  test("is one JSON object with --json", async () => {
    const { stdout } = await cli(["compare", "t", "--json", "-q"], { env: await envOf() });
    expect(JSON.parse(stdout)).toMatchObject({
      tasks: [{ task: "t", tries: [{ one: { text: "In one go." }, divided: { text: "In parts." } }] }],
      judging: { calls: 0 },
    });
  });

  test("ends when its budget does, with what there is", async () => {
    const { code, stdout, stderr } = await cli(["compare", "t", "--n", "9", "--max-calls", "7", "-q"], { env: await envOf() });
    expect(code).toBe(3);
    expect(stdout).toContain("| t | 1 |");
    expect(stderr).toContain("The budget of the comparison is used up.");
    expect(server.requests.length).toBeLessThanOrEqual(7);
  });

  test("stops at Ctrl-C with what there is", async () => {
    let onSecond = (): void => undefined;
    const env = await envOf({ when: "You are the orchestrator", reply: ({ asked }) => (asked === 2 ? (onSecond(), { text: plan, firstMs: 60_000 }) : plan) });
    const { signals, code, stdout, stderr } = startCli(["compare", "t", "--n", "3"], { env });
    onSecond = () => void signals.emit("SIGINT");
    expect(await code).toBe(130);
    expect(stdout.text).toContain("In parts.");
    expect(stderr.text).toMatch(/Stopped\.\n$/);
  });

  test.each([
    [["compare", "t", "--tasks", "f"], "one of them is enough"],
    [["compare", "t", "--evaluator", "anthropic:m"], "needs --judge"],
    [["compare", "t", "--n", "0"], "--n"],
    [["compare", "t", "--synthesis", "none"], "--synthesis none leaves no answer to compare"],
    [["run", "t", "--judge"], "--judge does not go with divvy run"],
  ])("%j says what is wrong", async (argv, message) => {
    const { code, stderr } = await cli(argv, { env: await envOf() });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test("a file that holds no tasks is said to", async () => {
    const env = await envOf();
    for (const text of ["\n \n", "[1]", "[", "[]", '{\n"tasks": ["a"]\n}', '{"task": "a"}\n{"task": "b"}\n']) {
      const { code, stderr } = await cli(["compare", "--tasks", await fileOf(text)], { env });
      expect([code, server.requests.length]).toEqual([2, 0]);
      expect(stderr).toMatch(/holds no task|is none of texts|holds JSON objects/);
    }
  });
});
