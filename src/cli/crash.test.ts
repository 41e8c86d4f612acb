import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import type { DoubleReply, Script } from "../testing/index.ts";
import { callsAt, keptRunScenes, type KeptRunScene, silence, threeParts, threeWorkers, until } from "./kept/kept-run-fixture.ts";

/** What becomes of a run whose process is killed: another one goes on with it. */

// Real processes and connections, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const scene = keptRunScenes();
const children = new Set<ChildProcess>();

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

interface Started {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly code: Promise<number | null>;
}

function start({ env }: KeptRunScene, argv: readonly string[]): Started {
  const child = spawn(process.execPath, [main, ...argv], { env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return { child, stdout: () => stdout, stderr: () => stderr, code: once(child, "close").then(() => child.exitCode) };
}

/** Says one thing at first, and another when it is asked again. */
function firstThen(first: DoubleReply, then: DoubleReply): () => DoubleReply {
  let asked = 0;
  return () => (asked++ === 0 ? first : then);
}

const restOfPlan = threeParts.slice(threeParts.indexOf('<task id="feel">'));
test.each<{ at: string; script: () => Script; when: (run: Started, calls: () => string[]) => boolean; again: string[] }>([
  {
    at: "while the plan is written",
    script: () => threeWorkers({ plan: firstThen({ text: threeParts, chunkSize: 30, chunkMs: 300 }, restOfPlan) }),
    when: (run) => run.stderr().includes("facts: done"),
    again: ["plan", "feel", "end", "answer"],
  },
  {
    at: "while workers are at it",
    script: () => threeWorkers({ FEELING: firstThen(silence, "The feeling."), END: firstThen(silence, "The end.") }),
    when: (run, calls) => run.stderr().includes("facts: done") && calls().includes("end"),
    again: ["feel", "end", "answer"],
  },
  {
    at: "while the answer is written",
    script: () => threeWorkers({ answer: firstThen({ text: "Half of an", fault: { kind: "silence", afterChunks: 1 } }, "The joined answer.") }),
    when: (_, calls) => calls().includes("answer"),
    again: ["answer"],
  },
])("killed $at, a run is gone on with by another process, and nothing that was done is asked for again", async ({ script, when, again }) => {
  const here = await scene(script());
  const first = start(here, ["Write about a bottle"]);
  await until(() => when(first, () => callsAt(here)));
  first.child.kill("SIGKILL");
  await first.code;
  const before = callsAt(here).length;

  const listed = start(here, ["runs"]);
  await listed.code;
  expect(listed.stdout()).toMatch(/^\w{4} {2}interrupted .* Write about a bottle$/m);

  const second = start(here, ["resume", "last"]);
  expect(await second.code).toBe(0);
  expect(second.stdout()).toBe("The joined answer.\n");
  expect(second.stderr()).toMatch(/ · about [\d.]+k? tokens presumed$/m);
  expect(callsAt(here).slice(before).toSorted()).toEqual(again.toSorted());

  const third = start(here, ["resume", "last", "-q"]);
  expect(await third.code).toBe(0);
  expect(third.stdout()).toBe("The joined answer.\n");
  expect(callsAt(here)).toHaveLength(before + again.length);
});
