import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isRecord } from "../json.ts";
import { providerServer, type ProviderServer, type ReplyFunction, type Script } from "../testing/index.ts";
import { cli, linesAfter, Screen, startCli } from "./test-world.ts";

// Real processes and connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

let cwd: string;
let server: ProviderServer | undefined;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "divvy-cli-"));
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(cwd, { recursive: true, force: true });
});

const plan = `<analysis>Two angles.</analysis>
<tasks combine="keep">
<task id="facts"><type>facts</type><description>List the FACTS.</description></task>
<task id="feel"><type>feel</type><description>Tell the FEELING.</description></task>
</tasks>`;

/** Plans as above; workers answer with what is given for them. */
const twoWorkers = (facts: ReplyFunction | string, feel: ReplyFunction | string = "The feeling."): Script => [
  { when: (call) => /combine=/.test(call.system), reply: plan },
  { when: /List the FACTS\.(?![\s\S]*<task )/, reply: facts },
  { when: /Tell the FEELING\./, reply: feel },
];

/** The environment of a user whose key opens a provider that says what the script says. */
async function envWith(script: Script): Promise<Record<string, string>> {
  server = await providerServer(script, { vary: false });
  return { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl };
}

const refusal = {
  fault: { kind: "status", status: 400, body: { type: "error", error: { type: "invalid_request_error", message: "No \u001B[31msuch\u001B[0m thing." } } },
} as const;

test("0: the answer alone on stdout, everything else as plain lines on stderr", async () => {
  const { code, stdout, stderr } = await cli(["Write about a bottle"], { env: await envWith(twoWorkers("The facts.")) });
  expect(code).toBe(0);
  expect(stdout).toBe("## Facts\n\nThe facts.\n\n## Feel\n\nThe feeling.\n");
  const lines = stderr.replace(/\d+(\.\d+)?( s|\b)/g, "#$2").split("\n");
  expect(lines[0]).toBe("anthropic:claude-opus-#-# plans and joins, anthropic:claude-haiku-#-# works (ANTHROPIC_API_KEY is set)");
  expect(lines).toContain("facts: planned");
  expect(lines).toContain("plan: Two angles.");
  expect(stderr).toMatch(/^plan: claude-opus-[-\d]+ · 2 subtasks · keep · \d+\.\d s$/m);
  expect(stderr).toMatch(/^feel: done, \d+ tok, \d+\.\d s, \$\d\.\d+$/m);
  expect(stderr).toMatch(/^3 calls · .* in, .* out · \$\d\.\d+ \(expected \$\d\.\d+\) · \d+\.\d s/m);
  expect(stderr).not.toContain("\u001B");
});

test("3: what is missing is said, and the rest is the answer", async () => {
  const { code, stdout, stderr } = await cli(["t", "-q"], { env: await envWith(twoWorkers("The facts.", () => refusal)) });
  expect(code).toBe(3);
  expect(stdout).toContain("The facts.");
  expect(stdout).toContain("**Not covered**");
  expect(stderr).toMatch(/^divvy: 1 of 2 subtasks are done\. Missing: feel\.\n {2}The answer says what is missing\.\n {2}Go on with it: .*\n$/);
});

test("1: nothing on stdout, the reason and no stack on stderr", async () => {
  const { code, stdout, stderr } = await cli(["t"], { env: await envWith([{ when: "", reply: refusal }]) });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain("No such thing.");
  expect(stderr).not.toContain("\u001B");
  expect(stderr).not.toMatch(/ at .*:\d+:\d+/);
});

test("2: what was typed is wrong; nothing is asked", async () => {
  const env = await envWith([]);
  const typo = await cli(["--modle", "x", "t"], { env });
  expect(typo).toEqual({
    code: 2,
    stdout: "",
    stderr: "divvy: There is no flag --modle. Did you mean --model?\n  Type divvy --help for all flags, with examples.\n",
  });
  const provider = await cli(["t", "-m", "antropic:x"], { env });
  expect(provider.stderr).toContain('There is no provider "antropic"; did you mean "anthropic:x"?');
  expect((await cli(["t", "--max-subtasks", "0"], { env })).stderr).toContain("--max-subtasks: must be a whole number from 1 to 10000, and is 0.");
  expect((await cli(["t", "-o", "no/such/folder/a.md"], { env, cwd })).stderr).toContain("its folder is not there");
  expect(provider.code).toBe(2);
  expect(server?.requests).toEqual([]);
});

