import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import type { ProcessIdentity } from "../../ledger/lease-keeper.ts";
import type { LeaseOwner, RunRecord } from "../../ledger/ledger.ts";
import { thisProcess } from "../../ledger/process-identity.ts";
import { keptRunScenes, type KeptRunScene, silence, threeWorkers, until } from "../kept/kept-run-fixture.ts";
import { cli, Screen, startCli } from "../test-world.ts";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const scene = keptRunScenes();

const minute = 60_000;
const dead: LeaseOwner = { pid: 1, host: "gone", space: "", startTime: "" };

/** A run that was begun some time ago, as its ledger has it. */
function run(runId: string, minutesAgo: number, more: Partial<RunRecord> = {}): RunRecord {
  const at = Date.now() - minutesAgo * minute;
  return { runId, task: `Task of ${runId}`, status: "ok", startedAt: at, updatedAt: at, calls: 3, tokens: 100, cost: 0.0123, ...more };
}

/** Puts runs where the terminal keeps them; those whose lease has not ended have an owner. */
async function kept({ look }: KeptRunScene, runs: readonly RunRecord[], owners: Readonly<Record<string, LeaseOwner>> = {}): Promise<void> {
  await look(async (ledger) => {
    for (const record of runs) {
      const owner = owners[record.runId];
      await ledger.takeLease(record.runId, { epoch: 1, owner: owner ?? dead, expiresAt: owner === undefined ? 0 : Date.now() + minute });
      await ledger.commit({ runs: [{ runId: record.runId, epoch: 1, facts: [], record }], calls: [] });
    }
  });
}

test("before there is a run, that is said kindly, and nothing is made", async () => {
  const { env } = await scene();
  expect(await cli(["runs"], { env })).toEqual({
    code: 0,
    stdout: "",
    stderr: 'No runs are kept yet. Each run is kept from its beginning: divvy "what you want done"\n',
  });
  expect((await cli(["runs", "--json"], { env })).stdout).toBe("[]\n");
  expect((await cli(["runs", "prune", "--older-than", "1d"], { env })).stdout).toBe("No run is that old.\n");
  for (const argv of [
    ["show", "last"],
    ["resume", "last"],
    ["rerun", "last", "--subtask", "a"],
    ["runs", "rm", "last"],
  ]) {
    expect(await cli(argv, { env })).toEqual({
      code: 2,
      stdout: "",
      stderr: 'divvy: No runs are kept yet.\n  Each run is kept from its beginning: divvy "what you want done"\n',
    });
  }
});

test("runs are listed with the shortest ids that tell them apart, newest first; who died running was interrupted", async () => {
  const here = await scene();
  const runs = [
    run("aaaa1111-1", 2, { status: "running" }),
    run("aaaa1122-2", 3, { status: "running" }),
    run("bbbb-3", 70, { status: "partial", cost: 1.5 }),
    run("cccc-4", 60 * 24 * 9, { status: "failed", cost: 0 }),
  ];
  const { cost: _, ...unpriced } = run("dddd-5", 60 * 24 * 90, { status: "aborted", task: "A \u001B[31mred\u001B[0m\ntask" });
  await kept(here, [...runs, unpriced], { "aaaa1111-1": thisProcess() });
  expect((await cli(["runs"], { env: here.env })).stdout).toBe(
    `run      status       age    cost  task
aaaa111  running       2m  $0.012  Task of aaaa1111-1
aaaa112  interrupted   3m  $0.012  Task of aaaa1122-2
bbbb     partial       1h   $1.50  Task of bbbb-3
cccc     failed        9d      $0  Task of cccc-4
dddd     aborted      90d       ?  A red task
`,
  );
  const json: unknown = JSON.parse((await cli(["runs", "--json"], { env: here.env })).stdout);
  expect(json).toMatchObject([{ runId: "aaaa1111-1", status: "running" }, { runId: "aaaa1122-2", status: "interrupted" }, {}, {}, {}]);
});

test.each([40, 60, 120])("at %i columns no line is wider, and tasks are cut", async (columns) => {
  const here = await scene();
  await kept(here, [run("aaaa", 1, { status: "running", task: "日本語の長いタスク ".repeat(20).slice(0, 200) }), run("bbbb", 1, { task: "word ".repeat(40) })]);
  const stdout = new Screen({ isTTY: true, columns });
  expect(await startCli(["runs"], { env: { ...here.env, NO_COLOR: "1" }, stdout }).code).toBe(0);
  const lines = stdout.text.trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line.replace(/[\u3000-\u9FFF]/g, "xx").length).toBeLessThanOrEqual(columns);
  for (const line of lines.slice(1)) expect(line.endsWith("…")).toBe(true);
});

