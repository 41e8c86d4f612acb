import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { isComparison, preferring } from "../../../test/preferring.ts";
import { type DoubleCall, type ProviderRequest, providerServer, type ProviderServer, type ReplyOptions } from "../../testing/index.ts";
import { cli } from "../test-world.ts";

/** What flags do to the calls that a provider gets, over real HTTP. */

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

let server: ProviderServer;

afterEach(() => server.close());

const names = ["one", "two", "three", "four", "five", "six"] as const;

interface Scene {
  /** Subtasks of the plan. */
  readonly subtasks?: number;
  readonly combine?: "keep" | "merge" | "choose";
  readonly workers?: Omit<ReplyOptions, "text">;
  /** Characters of each result, beside its words. */
  readonly long?: number;
}

/** A provider whose model answers by itself where it may, and divides where it must. */
async function envOf({ subtasks = 3, combine = "merge", workers = {}, long = 0 }: Scene = {}): Promise<Record<string, string>> {
  const tasks = names.slice(0, subtasks).map((name) => `<task id="${name}"><type>${name}</type><description>Do part ${name}.</description></task>`);
  server = await providerServer(
    [
      { when: "This falls short", reply: ({ n }) => `Once more, and better. (${n})` },
      { when: mayAnswer, reply: "<answer>One reply does it.</answer>" },
      { when: "Result six.", reply: '<tasks combine="keep"></tasks>' },
      { when: "Your plan has been carried out", reply: "<tasks><task id='six'><type>six</type><description>Do part six.</description></task></tasks>" },
      { when: (call) => roleOf(call) === "plan", reply: `<tasks combine="${combine}">\n${tasks.join("\n")}\n</tasks>` },
      preferring("Result two."),
      { when: "Several workers each did", reply: "The joined answer." },
      // Good enough is what was written again.
      { when: "You judge one piece", reply: ({ prompt }) => JSON.stringify({ reasons: "Too dry.", score: prompt.includes("Once more") ? 9 : 4 }) },
      { when: "You shorten texts", reply: "In short." },
      { when: "Do part", reply: ({ prompt }) => ({ ...workers, text: `Result ${partOf(prompt)}.${" so".repeat(long / 3)}` }) },
    ],
    { vary: false },
  );
  return { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl, OPENAI_COMPATIBLE_BASE_URL: server.openaiBaseUrl };
}

function mayAnswer({ system }: Pick<DoubleCall, "system">): boolean {
  return system.includes("write the whole reply inside <answer>");
}

function partOf(prompt: string): string | undefined {
  return /Do part (\w+)/.exec(prompt)?.[1];
}

/** Who asks: the orchestrator, the synthesizer, or the worker of which subtask. */
function roleOf({ system, prompt }: Pick<DoubleCall, "system" | "prompt">): string {
  if (system.includes("combine=")) return "plan";
  if (system.startsWith("Several workers")) return "join";
  if (isComparison({ system })) return "compare";
  return partOf(prompt) ?? "?";
}

/** The calls that came, in order. */
const came = (): string[] => server.requests.map(roleOf);
const modelsBy = (): string[] => [...new Set(server.requests.map((request) => `${isWork(request) ? "work" : roleOf(request)}: ${request.modelId}`))];
const isWork = (request: ProviderRequest): boolean => !["plan", "join"].includes(roleOf(request));