test("--json is exactly one outcome, whatever happens", async () => {
  const statuses: unknown[] = [];
  const read = ({ code, stdout }: { code: number; stdout: string }): void => {
    expect(stdout.endsWith("}\n")).toBe(true);
    const outcome: unknown = JSON.parse(stdout);
    if (isRecord(outcome)) statuses.push([outcome["status"], code]);
  };
  read(await cli(["t", "--json"], { env: await envWith(twoWorkers("The facts.")) }));
  read(await cli(["t", "--json"], { env: await envWith(twoWorkers("The facts.", () => refusal)) }));
  read(await cli(["t", "--json"], { env: await envWith([{ when: "", reply: refusal }]) }));
  read(await cli(["t", "--json", "--wibble"]));
  read(await cli(["t", "--json", "-f", "nope.txt"], { cwd }));
  read(await cli(["--json"]));
  read(await cli(["t", "--json", "-m", "groq:x"]));
  expect(statuses).toEqual([
    ["ok", 0],
    ["partial", 3],
    ["failed", 1],
    ["failed", 2],
    ["failed", 2],
    ["failed", 2],
    ["failed", 1],
  ]);
});

test("--jsonl is every event, and the outcome last; a mistake is an end too", async () => {
  const { stdout } = await cli(["t", "--jsonl", "-q"], { env: await envWith(twoWorkers("The facts.")) });
  const types = stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const event: unknown = JSON.parse(line);
      return isRecord(event) ? event["type"] : undefined;
    });
  expect(types[0]).toBe("run.started");
  expect(types).toContain("subtask.delta");
  expect(types.at(-1)).toBe("run.finished");
  expect(JSON.parse((await cli(["t", "--jsonl", "--wibble"])).stdout)).toMatchObject({ type: "run.finished", outcome: { status: "failed" } });
});

test("stdin is the task where none is given", async () => {
  const env = await envWith(twoWorkers("The facts."));
  expect((await cli(["-q"], { env, stdin: Readable.from(["Write about ", "a bottle\n"]) })).code).toBe(0);
  expect(server?.requests[0]?.prompt).toContain("Write about a bottle");
  expect(await cli(["-q"], { env, stdin: Readable.from([" \n"]) })).toMatchObject({
    code: 2,
    stderr: 'divvy: There is no task.\n  Type: divvy "what you want done"\n',
  });
  expect((await cli(["compare", "-q"], { env, stdin: Readable.from([" \n"]) })).stderr).toContain('Type: divvy compare "what you want done"');
});

test("with a task, an open pipe is left alone; -f - reads it", async () => {
  const env = await envWith(twoWorkers("The facts."));
  const open = new PassThrough();
  expect((await cli(["t", "-q"], { env, stdin: open })).code).toBe(0);
  expect(open.readableFlowing).toBe(null);
  expect((await cli(["t", "-q", "-f", "-"], { env, stdin: Readable.from(["a long diff"]) })).code).toBe(0);
  expect(server?.requests.at(-1)?.prompt).toContain("a long diff");
  expect((await cli(["-f", "-"], { env, stdin: Readable.from(["x"]) })).stderr).toContain("stdin can be one thing only");
});

test("context: values and files reach the models under their names", async () => {
  const env = await envWith(twoWorkers("The facts."));
  await writeFile(join(cwd, "notes.md"), "NOTES");
  expect((await cli(["t", "-q", "-c", "audience=hikers", "-f", "*.md"], { env, cwd })).code).toBe(0);
  expect(server?.requests[0]?.prompt).toMatch(/audience: hikers\nnotes\.md: NOTES/);
});

test("a plan can be looked at first, and carried out later without asking for it again", async () => {
  const env = await envWith(twoWorkers("The facts."));
  for (const flags of [[], ["--json"]]) {
    const made = await cli(["plan", "t", ...flags], { env });
    expect(made.code).toBe(0);
    expect(made.stderr).toMatch(/2 subtasks · /);
    await writeFile(join(cwd, "plan"), made.stdout);
    const before = server?.requests.length ?? 0;
    expect(await cli(["run", "t", "--plan", "plan", "-q"], { env, cwd })).toEqual({
      code: 0,
      stdout: "## Facts\n\nThe facts.\n\n## Feel\n\nThe feeling.\n",
      stderr: "",
    });
    expect((server?.requests.length ?? 0) - before).toBe(2);
  }
  expect((await cli(["run", "t", "--plan", "-"], { env, stdin: Readable.from(["<tasks></tasks>"]) })).code).toBe(2);
});

