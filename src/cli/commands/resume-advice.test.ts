import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { defaults } from "../../limits.ts";
import { type Runtime, systemRuntime } from "../../runtime.ts";
import type { DoubleReply } from "../../testing/index.ts";
import { callsAt, type KeptRunScene, keptRunScenes, refusal, silence, threeParts, threeWorkers, until } from "../kept/kept-run-fixture.ts";
import { cli, startCli, type TestCli } from "../test-world.ts";

/** Every end of a run but a good one says how to go on with it, and what that would do; and that is what it does. */

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const scene = keptRunScenes();

/** Says something so many times, and from then on another thing. */
function firstThen(first: DoubleReply, then: DoubleReply, times = 1): () => DoubleReply {
  let asked = 0;
  return () => (asked++ < times ? first : then);
}

/** Goes on with the newest run, and says which calls that took. */
async function goneOn({ env, server }: KeptRunScene): Promise<string[]> {
  const before = callsAt({ server }).length;
  expect(await cli(["resume", "last", "-q"], { env })).toMatchObject({ code: 0, stdout: "The joined answer.\n", stderr: "" });
  return callsAt({ server }).slice(before).toSorted();
}

async function untilWorkersAreSilent({ stderr }: TestCli, { server }: KeptRunScene): Promise<void> {
  await until(() => stderr.text.includes("facts: done") && server.inFlight === 2);
}

test("failed, since there is no plan", async () => {
  const here = await scene(threeWorkers({ plan: firstThen(refusal, threeParts) }));
  const { code, stderr } = await cli(["t", "-q"], here);
  expect(code).toBe(1);
  expect(stderr).toMatch(/\n {2}Go on with it: divvy resume \w{4} \(it would begin with the plan\)\n$/);
  expect(await goneOn(here)).toEqual(["answer", "end", "facts", "feel", "plan"]);
});

test("failed, since no worker did its part", async () => {
  const refused = (then: string): (() => DoubleReply) => firstThen(refusal, then);
  const here = await scene(threeWorkers({ FACTS: refused("The facts."), FEELING: refused("The feeling.") }));
  const { code, stderr } = await cli(["t", "-q"], here);
  expect(code).toBe(1);
  expect(stderr).toMatch(/\n {2}Go on with it: divvy resume \w{4} \(it would do 3 subtasks and the answer\)\n$/);
  expect(await goneOn(here)).toEqual(["answer", "end", "facts", "feel"]);
});

test("partial, since the answer could not be written", async () => {
  const here = await scene(threeWorkers({ answer: firstThen(refusal, "The joined answer.") }));
  const { code, stderr } = await cli(["t", "-q"], here);
  expect(code).toBe(3);
  expect(stderr).toMatch(/\n {2}Go on with it: divvy resume \w{4} \(it would do the answer\)\n$/);
  expect(await goneOn(here)).toEqual(["answer"]);
});

test("out of time", async () => {
  const here = await scene(threeWorkers({ FEELING: firstThen(silence, "The feeling."), END: firstThen(silence, "The end.") }));
  const { runtime, strike } = hourGlass();
  const started = startCli(["t"], { env: here.env, runtime });
  await untilWorkersAreSilent(started, here);
  strike();
  expect(await started.code).toBe(3);
  expect(started.stderr.text).toMatch(
    /divvy: The run took longer than 3600 s\.\n {2}Ask for less, or make several runs of it\.\n {2}Go on with it: divvy resume \w{4} \(it would do 2 subtasks and the answer\)\n$/,
  );
  expect(await goneOn(here)).toEqual(["answer", "end", "feel"]);
});

/** The system's clock, but for the time that a run may take: it is over when it is told to be. */
function hourGlass(): { readonly runtime: Runtime; readonly strike: () => void } {
  let strike = (): void => undefined;
  const { clock } = systemRuntime;
  const setTimer: typeof clock.setTimer = (ms, fn) => {
    if (ms !== defaults.timeout.runMs) return clock.setTimer(ms, fn);
    strike = fn;
    return () => undefined;
  };
  return { runtime: { ...systemRuntime, clock: { ...clock, setTimer } }, strike: () => strike() };
}