test("twenty are listed, and that there are more is said", async () => {
  const here = await scene();
  await kept(
    here,
    Array.from({ length: 23 }, (_, index) => run(`${index + 1000}-x`, index)),
  );
  const { stdout, stderr } = await cli(["runs"], { env: here.env });
  expect(stdout.trimEnd().split("\n")).toHaveLength(21);
  expect(stderr).toBe("and older ones: divvy runs --limit 40\n");
  expect((await cli(["runs", "--limit", "23"], { env: here.env })).stderr).toBe("");
  expect((await cli(["runs", "--limit", "2"], { env: here.env })).stdout.trimEnd().split("\n")).toHaveLength(3);
  expect(JSON.parse((await cli(["runs", "--json"], { env: here.env })).stdout)).toHaveLength(23);
});

test("rm forgets what is named, all or none, and says what; a run that is carried out stays", async () => {
  const here = await scene();
  const { env } = here;
  await kept(here, [run("aaaa-1", 1), run("bbbb-2", 2), run("cccc-3", 3, { status: "running" }), run("dddd-4", 4, { status: "running" })], {
    "cccc-3": thisProcess(),
  });
  const refused = await cli(["runs", "rm", "bbbb", "cccc"], { env });
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/^divvy: The run cccc is being carried out by process \d+ on .*\.\n {2}Wait until it is done, or stop it there\. .*\n$/);
  expect(await here.records()).toHaveLength(4);
  expect(await cli(["runs", "rm", "last", "dddd"], { env })).toEqual({
    code: 0,
    stdout: "Removed aaaa  Task of aaaa-1\nRemoved dddd  Task of dddd-4\n",
    stderr: "",
  });
  expect((await cli(["runs", "rm", "bbbb", "--json"], { env })).stdout).toBe('{"removed":["bbbb-2"]}\n');
  expect(await here.records()).toMatchObject([{ runId: "cccc-3" }]);
});

test("prune forgets what is old, but nothing that is carried out, and says how many", async () => {
  const here = await scene();
  const { env } = here;
  const days = 60 * 24;
  await kept(
    here,
    [run("aaaa", 29 * days), run("bbbb", 31 * days), run("cccc", 40 * days, { status: "running" }), run("dddd", 50 * days, { status: "running" })],
    {
      cccc: thisProcess(),
    },
  );
  const stderr = "cccc is being carried out, and stays.\n";
  expect(await cli(["runs", "prune", "--older-than", "30d"], { env })).toEqual({ code: 0, stdout: "Removed 2 runs.\n", stderr });
  expect((await cli(["runs", "prune", "--older-than", "5w", "--json"], { env })).stdout).toBe('{"removed":[],"stayed":["cccc"]}\n');
  expect(await cli(["runs", "prune", "--older-than", "5w"], { env })).toEqual({ code: 0, stdout: "Removed 0 runs.\n", stderr });
  expect(await here.records()).toMatchObject([{ runId: "aaaa" }, { runId: "cccc" }]);
});

/** Takes runs on when the terminal has looked at who had them, and before it removes them: whoever is asked after has died. */
function takenOnMeanwhile({ folder }: KeptRunScene, ...runIds: readonly string[]): ProcessIdentity {
  const isDead = (): boolean => {
    using db = new DatabaseSync(join(folder, "runs.sqlite"));
    const next = db.prepare("UPDATE leases SET epoch = 2, owner = ? WHERE run_id = ?");
    for (const runId of runIds) next.run(JSON.stringify({ ...dead, pid: 4711, host: "elsewhere" }), runId);
    return true;
  };
  return { owner: thisProcess(), isDead, now: () => Date.now() };
}

test("a run that somebody goes on with while it is being removed stays, is named, and loses nothing", async () => {
  const here = await scene();
  const { env } = here;
  await kept(here, [run("aaaa-1", 1), run("bbbb-2", 2), run("cccc-3", 3)], { "aaaa-1": dead, "bbbb-2": dead, "cccc-3": dead });
  const identity = takenOnMeanwhile(here, "bbbb-2");
  expect(await cli(["runs", "rm", "bbbb", "aaaa"], { env, identity })).toEqual({
    code: 1,
    stdout: "Removed aaaa  Task of aaaa-1\n",
    stderr: expect.stringMatching(/^divvy: The run bbbb is being carried out by process 4711 on elsewhere\.\n/),
  });
  expect(await here.records()).toMatchObject([{ runId: "bbbb-2" }, { runId: "cccc-3" }]);
  expect(await here.look((ledger) => ledger.readLease("bbbb-2"))).toMatchObject({ epoch: 2 });
});

