import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { providerServer, type ProviderServer } from "../testing/index.ts";

// Real processes and connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

/** The program as a process of its own: what only a process can show. */

const main = fileURLToPath(new URL("main.ts", import.meta.url));

let server: ProviderServer;
let children: ChildProcess[];
let data: string;

beforeEach(async () => {
  children = [];
  data = await mkdtemp(join(tmpdir(), "divvy-main-"));
  server = await providerServer(
    [
      {
        when: (call) => /combine=/.test(call.system),
        reply:
          '<tasks combine="keep"><task id="a"><description>Do PART-A.</description></task><task id="b"><description>Do PART-B.</description></task></tasks>',
      },
      { when: "hang", reply: { text: "x", fault: { kind: "silence", afterChunks: 0 } } },
      { when: "", reply: "A line.\nAnother line." },
    ],
    { vary: false },
  );
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await server.close();
  await rm(data, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

function start(argv: readonly string[], { nodeFlags = [], stdin = "ignore" }: { nodeFlags?: readonly string[]; stdin?: "ignore" | "pipe" } = {}): Started {
  const { PATH } = process.env;
  const env = { PATH, DIVVY_DATA_DIR: data, ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl };
  const child = spawn(process.execPath, [...nodeFlags, main, ...argv], { env, stdio: [stdin, "pipe", "pipe"] });
  children.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const ended = once(child, "close").then(() => ({ code: child.exitCode, signal: child.signalCode }));
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

test("the answer on stdout, the code 0; an open stdin keeps nothing alive", async () => {
  const run = start(["t", "-q"], { stdin: "pipe" });
  expect(await run.ended).toEqual({ code: 0, signal: null });
  expect(run.stdout()).toBe("## Default\n\nA line.\nAnother line.\n\n## Default (2)\n\nA line.\nAnother line.\n");
  expect(run.stderr()).toBe("");
});

test("a pipe that closes early: no crash, no stack", async () => {
  const run = start(["t", "--jsonl", "-q", "-o", "/dev/null"]);
  run.child.stdout?.once("data", () => run.child.stdout?.destroy());
  expect(await run.ended).toEqual({ code: 0, signal: null });
  expect(run.stderr()).toBe("");
});

test("Ctrl-C once: stops, and says what is done", async () => {
  const run = start(["hang"]);
  await until(() => server.inFlight === 2);
  run.child.kill("SIGINT");
  expect(await run.ended).toEqual({ code: 130, signal: null });
  expect(run.stdout()).toBe("");
  expect(run.stderr()).toMatch(/Stopping; Ctrl-C again leaves at once\.[\s\S]*Stopped\. 0 of 2 subtasks were done\.\n {2}Go on with it: .*\n$/);
  await until(() => server.inFlight === 0);
});

test("a mistake: the code 2, and no stack", async () => {
  const run = start(["--wibble"]);
  expect(await run.ended).toEqual({ code: 2, signal: null });
  expect(run.stderr()).toBe("divvy: There is no flag --wibble.\n  Type divvy --help for all flags, with examples.\n");
});

test("that SQLite may change is no news for who sits at a terminal; other warnings are shown", async () => {
  // As Node 22 says it when it is loaded.
  const warns = `const { getBuiltinModule } = process;
process.getBuiltinModule = (id) => {
  if (id === "node:sqlite") for (const text of ["SQLite is an experimental feature and might change at any time", "Another thing"]) process.emitWarning(text, "ExperimentalWarning");
  return getBuiltinModule.call(process, id);
};`;
  const run = start(["t", "-q"], { nodeFlags: ["--import", `data:text/javascript,${encodeURIComponent(warns)}`] });
  expect(await run.ended).toEqual({ code: 0, signal: null });
  expect(run.stderr()).toMatch(/^\(node:\d+\) ExperimentalWarning: Another thing\n/);
  expect(run.stderr()).not.toContain("SQLite");
});

test.runIf(process.platform === "linux").each([
  ["t -q", "Write the answer to a file: -o answer.md"],
  ["runs --json", "Send it elsewhere."],
])("a full disk behind the stdout of divvy %s is said, and what can be done", async (typed, hint) => {
  const { PATH } = process.env;
  const child = spawn("/bin/sh", ["-c", `"$0" "$1" ${typed} > /dev/full`, process.execPath, main], {
    env: { PATH, DIVVY_DATA_DIR: data, ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: server.anthropicBaseUrl },
    stdio: ["ignore", "ignore", "pipe"],
  });
  children.push(child);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  await once(child, "close");
  expect(stderr).toMatch(/^divvy: stdout cannot be written: ENOSPC/);
  expect(stderr).toContain(`\n  ${hint}\n`);
  expect(child.exitCode).toBe(1);
});

test.each([["20.19.0"], ["22.12.9"]])("on Node %s: one sentence", async (version) => {
  const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`;
  const run = start(["--help"], { nodeFlags: ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`] });
  expect(await run.ended).toEqual({ code: 2, signal: null });
  expect(run.stdout()).toBe("");
  expect(run.stderr()).toBe(`divvy needs Node 22.13 or later; this is ${version}.\n`);
});

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 1000) throw new Error("It did not happen in time.");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