test("-o takes the answer in place of stdout; --out-dir takes everything besides", async () => {
  const env = await envWith(twoWorkers("The facts."));
  const toFile = await cli(["t", "-o", "answer.md", "--out-dir", "out"], { env, cwd });
  expect(toFile).toMatchObject({ code: 0, stdout: "" });
  expect(toFile.stderr).toMatch(/The answer is in answer\.md\n4 files in out\n$/);
  expect(await readFile(join(cwd, "answer.md"), "utf8")).toContain("The facts.");
  expect((await readdir(join(cwd, "out"))).toSorted()).toEqual(["01-facts.md", "02-feel.md", "answer.md", "outcome.json"]);
});

test.runIf(process.platform === "linux")("where the file cannot be written after all, the answer goes to stdout, and the code says so", async () => {
  const { code, stdout, stderr } = await cli(["t", "-q", "-o", "/dev/full"], { env: await envWith(twoWorkers("The facts.")) });
  expect(stdout).toContain("The facts.");
  expect(stderr).toContain("/dev/full cannot be written: the disk is full.");
  expect(code).toBe(1);
});

test("a closed pipe is no fault", async () => {
  const stdout = new Screen();
  stdout.closesAt = "Facts";
  const started = startCli(["t", "-q"], { env: await envWith(twoWorkers("The facts.")), stdout });
  expect(await started.code).toBe(0);
  expect(started.stderr.text).toBe("");
});

test("when nobody reads the events any more, the run ends", async () => {
  const stdout = new Screen();
  stdout.closesAt = "subtask.started";
  const silence = { text: "x", fault: { kind: "silence", afterChunks: 0 } } as const;
  const started = startCli(["t", "-q", "--jsonl"], {
    env: await envWith(
      twoWorkers(
        () => silence,
        () => silence,
      ),
    ),
    stdout,
  });
  expect(await started.code).toBe(130);
  expect(started.stderr.text).toMatch(/^Stopped: nobody reads the events any more\.\n {2}Go on with it: .*\n$/);
});

test("Ctrl-C stops the run and says what is done; every connection is closed", async () => {
  const silence = { text: "x", fault: { kind: "silence", afterChunks: 0 } } as const;
  const started = startCli(["t"], { env: await envWith(twoWorkers("The facts.", () => silence)) });
  await until(() => started.stderr.text.includes("facts: done") && server?.inFlight === 1);
  started.signals.emit("SIGINT");
  expect(await started.code).toBe(130);
  expect(started.stdout.text).toBe("");
  expect(started.stderr.text).toContain("Stopping; Ctrl-C again leaves at once.");
  expect(started.stderr.text).toMatch(/Stopped\. 1 of 2 subtasks was done: facts\.\n {2}Go on with it: .*\n$/);
  await until(() => server?.inFlight === 0);
  expect(started.left).toEqual([]);
  expect(started.signals.listenerCount("SIGINT")).toBe(0);
});

test("a second Ctrl-C leaves at once", async () => {
  const silence = { text: "x", fault: { kind: "silence", afterChunks: 0 } } as const;
  const started = startCli(["t"], { env: await envWith([{ when: "", reply: silence }]) });
  await until(() => server?.inFlight === 1);
  started.signals.emit("SIGTERM");
  started.signals.emit("SIGINT");
  expect(started.left).toEqual([130]);
  expect(await started.code).toBe(130);
});

test("Ctrl-C while stdin is waited for", async () => {
  const started = startCli([], { env: await envWith([]), stdin: new PassThrough() });
  await new Promise((resolve) => setTimeout(resolve, 100));
  started.signals.emit("SIGINT");
  expect(await started.code).toBe(130);
});

const evil = "Good \u001B[2J\u001B]52;c;eA==\u0007text\u009B31m\u202E.";

test("on a terminal the answer is laid out, and commands in it do not reach the terminal", async () => {
  const stdout = new Screen({ isTTY: true, columns: 60 });
  expect(await startCli(["t", "-q"], { env: { ...(await envWith(twoWorkers(evil))), NO_COLOR: "1" }, stdout }).code).toBe(0);
  expect(stdout.text).toBe("## Facts\n\nGood text.\n\n## Feel\n\nThe feeling.\n");
});

test("in a pipe the answer is data, to the letter", async () => {
  expect((await cli(["t", "-q"], { env: await envWith(twoWorkers(evil)) })).stdout).toContain(evil);
});

test("JSON is harmless on a terminal and says the same", async () => {
  const { stdout } = await cli(["t", "-q", "--json"], { env: await envWith(twoWorkers(evil)) });
  expect(stdout).not.toMatch(/(?!\n)\p{Cc}|\u202E/u);
  expect(JSON.parse(stdout)).toMatchObject({ results: [{ result: evil }, {}] });
});