describe("--output-schema", () => {
  const schema = JSON.stringify({ type: "object", properties: { title: { type: "string", minLength: 3 } }, required: ["title"] });

  async function answered(replies: (call: DoubleCall) => string, file = schema): Promise<Awaited<ReturnType<typeof cli>>> {
    const folder = await mkdtemp(join(tmpdir(), "divvy-schema-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, "schema.json"), file);
    server = await providerServer(
      [
        {
          when: (call) => roleOf(call) === "plan",
          reply: '<tasks combine="keep"><task id="one"><type>one</type><description>Do part one.</description></task></tasks>',
        },
        { when: "Several workers each did", reply: replies },
        { when: "Do part", reply: "Result one." },
      ],
      { vary: false },
    );
    return await cli(["t", "-q", "--output-schema", "schema.json"], {
      cwd: folder,
      env: { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl },
    });
  }

  test("has the answer written as JSON of that form, asks again where it is not, and puts it on stdout", async () => {
    const { code, stdout } = await answered(({ prompt }) => (prompt.includes("not of the form") ? '{"title":"Drills"}' : '{"title":"D"}'));
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"title":"Drills"}\n' });
    expect(came()).toEqual(["plan", "one", "join", "join"]);
  });

  test("an answer that never has that form lacks nothing else, and nobody is sent to read there what is missing", async () => {
    const { code, stdout, stderr } = await answered(() => "No title.");
    expect({ code, stdout }).toEqual({ code: 3, stdout: "Result one.\n" });
    expect(stderr).not.toContain("The answer says what is missing");
    expect(stderr).toMatch(/Go on with it: divvy resume \w+ --output-schema schema\.json \(it would do the answer\)\n$/);
  });

  test.each(["no JSON", "[]", '{"type":"nonsense"}', "{}", '{"title":"Drills","days":3}'])(
    "of a file that holds no such schema is refused: %s",
    async (file) => {
      const { code, stderr } = await answered(() => "", file);
      expect(code).toBe(2);
      expect(stderr).toContain("schema.json holds no JSON Schema");
      expect(came()).toEqual([]);
    },
  );

  test("of a file that is no text is refused, with no word of a context", async () => {
    const { code, stderr } = await answered(() => "", "{\u0000}");
    expect([code, stderr]).toEqual([2, "divvy: schema.json is not a text in UTF-8.\n  Only text can be read: convert it, or leave it out.\n"]);
  });
});

describe("--divide", () => {
  test("without it, who is asked may answer in that one call", async () => {
    const { code, stdout } = await cli(["t", "-q"], { env: await envOf() });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "One reply does it.\n" });
    expect(came()).toEqual(["plan"]);
  });

  test("with it, an answer is not offered, and the task is divided", async () => {
    const { code, stdout } = await cli(["t", "-q", "--divide"], { env: await envOf() });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "The joined answer.\n" });
    expect(came()[0]).toBe("plan");
    expect(came().slice(1, -1).toSorted()).toEqual(["one", "three", "two"]);
    expect(came().at(-1)).toBe("join");
    expect(server.requests[0]?.system).not.toContain("<answer>");
  });
});

describe("--synthesis", () => {
  const laidOut = "## One\n\nResult one.\n\n## Two\n\nResult two.\n\n## Three\n\nResult three.\n";
  test.each([
    { how: "auto", combine: "merge", calls: 5, stdout: "The joined answer.\n" },
    { how: "auto", combine: "keep", calls: 4, stdout: laidOut },
    { how: "merge", combine: "keep", calls: 5, stdout: "The joined answer.\n" },
    { how: "keep", combine: "merge", calls: 4, stdout: laidOut },
    { how: "choose", combine: "keep", calls: 8, stdout: "Result two.\n" },
    { how: "none", combine: "merge", calls: 4, stdout: "" },
  ] as const)("$how, where the plan says $combine: $calls calls", async ({ how, combine, calls, stdout }) => {
    const run = await cli(["t", "--divide", "--synthesis", how], { env: await envOf({ combine }) });
    expect({ code: run.code, stdout: run.stdout }).toEqual({ code: 0, stdout });
    expect(server.requests).toHaveLength(calls);
    expect(came().includes("join")).toBe(calls === 5);
    expect(run.stderr.includes("No answer was asked for; --out-dir or --json gives you the results.")).toBe(how === "none");
  });
});

describe("--concurrency", () => {
  const slow = { firstMs: 40 };

  test("without it, all workers run at once", async () => {
    await cli(["t", "-q", "--divide"], { env: await envOf({ subtasks: 6, workers: { firstMs: 1_500 } }) });
    expect(server.maxInFlight).toBeGreaterThanOrEqual(6);
  });

  test("never more calls are in flight, and always as many as may be", async () => {
    const { code } = await cli(["t", "-q", "--divide", "--concurrency", "2"], { env: await envOf({ subtasks: 6, workers: slow }) });
    expect(code).toBe(0);
    expect(server.requests).toHaveLength(8);
    expect(server.maxInFlight).toBe(2);
  });

  test("1: the plan, then the workers in its order, then the answer, each when the one before is over", async () => {
    const { code } = await cli(["t", "-q", "--divide", "--concurrency", "1"], { env: await envOf({ subtasks: 4, workers: slow }) });
    expect(code).toBe(0);
    expect(came()).toEqual(["plan", "one", "two", "three", "four", "join"]);
    expect(server.maxInFlight).toBe(1);
  });
});

