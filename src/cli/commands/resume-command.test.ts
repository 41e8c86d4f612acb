import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { callsAt, keptRunScenes, refusal, silence, threeWorkers, until } from "../kept/kept-run-fixture.ts";
import { cli, Screen, startCli } from "../test-world.ts";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const scene = keptRunScenes();

/** What is refused at first. */
const onlyOnce = (): (() => typeof refusal | string) => {
  let asked = 0;
  return () => (asked++ === 0 ? refusal : "The feeling, at last.");
};

describe("a run that did not end well", () => {
  test("says how to go on with it and what that would do, with -q too; resumed, only what is missing is asked for", async () => {
    const { env, server, records, newest } = await scene(threeWorkers({ FEELING: onlyOnce() }));
    const first = await cli(["Write about a bottle", "-q"], { env });
    expect(first.code).toBe(3);
    const runId = await newest();
    expect(first.stderr).toBe(
      `divvy: 2 of 3 subtasks are done. Missing: feel.\n  The answer says what is missing.\n  Go on with it: divvy resume ${runId.slice(0, 4)} (it would do 1 subtask and the answer)\n`,
    );
    const before = callsAt({ server });
    expect(before.toSorted()).toEqual(["answer", "end", "facts", "feel", "plan"]);

    const second = await cli(["resume", runId.slice(0, 4)], { env });
    expect({ code: second.code, stdout: second.stdout }).toEqual({ code: 0, stdout: "The joined answer.\n" });
    expect(second.stderr.split("\n")[0]).toBe(`Going on with ${runId.slice(0, 4)}, "Write about a bottle", to do 1 subtask and the answer.`);
    expect(second.stderr).toMatch(/^facts: done/m);
    expect(second.stderr).toMatch(/^feel: started$/m);
    expect(second.stderr).not.toContain("Go on with it");
    expect(second.stderr).not.toContain("is asked");
    expect(callsAt({ server }).slice(before.length)).toEqual(["feel", "answer"]);
    expect(await records()).toMatchObject([{ runId, status: "ok" }]);
  });

  test("stopped by Ctrl-C, it says so after what is done", async () => {
    const { env, server } = await scene(threeWorkers({ FEELING: silence, END: silence }));
    const started = startCli(["t"], { env });
    await until(() => started.stderr.text.includes("facts: done") && server.inFlight === 2);
    started.signals.emit("SIGINT");
    expect(await started.code).toBe(130);
    expect(started.stderr.text).toMatch(/ · about [\d.]+k? tokens presumed$/m);
    expect(started.stderr.text).toMatch(
      /Stopped\. 1 of 3 subtasks was done: facts\.\n {2}Go on with it: divvy resume \w{4} \(it would do 2 subtasks and the answer\)\n$/,
    );
  });

  test("resumed as JSON gives the whole outcome, and its whole story as lines", async () => {
    const { env } = await scene(threeWorkers({ FEELING: onlyOnce() }));
    const first = await cli(["t", "--json"], { env });
    expect(first.stdout.trimEnd().split("\n")).toHaveLength(1);
    const second = await cli(["resume", "last", "--jsonl", "-q"], { env });
    const types = second.stdout
      .trimEnd()
      .split("\n")
      .map((line) => Object(JSON.parse(line)).type);
    expect(types[0]).toBe("run.started");
    expect(types.filter((type) => type === "run.resumed" || type === "run.finished")).toEqual(["run.finished", "run.resumed", "run.finished"]);
    const again = await cli(["resume", "last", "--json", "-q"], { env });
    expect(JSON.parse(again.stdout)).toMatchObject({ status: "ok", text: "The joined answer." });
  });

  test("on a terminal the picture begins with what is done, and counts the time from now on", async () => {
    const { env, look, newest } = await scene(threeWorkers({ FEELING: onlyOnce() }));
    await cli(["t", "-q"], { env });
    const runId = await newest();
    // As if it had been left for a day.
    const facts = await look((ledger) => ledger.readFacts(runId));
    const day = 86_400_000;
    await look(async (ledger) => {
      const [record] = await ledger.listRuns();
      await ledger.removeRun(runId, 1);
      if (record === undefined) return;
      await ledger.takeLease(runId, { epoch: 1, owner: { pid: 1, host: "gone", space: "", startTime: "" }, expiresAt: 0 });
      await ledger.commit({ runs: [{ runId, epoch: 1, facts: facts.map((fact) => ({ ...fact, at: fact.at - day })), record }], calls: [] });
    });
    const stderr = new Screen({ isTTY: true, columns: 100, rows: 30 });
    const { code } = startCli(["resume", "last"], { env: { ...env, NO_COLOR: "1" }, stderr });
    expect(await code).toBe(0);
    expect(stderr.text).toMatch(/✔ facts .*\n✔ feel .*\n✔ end .*\n✔ answer/);
    expect(stderr.text).toMatch(/7 calls · .* · \$[\d.]+ \(expected \$[\d.]+\) · \d\.\d s\n/);
  });
});