test.each([40, 60, 100])("a live picture in %i columns is drawn in place, never taller or wider than the terminal, and stays once", async (columns) => {
  const rows = 12;
  const stderr = new Screen({ isTTY: true, columns, rows });
  const slow = { text: `${evil} `.repeat(10), chunkMs: 20, firstMs: 50 };
  const env = {
    ...(await envWith(
      twoWorkers(
        () => slow,
        () => slow,
      ),
    )),
    NO_COLOR: "1",
  };
  expect(await startCli(["t"], { env, stderr }).code).toBe(0);

  const shown = "\u001B[?2026l";
  const begin = stderr.text.indexOf("\u001B");
  const frames = stderr.text
    .slice(begin)
    .split(shown)
    .map((_, index, parts) => linesAfter(parts.slice(0, index + 1).join(shown)));
  for (const frame of frames) {
    expect(frame.length).toBeLessThanOrEqual(rows);
    for (const line of frame) expect(line.length).toBeLessThanOrEqual(columns);
    expect(frame.join("")).not.toMatch(/\p{Cc}|\u202E/u);
  }
  expect(frames.some((frame) => frame.some((line) => /^[◐◓◑◒] facts +….*Good/.test(line)))).toBe(true);

  const last = linesAfter(stderr.text).map((line) => line.trimEnd());
  expect(last.filter((line) => /^\S plan {3}/.test(line))).toHaveLength(1);
  expect(last.filter((line) => line.startsWith("✔ f"))).toHaveLength(2);
  expect(last.join("\n")).toMatch(/\d s( \(one\s+after\s+another ≈ \d+\.\d s\))?\n$/);
  expect(last.join("\n")).not.toMatch(/[◐◓◑◒]|Good/);
});

test.each([[{ TERM: "dumb" }], [{ CI: "true" }]])("no picture where %j", async (more) => {
  const stderr = new Screen({ isTTY: true });
  expect(await startCli(["t"], { env: { ...(await envWith(twoWorkers("The facts."))), ...more, NO_COLOR: "1" }, stderr }).code).toBe(0);
  expect(stderr.text).toContain("facts: done");
  expect(stderr.text).not.toContain("\u001B");
});

test("without any model the three ways on are shown, and the code is 1", async () => {
  const loadEngine = (): Promise<never> => Promise.reject(new Error("not loaded in this test"));
  const offline: typeof globalThis.fetch = () =>
    Promise.reject(Object.assign(new TypeError("fetch failed"), { cause: Object.assign(new Error("x"), { code: "ENOTFOUND" }) }));
  const { code, stderr } = await cli(["t"], { env: { DIVVY_MODEL_CACHE: cwd }, fetch: offline, loadEngine });
  expect(code).toBe(1);
  expect(stderr).toContain("The built-in model is tiny");
  expect(stderr).toMatch(/Set a provider's key .* start a local server .* local:\/path\/to\/file\.gguf/);
});

test("divvy models says what can be used and why not; in JSON too", async () => {
  const env = { ANTHROPIC_API_KEY: "k", DIVVY_MODEL_CACHE: cwd };
  const { code, stdout } = await cli(["models"], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^✔ anthropic +ANTHROPIC_API_KEY set\n +anthropic:claude-opus/m);
  expect(stdout).toMatch(/^– openai +OPENAI_API_KEY not set$/m);
  expect(stdout).toMatch(/When no model is named \(ANTHROPIC_API_KEY is set\):\n {2}plans and joins +anthropic:/);
  const { models, chosen } = Object(JSON.parse((await cli(["models", "--json"], { env })).stdout));
  expect(models[0]).toMatchObject({ provider: "anthropic", usable: true });
  expect(chosen).toMatchObject({ why: "ANTHROPIC_API_KEY is set" });
});

test("help has examples for everything, and fits", async () => {
  for (const [argv, example] of [
    [["--help"], "git diff | divvy"],
    [["run", "--help"], "--out-dir review"],
    [["plan", "--help"], "> plan.xml"],
    [["models", "-h"], "divvy models --json | jq .chosen"],
    [["runs", "--help"], "divvy runs prune --older-than 30d"],
    [["show", "--help"], "divvy show last --events"],
    [["help", "resume"], "divvy resume last"],
    [["rerun", "--help"], "divvy rerun last --subtask facts"],
  ] as const) {
    const { code, stdout } = await cli(argv);
    expect(code).toBe(0);
    expect(stdout).toContain(example);
    for (const line of stdout.split("\n").filter((text) => !text.startsWith("  divvy"))) expect(line.length).toBeLessThanOrEqual(80);
  }
});

async function until(condition: () => boolean | undefined): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error("It did not happen in time.");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