describe("--max-subtasks", () => {
  test("is what the orchestrator is told, and what is carried out even so; the rest is said to be missing", async () => {
    const { code, stdout, stderr } = await cli(["t", "--divide", "--max-subtasks", "2"], { env: await envOf({ subtasks: 5, combine: "keep" }) });
    expect(server.requests[0]?.system).toContain("Never more than 2.");
    expect(came()).toEqual(["plan", "one", "two"]);
    expect(code).toBe(3);
    expect(stdout).toContain("- 3 more of the plan, over the limit of subtasks.");
    expect(stderr).toContain("! The plan has 5 subtasks; the limit is 2, so the last 3 were dropped.");
  });

  test("holds for a plan alone too", async () => {
    const { stdout, stderr } = await cli(["plan", "t", "--divide", "--max-subtasks", "2", "--json"], { env: await envOf({ subtasks: 5 }) });
    expect(stderr).toContain("! The plan has 5 subtasks; the limit is 2, so the last 3 were dropped.");
    expect(JSON.parse(stdout)).toMatchObject({ subtasks: [{ id: "one" }, { id: "two" }] });
    expect(came()).toEqual(["plan"]);
  });
});

describe("--rounds", () => {
  test("has the orchestrator look at the results and go on, says so, and ends when it asks for nothing more", async () => {
    const { code, stdout, stderr } = await cli(["t", "--divide", "--rounds", "5"], { env: await envOf({ subtasks: 2, combine: "keep" }) });
    expect(code).toBe(0);
    expect(came()).toEqual(["plan", "one", "two", "plan", "six", "plan"]);
    expect(stdout).toContain("Result six.");
    expect(stderr).toContain("plan: round 2, anthropic:claude-opus-5-5 looks at the results\n");
    expect(stderr).toContain("plan: round 3,");
  });

  test("2 is one look at most", async () => {
    await cli(["t", "-q", "--divide", "--rounds", "2"], { env: await envOf({ subtasks: 2, combine: "keep" }) });
    expect(came()).toEqual(["plan", "one", "two", "plan", "six"]);
  });

  test("is 1 at least", async () => {
    const { code, stderr } = await cli(["t", "--rounds", "0"], { env: await envOf() });
    expect([code, stderr]).toEqual([2, expect.stringContaining("--rounds: must be a whole number from 1 to 20, and is 0.")]);
  });
});

describe("--kind", () => {
  test("is told to the orchestrator with what it is for, and has its subtasks; with a model of its own, by that", async () => {
    const kinds = ["--kind", "one: writes the first part", "--kind", "two@openai-compatible:other: writes the second"];
    const { code } = await cli(["t", "-q", "--divide", ...kinds], { env: await envOf({ combine: "keep" }) });
    expect(code).toBe(0);
    expect(server.requests[0]?.system).toContain("- one: writes the first part\n- two: writes the second\n");
    const models = server.requests.filter(({ system }) => system.startsWith("You carry out")).map(({ modelId, prompt }) => `${partOf(prompt)} ${modelId}`);
    expect(models.toSorted()).toEqual(["one claude-haiku-4-5", "three claude-haiku-4-5", "two other"]);
  });

  test.each([
    [["--kind", "research"], '--kind is a type of subtask with what it is for, such as "research: finds sources and quotes them", and got "research".'],
    [["--kind", "a: b", "--kind", "A: c"], '--kind names "A" twice.'],
    [["--kind", "default: b"], '"default" names the general worker'],
  ])("is said to be wrong where it is: %j", async (flags, said) => {
    const { code, stderr } = await cli(["t", ...flags], { env: await envOf() });
    expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
  });
});

describe("--window", () => {
  test("has results shortened that do not fit the window of the model that joins", async () => {
    const { code, stderr } = await cli(["t", "--divide", "--window", "4000"], { env: await envOf({ long: 30_000 }) });
    expect(code).toBe(0);
    expect(server.requests.filter(({ system }) => system.startsWith("You shorten"))).not.toHaveLength(0);
    expect(stderr).toContain("answer: shortens 3 results in ");
  });
});