test("stopped, and stopped again while it is resumed", async () => {
  const here = await scene(threeWorkers({ FEELING: firstThen(silence, "The feeling."), END: firstThen(silence, "The end.", 2) }));
  const first = startCli(["t"], { env: here.env });
  await untilWorkersAreSilent(first, here);
  first.signals.emit("SIGINT");
  expect(await first.code).toBe(130);

  const second = startCli(["resume", "last"], { env: here.env });
  await until(() => second.stderr.text.includes("feel: done") && here.server.inFlight === 1);
  second.signals.emit("SIGINT");
  expect(await second.code).toBe(130);
  expect(second.stdout.text).toBe("");
  expect(second.stderr.text).toMatch(
    /\nStopped\. 2 of 3 subtasks were done: facts, feel\.\n {2}Go on with it: divvy resume \w{4} \(it would do 1 subtask and the answer\)\n$/,
  );
  expect(second.left).toEqual([]);
  expect(await goneOn(here)).toEqual(["answer", "end"]);
});

test("a ledger that takes nothing any more, until it does again", async () => {
  let isFull = false;
  const whenFull = async (): Promise<string> => {
    await until(() => isFull);
    return "The feeling.";
  };
  const here = await scene(threeWorkers({ FEELING: whenFull, END: firstThen(silence, "The end.") }));
  const started = startCli(["t"], { env: here.env });
  await untilWorkersAreSilent(started, here);
  setFull(here, true);
  isFull = true;
  expect(await started.code).toBe(3);
  expect(started.stdout.text).toContain("The facts.");
  expect(started.stderr.text).toMatch(
    /divvy: .*disk is full.*\n(?: {2}.*\n)? {2}Go on with it: divvy resume \w{4} \(it would do 2 subtasks and the answer\)\n$/,
  );
  setFull(here, false);
  expect(await goneOn(here)).toEqual(["answer", "end", "feel"]);
});

test("a ledger that never took a word of it: then there is nothing to go on with, and nothing says so", async () => {
  const here = await scene(threeWorkers({}));
  expect(await cli(["t", "-q"], here)).toMatchObject({ code: 0 });
  setFull(here, true);
  const { code, stderr } = await cli(["t", "-q"], here);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^divvy: .*disk is full.*\n/)]);
  expect(stderr).not.toContain("Go on with it");
});

/** Has every write to the ledger fail, as on a full disk. */
function setFull({ folder }: KeptRunScene, isFull: boolean): void {
  const db = new DatabaseSync(join(folder, "runs.sqlite"));
  for (const table of ["facts", "calls"]) {
    db.exec(
      isFull
        ? `CREATE TRIGGER full_${table} BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`
        : `DROP TRIGGER full_${table}`,
    );
  }
  db.close();
}

test("begun with a window that was stated: divvy show and a rerun without it name it", async () => {
  const here = await scene(threeWorkers({ FEELING: refusal }));
  await cli(["t", "--window", "32000", "-q"], here);
  expect((await cli(["show", "last"], here)).stderr).toMatch(/divvy resume \w{4}, with --window as before \(/);
  const run = await here.newest();
  expect((await cli(["rerun", run, "--subtask", "facts"], here)).stderr).toContain("! The old run had --window, and this one has not");
  expect((await cli(["rerun", run, "--subtask", "facts", "--window", "32000"], here)).stderr).not.toContain("! The old run");
});

test("begun with flags that it does not keep: it names them with their values, divvy show and the error without them name them alone", async () => {
  const judged = { when: (call: { readonly system: string }) => call.system.startsWith("You judge"), reply: '{"reasons": "It is fine.", "score": 9}' };
  const rules = threeWorkers({ FEELING: firstThen(refusal, "The feeling.", 2) });
  const here = await scene([judged, ...rules]);
  const flags = ["--evaluate", "It's short", "--samples", "2", "--threshold", "0.7"];
  const { stderr } = await cli(["t", ...flags, "-q"], here);
  const again = String.raw`--evaluate 'It'\''s short' --threshold 0.7 --samples 2`;
  expect(stderr).toMatch(/ {2}Go on with it: divvy resume \w{4} /);
  expect(stderr).toContain(` ${again} (it would do 1 subtask and the answer)\n`);

  expect((await cli(["show", "last"], here)).stderr).toMatch(
    /divvy resume \w{4}, with --evaluate and --samples as before \(it would do 1 subtask and the answer\)\n$/,
  );
  expect((await cli(["resume", "last", "-q"], here)).stderr).toContain("(--kind, --window, --evaluate, --samples and --output-schema are typed again)");
  const said = "! The old run had --evaluate and --samples, and this one has not: they are not kept, and are typed again where they shall hold.\n";
  expect((await cli(["rerun", "last", "--subtask", "facts"], here)).stderr).toContain(said);
  const run = (await here.records()).at(-1)?.runId ?? "none";
  expect((await cli(["rerun", run, "--subtask", "facts", "--evaluate", "It's short", "--samples", "2"], here)).stderr).not.toContain("! The old run");
  expect(await cli(["resume", run, "-q", ...flags], here)).toMatchObject({ code: 0, stderr: "" });
});
