/**
 * The terminal program as it is built, as processes of their own against a provider on this machine: pipes that close, signals,
 * full disks, wrong keys, an old Node. What can be known without a process is tested beside the source.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { providerServer, type Script } from "../src/testing/index.ts";
import { foreignPath, releasedNode } from "./released-node.ts";
import { said } from "./shell.ts";

const TOO_OLD_NODE = "20.19.0";
const OLDEST_NODE = "22.13.0";
const key = "sk-ant-api03-0123456789abcdef";
const program = resolve(import.meta.dirname, "../dist/cli.js");

/** Nobody shall have to read where in our code it happened. */
const stack = /\n\s+at .*:\d+|node:internal|Error \[|UnhandledPromise/;

interface Started {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<number | null>;
}

interface Surroundings {
  readonly url: string;
  /** How it is started: by a shell, where that is what shall be seen. @default by Node itself */
  readonly command?: readonly [string, ...string[]];
  /** Nobody reads its stdout. @default false */
  readonly unread?: boolean;
}

const children = new Set<ChildProcess>();

/** Where the runs of these checks are kept. */
const data = await mkdtemp(join(tmpdir(), "divvy-verify-"));

function start(argv: readonly string[], { url, command: [file, ...before] = [process.execPath, program], unread = false }: Surroundings): Started {
  const env = { PATH: process.env["PATH"], DIVVY_DATA_DIR: data, ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url, NODE: process.execPath, DIVVY: program };
  const child = spawn(file, [...before, ...argv], { env, stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  let stdout = "";
  let stderr = "";
  if (!unread) child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = once(child, unread ? "exit" : "close").then(() => {
    children.delete(child);
    assert.doesNotMatch(stderr, stack);
    return child.exitCode;
  });
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

const plan = `<tasks combine="keep"><task id="a"><description>Do PART-A.</description></task><task id="b"><description>Do PART-B.</description></task></tasks>`;
const planned = (worker: Script): Script => [
  { when: ({ system }) => system.includes("combine="), reply: plan },
  ...(typeof worker === "function" ? [{ when: "", reply: worker }] : worker),
];
const silent = { text: "x", fault: { kind: "silence", afterChunks: 0 } } as const;

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 1500) throw new Error(`In 15 s ${what}.`);
    await pause(10);
  }
}

/** How often it is said. */
const times = (text: string, words: string): number => text.split(words).length - 1;

async function readerLeaves(): Promise<void> {
  await using server = await providerServer(planned([{ when: "", reply: { text: "A long line.\n".repeat(50_000), chunkSize: 65_536 } }]));
  const run = start(["-c", '{ "$NODE" "$DIVVY" t -q; echo "code $?" >&2; } | head -c 10'], { url: server.anthropicBaseUrl, command: ["/bin/sh"] });
  await run.ended;
  assert.deepEqual([run.stdout(), run.stderr()], ["## Default", "code 0\n"]);
}

async function eventsReaderLeaves(): Promise<void> {
  await using server = await providerServer(planned([{ when: "", reply: { text: "word ".repeat(2000), chunkMs: 20 } }]));
  const run = start(["-c", '{ "$NODE" "$DIVVY" t -q --jsonl; echo "code $?" >&2; } | head -c 10'], { url: server.anthropicBaseUrl, command: ["/bin/sh"] });
  await run.ended;
  assert.match(run.stderr(), /^Stopped: nobody reads the events any more\.\n {2}Go on with it: divvy resume \w+ .*\ncode 130\n$/);
  await until(() => server.inFlight === 0, "the calls were not stopped");
}

async function interrupted(): Promise<void> {
  await using server = await providerServer(planned([{ when: "", reply: silent }]));
  const run = start(["t"], { url: server.anthropicBaseUrl });
  await until(() => server.inFlight === 2, "the workers did not start");
  run.child.kill("SIGINT");
  assert.equal(await run.ended, 130);
  assert.equal(run.stdout(), "");
  assert.equal(times(run.stderr(), "Stopping; Ctrl-C again leaves at once."), 1);
  assert.equal(times(run.stderr(), "Stopped."), 1);
  assert.match(run.stderr(), /\nStopped\. 0 of 2 subtasks were done\.\n {2}Go on with it: divvy resume \w+ \(it would do 2 subtasks and the answer\)\n$/);
  await until(() => server.inFlight === 0, "the calls were not stopped");
}

/** What was paid for is kept, whatever becomes of the process. */
async function killedAndResumed(): Promise<void> {
  let asked = 0;
  await using server = await providerServer(
    planned([
      { when: "PART-A", reply: "One." },
      { when: "", reply: () => (asked++ === 0 ? silent : "Two.") },
    ]),
  );
  const url = server.anthropicBaseUrl;
  const first = start(["t"], { url });
  await until(() => server.inFlight === 1 && /^a: done/m.test(first.stderr()), "the first worker was not done");
  first.child.kill("SIGKILL");
  await first.ended;
  const { length } = server.requests;
  const second = start(["resume", "last", "-q"], { url });
  assert.equal(await second.ended, 0);
  assert.equal(second.stdout(), "## Default\n\nOne.\n\n## Default (2)\n\nTwo.\n");
  assert.equal(second.stderr(), "");
  assert.equal(server.requests.length, length + 1);
}

/** The oldest that it runs on says that its SQLite may change; who sits at a terminal is not told. */
async function oldestNode(): Promise<void> {
  await using server = await providerServer(planned([{ when: "", reply: "Done." }]));
  const run = start(["t", "-q"], { url: server.anthropicBaseUrl, command: [join(await releasedNode(OLDEST_NODE), "node"), program] });
  assert.equal(await run.ended, 0);
  assert.equal(run.stderr(), "");
}

/** What still has to be written waits for a reader that does not read: the first Ctrl-C alone cannot end it. */
async function interruptedTwice(): Promise<void> {
  await using server = await providerServer(
    planned([
      { when: "PART-A", reply: { text: "A long line.\n".repeat(200_000), chunkSize: 65_536 } },
      { when: "", reply: silent },
    ]),
  );
  const run = start(["t", "--jsonl"], { url: server.anthropicBaseUrl, unread: true });
  await until(() => server.inFlight === 1 && /^a: done/m.test(run.stderr()), "the first worker was not done");
  run.child.kill("SIGINT");
  await until(() => run.stderr().includes("Stopping; Ctrl-C again leaves at once."), "the signal was not heard");
  await pause(500);
  assert.equal(run.child.exitCode, null);
  run.child.kill("SIGINT");
  const late = pause(5000, "late", { ref: false });
  assert.equal(await Promise.race([run.ended, late]), 130);
}

async function fullDisk(): Promise<void> {
  if (process.platform !== "linux") return;
  await using server = await providerServer(planned([{ when: "", reply: "Done." }]));
  const run = start(["t", "-q", "-o", "/dev/full"], { url: server.anthropicBaseUrl });
  assert.equal(await run.ended, 1);
  // What was paid for is not lost.
  assert.match(run.stdout(), /Done\./);
  assert.equal(run.stderr(), "divvy: /dev/full cannot be written: the disk is full.\n  Name another place.\n");
}

async function unknownFlag(): Promise<void> {
  const run = start(["t", "--sythesis", "keep"], { url: "http://127.0.0.1:9" });
  assert.equal(await run.ended, 2);
  assert.deepEqual(
    [run.stdout(), run.stderr()],
    ["", "divvy: There is no flag --sythesis. Did you mean --synthesis?\n  Type divvy --help for all flags, with examples.\n"],
  );
}

async function wrongKey(): Promise<void> {
  const body = { type: "error", error: { type: "authentication_error", message: `invalid x-api-key: ${key}` } };
  await using server = await providerServer([{ when: "", reply: { fault: { kind: "status", status: 401, body } } }]);
  for (const format of [[], ["--json"], ["--jsonl"]]) {
    const run = start(["t", ...format], { url: server.anthropicBaseUrl });
    assert.equal(await run.ended, 1);
    assert.match(run.stderr(), /^divvy: anthropic:\S+ refused the credentials \(HTTP 401\): invalid x-api-key: \[hidden\]\n {2}Check the API key: .*\.$/m);
    assert.doesNotMatch(run.stdout() + run.stderr(), /0123456789/);
  }
  assert.equal(server.requests.length, 3);
}

async function oldNode(): Promise<void> {
  const run = start(["--help"], { url: "", command: [await tooOldNode(), program] });
  assert.equal(await run.ended, 2);
  assert.equal(run.stdout(), "");
  assert.match(run.stderr(), /^divvy needs Node 22\.13 or later; this is \d+\.\d+\.\d+\.\n$/);
}

/** One that is here, else one that is fetched. */
async function tooOldNode(): Promise<string> {
  for (const folder of foreignPath()) {
    const node = join(folder, "node");
    const [, major = 0, minor = 0] = /^v(\d+)\.(\d+)/.exec((await said(node, ["--version"]).catch(() => undefined))?.stdout ?? "")?.map(Number) ?? [];
    if (major > 0 && (major < 22 || (major === 22 && minor < 13))) return node;
  }
  return join(await releasedNode(TOO_OLD_NODE), "node");
}

const checks = [readerLeaves, eventsReaderLeaves, interrupted, killedAndResumed, interruptedTwice, fullDisk, oldestNode, unknownFlag, wrongKey, oldNode];

try {
  for (const check of checks) {
    await check().catch((thrown: unknown) => {
      throw new Error(check.name, { cause: thrown });
    });
  }
  console.log(`${checks.length} checks of ${program}`);
} finally {
  for (const child of children) child.kill("SIGKILL");
  await rm(data, { recursive: true, force: true });
}