test("a run that ended well gives its answer again, into a file if that is wanted, without a call", async () => {
  const { env, server, folder } = await scene();
  await cli(["t", "-q"], { env });
  const { length } = server.requests;
  const again = await cli(["resume", "last", "-o", "answer.md"], { env, cwd: folder });
  expect(again).toMatchObject({ code: 0, stdout: "" });
  expect(again.stderr).toMatch(/^The run \w{4}, "t", ended well: nothing is asked again\.$/m);
  expect(await readFile(join(folder, "answer.md"), "utf8")).toBe("The joined answer.\n");
  expect(server.requests).toHaveLength(length);
});

describe("the models of a resumed run", () => {
  test("are those that it was started with, whatever could be used by now", async () => {
    const { env, server } = await scene(threeWorkers({ FEELING: onlyOnce() }));
    await cli(["t", "-q", "--orchestrator", "anthropic:big", "--worker", "anthropic:small"], { env });
    const { length } = server.requests;
    const { code } = await cli(["resume", "last", "-q"], { env: { ...env, DIVVY_MODEL: "openai:other" } });
    expect(code).toBe(0);
    expect(server.requests.slice(length).map(({ modelId }) => modelId)).toEqual(["small", "big"]);
  });

  test("may be others, if that is accepted; else it is said what changes, what would be paid for, and nothing is asked", async () => {
    const { env, server } = await scene(threeWorkers({ FEELING: onlyOnce() }));
    await cli(["t", "-q", "-m", "anthropic:one"], { env });
    const { length } = server.requests;
    const refused = await cli(["resume", "last", "--worker", "anthropic:two"], { env });
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(
      /the worker's model was anthropic:one and is anthropic:two\. .* pay for 1 subtask and the synthesis: about .* tokens, at most .* tokens\. 2 of 3 results stay/,
    );
    expect(refused.stderr).toMatch(/--accept-changes\n$/);
    expect(server.requests).toHaveLength(length);
    expect((await cli(["resume", "last", "--worker", "anthropic:two", "--accept-changes", "-q"], { env })).code).toBe(0);
    expect(server.requests.slice(length).map(({ modelId }) => modelId)).toEqual(["two", "one"]);
  });
});

test("rerun does one subtask anew and what builds on it, as a run of its own", async () => {
  const { env, server, records } = await scene();
  await cli(["t", "-q"], { env });
  const { length } = server.requests;
  const nameless = await cli(["rerun", "last", "--subtask", "Facts", "--description", ""], { env });
  expect([nameless.code, nameless.stderr]).toEqual([2, expect.stringContaining("divvy: --description: must be a text that is not empty")]);
  const anew = await cli(["rerun", "last", "--subtask", "Facts", "--description", "List the FACTS. Briefly."], { env });
  expect({ code: anew.code, stdout: anew.stdout }).toEqual({ code: 0, stdout: "The joined answer.\n" });
  expect(callsAt({ server }).slice(length)).toEqual(["facts", "end", "answer"]);
  expect(server.requests[length]?.prompt).toContain("List the FACTS. Briefly.");
  expect(await records()).toMatchObject([{ status: "ok" }, { status: "ok" }]);
  expect(await cli(["rerun", "last", "--subtask", "nope"], { env })).toMatchObject({ code: 2, stdout: "" });
});

test("a run that another process has taken over stops: it has failed here, and goes on there", async () => {
  const { env, server, look, newest } = await scene(threeWorkers({ FEELING: { text: "Late.", firstMs: 1000 } }));
  const running = startCli(["t", "-q"], { env });
  await until(() => callsAt({ server }).includes("feel"));
  const runId = await newest();
  await look((ledger) => ledger.takeLease(runId, { epoch: 2, owner: { pid: 7, host: "elsewhere", space: "", startTime: "" }, expiresAt: Date.now() + 60_000 }));
  expect(await running.code).toBe(1);
  expect(running.stderr.text).toMatch(/^divvy: Another process has taken over the run .*\.\n {2}Nothing is lost: the other process goes on with it\.\n$/);
});

test("a run of which nothing shall be kept says nothing of going on, and leaves no file", async () => {
  const { env } = await scene(threeWorkers({ FEELING: refusal }));
  const { code, stderr } = await cli(["t", "-q", "--no-save"], { env });
  expect(code).toBe(3);
  expect(stderr).toBe("divvy: 2 of 3 subtasks are done. Missing: feel.\n  The answer says what is missing; run it again for the rest.\n");
  expect((await cli(["runs"], { env })).stderr).toContain("No runs are kept yet.");
});

test("a run that never began is not kept", async () => {
  const { env, records } = await scene();
  const { code, stderr } = await cli(["t", "-m", "openai:gpt-test"], { env });
  expect(code).toBe(1);
  expect(stderr).not.toContain("Go on with it");
  expect(await records()).toEqual([]);
});