test("prune leaves what somebody goes on with meanwhile, and names it", async () => {
  const here = await scene();
  const days = 60 * 24;
  await kept(here, [run("aaaa-1", 31 * days), run("bbbb-2", 32 * days)], { "aaaa-1": dead, "bbbb-2": dead });
  const identity = takenOnMeanwhile(here, "aaaa-1");
  const { stdout, stderr } = await cli(["runs", "prune", "--older-than", "30d"], { env: here.env, identity });
  expect([stdout, stderr]).toEqual(["Removed 1 run.\n", "aaaa is being carried out, and stays.\n"]);
  expect(await here.records()).toMatchObject([{ runId: "aaaa-1" }]);
});

test("prune can be stopped half way, and says what it has removed by then", async () => {
  const here = await scene();
  const runs = Array.from({ length: 200 }, (_, n) => run(`${n + 1000}`, 60 * 24 * 40));
  await kept(here, runs, Object.fromEntries(runs.map(({ runId }) => [runId, dead])));
  let asked = 0;
  const isDead = (): boolean => {
    // As a signal comes: when the program turns to the world.
    if (++asked === 50) setImmediate(() => started.signals.emit("SIGINT"));
    return true;
  };
  const started = startCli(["runs", "prune", "--older-than", "30d"], { env: here.env, identity: { owner: thisProcess(), isDead, now: () => Date.now() } });
  expect(await started.code).toBe(130);
  const left = await here.look((ledger) => ledger.listRuns({ limit: 1_000 }));
  expect(left.length).toBeGreaterThan(100);
  expect(started.stdout.text).toBe(`Removed ${200 - left.length} runs.\n`);
});

test("a run is meant by the beginning of its id; what is not clear is answered with what it could be", async () => {
  const here = await scene();
  const { env } = here;
  await kept(here, [run("aaaa1111-1", 1), run("aaaa1122-2", 2), run("bbbb", 3), run("bbbb-and-more", 4)]);
  expect(await cli(["runs", "rm", "aaaa"], { env })).toEqual({
    code: 2,
    stdout: "",
    stderr: 'divvy: "aaaa" could be 2 runs.\n  Type more of its id:\n  aaaa111  Task of aaaa1111-1\n  aaaa112  Task of aaaa1122-2\n',
  });
  expect(await cli(["runs", "rm", "zzzz"], { env })).toMatchObject({
    code: 2,
    stderr: 'divvy: No run "zzzz" is kept.\n  divvy runs lists those that are kept.\n',
  });
  await kept(
    here,
    Array.from({ length: 6 }, (_, n) => run(`eeee${n}`, 10 + n)),
  );
  expect((await cli(["show", "eeee"], { env })).stderr).toMatch(
    /^divvy: "eeee" could be more than 5 runs\.\n.*\n( {2}eeee\d {2}Task of eeee\d\n){5} {2}and more\n$/,
  );
  expect((await cli(["runs", "rm", "aaa"], { env })).stderr).toContain('"aaa" is too short for a run.');
  expect((await cli(["runs", "rm", "lst"], { env })).stderr).toContain("Did you mean last?");
  expect((await cli(["runs", "rm", "bbbb"], { env })).stdout).toBe("Removed bbbb  Task of bbbb\n");
  expect((await cli(["runs", "rm", "AAAA112"], { env })).stdout).toBe("Removed aaaa112  Task of aaaa1122-2\n");
});

test("a run on its way is listed as running, and can be looked at", async () => {
  const { env, server } = await scene(threeWorkers({ FEELING: silence }));
  const started = startCli(["t"], { env });
  await until(() => started.stderr.text.includes("end: done") && server.inFlight === 1);
  expect((await cli(["runs"], { env })).stdout).toMatch(/^\w{4} {2}running .* t$/m);
  const shown = await cli(["show", "last"], { env });
  expect(shown.stderr).toMatch(/^facts: done, /m);
  expect(shown.stderr).toMatch(/^feel: running, /m);
  expect(shown.stderr).not.toContain("Go on with it");
  expect(shown.stdout).toBe("");
  started.signals.emit("SIGINT");
  await started.code;
});