describe("a model for each role", () => {
  test.each([
    {
      flags: ["--orchestrator", "anthropic:big", "--worker", "openai-compatible:small", "--synthesizer", "anthropic:other"],
      models: ["plan: big", "work: small", "join: other"],
    },
    { flags: ["-m", "anthropic:one"], models: ["plan: one", "work: one", "join: one"] },
    { flags: ["-m", "anthropic:one", "--worker", "anthropic:small"], models: ["plan: one", "work: small", "join: one"] },
    { flags: ["-m", "anthropic:one", "--synthesizer", "anthropic:other"], models: ["plan: one", "work: one", "join: other"] },
    { flags: ["--orchestrator", "anthropic:big", "--worker", "anthropic:small"], models: ["plan: big", "work: small", "join: big"] },
  ])("$flags", async ({ flags, models }) => {
    const { code } = await cli(["t", "-q", "--divide", ...flags], { env: await envOf() });
    expect(code).toBe(0);
    expect(modelsBy()).toEqual(models);
  });

  test("each is asked in its provider's own protocol", async () => {
    await cli(["t", "-q", "--divide", "--orchestrator", "anthropic:big", "--worker", "openai-compatible:small"], { env: await envOf() });
    expect(server.requests.map((request) => `${isWork(request) ? "work" : roleOf(request)} ${request.wire}`)).toEqual([
      "plan anthropic",
      ...Array.from({ length: 3 }, () => "work openai"),
      "join anthropic",
    ]);
  });

  test("a plan alone asks the orchestrator and needs nobody else", async () => {
    const { code } = await cli(["plan", "t", "-q", "--orchestrator", "anthropic:big", "--divide"], { env: await envOf() });
    expect(code).toBe(0);
    expect(modelsBy()).toEqual(["plan: big"]);
  });
});

describe("--evaluate", () => {
  const judged = (): string[] =>
    server.requests.map(
      ({ system, prompt, modelId }) => `${system.startsWith("You judge") ? "judge" : prompt.includes("This falls short") ? "again" : "first"} ${modelId}`,
    );

  test("has each result judged, and written again where it falls short", async () => {
    const env = await envOf({ subtasks: 2, combine: "keep" });
    const { code, stdout, stderr } = await cli(["t", "--divide", "-m", "anthropic:claude-test", "--evaluate", "It is vivid."], { env });
    expect(code).toBe(0);
    expect(stdout).toContain("Once more, and better.");
    expect(stderr).toMatch(/one: try 1 is judged 40 of 100, which falls short: Too dry\./);
    expect(stderr).toMatch(/two: try 2 is judged 90 of 100: Too dry\./);
    expect(judged().filter((ask) => ask.startsWith("judge"))).toHaveLength(4);
    expect(judged().filter((ask) => ask.startsWith("again"))).toHaveLength(2);
    expect(server.requests.find(({ system }) => system.startsWith("You judge"))?.prompt).toContain("It is vivid.");
  });

  test("is as strict, as patient and done by whom the other flags say", async () => {
    const env = await envOf({ subtasks: 2, combine: "keep" });
    const flags = ["--evaluate", "It is vivid.", "--threshold", "0.95", "--tries", "3", "--evaluator", "anthropic:claude-judge"];
    const { code, stderr } = await cli(["t", "--divide", "-m", "anthropic:claude-test", ...flags], { env });
    expect(code).toBe(3);
    expect(stderr).toMatch(/not all as good as was asked for: 2 of 2 results \(one and two\)/);
    expect(stderr).toMatch(/one: try 3 is judged 90 of 100, which falls short/);
    expect(stderr).not.toMatch(/divvy resume/);
    expect(judged().filter((ask) => ask === "judge claude-judge")).toHaveLength(6);
    expect(judged().filter((ask) => ask === "again claude-test")).toHaveLength(4);
  });

  test("for the answer leaves the results as they come", async () => {
    const env = await envOf({ subtasks: 2, combine: "merge" });
    const { code, stdout } = await cli(["t", "--divide", "-m", "anthropic:claude-test", "--evaluate-answer", "It is vivid."], { env });
    expect(code).toBe(0);
    expect(stdout).toContain("Once more, and better.");
    expect(judged()).toEqual([
      "first claude-test",
      "first claude-test",
      "first claude-test",
      "first claude-test",
      "judge claude-test",
      "again claude-test",
      "judge claude-test",
    ]);
  });
});
