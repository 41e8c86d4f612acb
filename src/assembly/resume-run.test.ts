import { describe, expect, test } from "vitest";
import {
  DivvyError,
  type Fact,
  FlexibleOrchestrator,
  type Ledger,
  memoryLedger,
  type OrchestratorOptions,
  type Outcome,
  type Run,
  type RunEvent,
} from "../index.ts";
import { dying, life } from "../../test/lives.ts";

const eventsOf = async (run: Run): Promise<RunEvent[]> => await Array.fromAsync(run.events);

describe("a run that is resumed", () => {
  test("after it ended well gives its outcome and its events again, without a call", async () => {
    const ledger = memoryLedger();
    const first = life(ledger).orchestrator.start("t");
    const outcome = await first.outcome;
    expect(outcome.status).toBe("ok");
    const { orchestrator, model } = life(ledger);
    const again = await orchestrator.resume(first.runId);
    expect(await again.outcome).toEqual(outcome);
    expect((await Array.fromAsync(again.textStream)).join("")).toBe("text" in outcome ? outcome.text : "");
    expect((await eventsOf(again)).map(({ type }) => type)).toEqual((await eventsOf(first)).map(({ type }) => type));
    expect(model.calls).toHaveLength(0);
  });

  test("has done what is done, whatever it was killed at: no result changes, no call that was kept is made again", async () => {
    for (let commits = 1; commits < 60; commits++) {
      const ledger = memoryLedger();
      const mortal = dying(ledger, commits);
      const first = life(mortal);
      const run = first.orchestrator.start("t");
      const died = await Promise.race([mortal.dead.then(() => true), run.outcome.then(() => false)]);
      if (!died) return expect(commits).toBeGreaterThan(5);
      const logged = await ledger.readFacts(run.runId);
      const kept = new Map(logged.flatMap((fact) => (fact.type === "subtask.finished" ? [[fact.subtaskId, fact.result] as const] : [])));
      const second = life(ledger);
      if (logged.length === 0) {
        await expect(second.orchestrator.resume(run.runId)).rejects.toMatchObject({ code: "run_not_found" });
        continue;
      }
      const outcome = await (await second.orchestrator.resume(run.runId)).outcome;
      expect(outcome, `killed at commit ${commits}`).toMatchObject({ status: "ok", coverage: { planned: 3, done: 3 } });
      for (const result of outcome.results) if (kept.has(result.id)) expect(result).toMatchObject({ result: kept.get(result.id) });
      // As it was planned, not as it would be planned now; and so with all that workers were sent out for.
      const planned = logged.flatMap((fact) => (fact.type === "subtask.planned" ? [fact.subtask.description] : []));
      const sentOut = [first, second].flatMap(({ model }) => model.calls.map(({ prompt }) => /Your subtask \(\w+\):\n(.*)/.exec(prompt)?.[1]));
      const descriptions = outcome.results.map(({ description }) => description);
      expect(descriptions, `killed at commit ${commits}`).toEqual(expect.arrayContaining([...planned, ...sentOut.filter((one) => one !== undefined)]));
      const done = second.model.calls.filter(({ prompt }) => [...kept.keys()].some((id) => prompt.includes(`Your subtask (${id})`)));
      expect(done).toEqual([]);
    }
    throw new Error("No run came to its end.");
  });
});

const factsOf = async (ledger: Ledger, runId: string): Promise<readonly Fact[]> => await ledger.readFacts(runId);
const doneTexts = ({ results }: Outcome): Record<string, string> =>
  Object.fromEntries(results.flatMap((result) => (result.status === "done" ? [[result.id, result.result]] : [])));

describe("a run that was not done whole", () => {
  const refused = { when: "Tell the story.", reply: { fault: { kind: "status", status: 400, body: "no" } } } as const;

  test("does what had failed and what waited for it, and the answer, and nothing else", async () => {
    const ledger = memoryLedger();
    const broken = { when: "List the facts.", reply: { fault: { kind: "status", status: 400, body: "no" } } } as const;
    const first = life(ledger, [broken]).orchestrator.start("t");
    const before = await first.outcome;
    expect(before).toMatchObject({ status: "partial", coverage: { done: 1, failed: 1, skipped: 1 } });
    const { orchestrator, model } = life(ledger);
    const after = await (await orchestrator.resume(first.runId)).outcome;
    expect(after).toMatchObject({ status: "ok", runId: first.runId, coverage: { done: 3 } });
    expect(doneTexts(after)["story"]).toBe(doneTexts(before)["story"]);
    expect(model.calls.map(({ prompt }) => /Your subtask \((\w+)\)/.exec(prompt)?.[1])).toEqual(["facts", "end", undefined]);
    // All that was used, in both lives.
    expect(after.calls).toBe(before.calls + 3);
    expect(after.results.find(({ id }) => id === "facts")).toMatchObject({ attempts: 2 });
  });

  test("does not ask again a worker that was unable", async () => {
    const ledger = memoryLedger();
    const first = life(ledger, [{ when: "Tell the story.", reply: "<unable>the story</unable>" }]).orchestrator.start("t");
    await first.outcome;
    const { orchestrator, model } = life(ledger);
    const after = await (await orchestrator.resume(first.runId)).outcome;
    expect(after).toMatchObject({ status: "partial", coverage: { done: 2, failed: 1 } });
    expect(model.calls.filter(({ prompt }) => prompt.includes("one subtask") || prompt.includes("Your subtask"))).toEqual([]);
  });

  test("can be resumed as often as it takes", async () => {
    const ledger = memoryLedger();
    const { runId, outcome } = life(ledger, [refused]).orchestrator.start("t");
    await outcome;
    for (let time = 0; time < 3; time++) {
      const again = await (await life(ledger, [refused]).orchestrator.resume(runId)).outcome;
      expect(again).toMatchObject({ status: "partial", coverage: { done: 2, failed: 1 } });
    }
    expect(await (await life(ledger).orchestrator.resume(runId)).outcome).toMatchObject({ status: "ok" });
    expect((await factsOf(ledger, runId)).filter(({ type }) => type === "run.finished")).toHaveLength(5);
  });

  test("goes on after it was stopped", async () => {
    const ledger = memoryLedger();
    const run = life(ledger, [{ when: "Tell the story.", reply: { text: "slow", firstMs: 60_000 } }]).orchestrator.start("t");
    for await (const event of run.events) if (event.type === "subtask.finished" && event.subtaskId === "end") run.abort();
    expect(await run.outcome).toMatchObject({ status: "aborted", coverage: { done: 2 } });
    const { orchestrator, model } = life(ledger);
    expect(await (await orchestrator.resume(run.runId)).outcome).toMatchObject({ status: "ok", coverage: { done: 3 } });
    expect(model.calls).toHaveLength(2);
  });
});

describe("a run that can no longer be kept", () => {
  test("stops at once, gives what it has, and goes on when the ledger works again", async () => {
    for (let fine = 1; fine < 60; fine++) {
      const ledger = memoryLedger();
      const { runId, outcome } = life(failing(ledger, fine)).orchestrator.start("t");
      const before = await outcome;
      const kept = new Map(
        (await factsOf(ledger, runId)).flatMap((fact) => (fact.type === "subtask.finished" ? [[fact.subtaskId, fact.result] as const] : [])),
      );
      if (before.status === "ok") {
        // Only its end could not be kept.
        if (before.coverage.notices.length === 0) return expect(fine).toBeGreaterThan(5);
        expect(before.coverage.notices).toMatchObject([{ code: "not_saved" }]);
      } else {
        expect(before.status, `at commit ${fine}`).toBe(before.coverage.done > 0 ? "partial" : "failed");
        expect(before).toMatchObject({ error: { code: "ledger_failed", message: "The disk is full." } });
      }
      const after = await (await life(ledger).orchestrator.resume(runId)).outcome;
      expect(after, `at commit ${fine}`).toMatchObject({ status: "ok" });
      expect(doneTexts(after)).toMatchObject(Object.fromEntries(kept));
    }
    throw new Error("No run was kept whole.");
  });
});

/** A ledger whose disk is full after so many commits. */
function failing(ledger: Ledger, commits: number): Ledger {
  let left = commits;
  return {
    ...ledger,
    commit: async (batch) => {
      if (left-- > 0) return await ledger.commit(batch);
      throw new DivvyError("ledger_failed", "The disk is full.");
    },
  };
}

describe("whoever resumes a run", () => {
  test("is told where there is none", async () => {
    await expect(life(memoryLedger()).orchestrator.resume("nowhere")).rejects.toMatchObject({ code: "run_not_found" });
  });

  test("is told who carries it out, while that one lives", async () => {
    const ledger = memoryLedger();
    const slow = [{ when: "Your subtask (", reply: { text: "slow", firstMs: 60_000 } }];
    const { orchestrator } = life(ledger, slow);
    const run = orchestrator.start("t");
    for await (const { type } of run.events) if (type === "subtask.started") break;
    const alive = { owner: { pid: 1_000_000, host: "there", space: "", startTime: "" }, isDead: () => false, now: Date.now };
    const other = life(ledger, [], { identity: alive });
    await expect(other.orchestrator.resume(run.runId)).rejects.toMatchObject({ code: "run_held", message: expect.stringContaining("on here") });
    run.abort();
    await run.outcome;
    expect(await (await other.orchestrator.resume(run.runId)).outcome).toMatchObject({ status: "ok" });
  });

  test("and another at the same time: exactly one goes on", async () => {
    const ledger = memoryLedger();
    const run = life(ledger, [{ when: "Your subtask (", reply: { fault: { kind: "status", status: 400, body: "no" } } }]).orchestrator.start("t");
    await run.outcome;
    const tries = await Promise.allSettled([life(ledger), life(ledger)].map(({ orchestrator }) => orchestrator.resume(run.runId)));
    expect(tries.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    for (const tried of tries) if (tried.status === "fulfilled") expect(await tried.value.outcome).toMatchObject({ status: "ok" });
  });

  test("under other settings is told what has changed and what it would cost, and goes on only if that is accepted", async () => {
    const ledger = memoryLedger();
    const run = life(ledger, [{ when: "Tell the story.", reply: { fault: { kind: "status", status: 400, body: "no" } } }]).orchestrator.start("t");
    await run.outcome;
    const changed = life(ledger, [], { worker: { maxOutputTokens: 99 }, synthesizer: { prompt: "Join: {results}" } });
    const refusal = await changed.orchestrator.resume(run.runId).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: "run_drifted",
      message: expect.stringMatching(
        /^The run was started under other settings: the worker's settings changed; the synthesizer's prompt changed. Under the new ones it would pay for 1 subtask and the synthesis: about [\d.]+k? tokens, at most [\d.]+k tokens. 2 of 3 results stay as they are.$/,
      ),
    });
    expect(changed.model.calls).toHaveLength(0);
    const accepted = await changed.orchestrator.resume(run.runId, { acceptChanges: true }).catch((error: unknown) => error);
    expect(accepted).not.toBeInstanceOf(Error);
  });

  test("is told the price where it is known: more for more that is missing, nothing for what is done", async () => {
    const priceOf = async (...refused: string[]): Promise<number> => {
      const ledger = memoryLedger();
      const no = { fault: { kind: "status", status: 400, body: "no" } } as const;
      const first = life(ledger, [{ when: new RegExp(refused.join("|")), reply: no }]).orchestrator.start("t");
      await first.outcome;
      const { model } = life(ledger);
      const role = { model, price: { input: 3, output: 15 }, temperature: 0.5 };
      const error = await new FlexibleOrchestrator({ orchestrator: role, worker: role, synthesizer: role, ledger }).resume(first.runId).catch(String);
      const [, atMost = ""] = /about \$[\d.]+, at most \$([\d.]+)\./.exec(String(error)) ?? [];
      return Number(atMost);
    };
    const [one, two] = [await priceOf("Tell the story."), await priceOf("Tell the story.", "Write the end.")];
    // A worker's cap is 8,192 tokens and the synthesizer's 16,384, at 15 dollars a million.
    expect(one).toBeGreaterThan(0.36);
    expect(one).toBeLessThan(0.45);
    expect(two - one).toBeGreaterThan(0.12);
    expect(two - one).toBeLessThan(0.17);
  });

  test.each([
    ["a kind of worker that is new", {}, { workers: { story: { maxOutputTokens: 55 } } }, 'there is a new worker "story"'],
    ["a kind of worker that is gone", { workers: { story: { maxOutputTokens: 55 } } }, {}, 'there is no worker "story" any more'],
    ["a kind's settings", { workers: { story: { temperature: 0 } } }, { workers: { story: { temperature: 1 } } }, 'the worker "story"\'s settings changed'],
    ["how a choice is asked for", {}, { synthesizer: { prompt: ({ combine }) => `${combine} it` } }, "the synthesizer's prompt changed"],
  ] satisfies [string, OrchestratorOptions, OrchestratorOptions, string][])("is told of %s", async (_, before, now, change) => {
    const ledger = memoryLedger();
    const run = life(ledger, [{ when: "Tell the story.", reply: { fault: { kind: "status", status: 400, body: "no" } } }], before).orchestrator.start("t");
    await run.outcome;
    await expect(life(ledger, [], now).orchestrator.resume(run.runId)).rejects.toMatchObject({
      code: "run_drifted",
      message: expect.stringContaining(change),
    });
  });

  test("is not told of a kind of worker for which nothing is missing", async () => {
    const ledger = memoryLedger();
    const run = life(ledger, [{ when: "Tell the story.", reply: { fault: { kind: "status", status: 400, body: "no" } } }]).orchestrator.start("t");
    await run.outcome;
    const resumed = await life(ledger, [], { workers: { facts: { maxOutputTokens: 55 } } }).orchestrator.resume(run.runId);
    expect(await resumed.outcome).toMatchObject({ status: "ok" });
  });

  test("may stop it while its models are still looked for: then nobody has it", async () => {
    const ledger = memoryLedger();
    const run = life(ledger, [{ when: "Tell the story.", reply: { fault: { kind: "status", status: 400, body: "no" } } }]).orchestrator.start("t");
    await run.outcome;
    const never = new FlexibleOrchestrator({ model: "local:", ledger }, { models: { local: () => new Promise(() => undefined) } });
    const stop = new AbortController();
    const resumed = never.resume(run.runId, { signal: stop.signal, acceptChanges: true });
    setTimeout(() => stop.abort(), 20);
    await expect(resumed).rejects.toMatchObject({ code: "aborted" });
    expect(await (await life(ledger).orchestrator.resume(run.runId)).outcome).toMatchObject({ status: "ok" });
  });

  test("need not keep to what no missing call depends on: limits, time, and roles that have nothing left to do", async () => {
    const ledger = memoryLedger();
    const run = life(ledger, [{ when: "Tell the story.", reply: { fault: { kind: "status", status: 400, body: "no" } } }]).orchestrator.start("t");
    await run.outcome;
    const other = life(ledger, [], {
      orchestrator: { maxOutputTokens: 77 },
      limits: { subtasks: 3, upstreamBytes: 5 },
      timeout: { runMs: 1000 },
      retry: { attempts: 1, backoffMs: 1 },
      concurrency: 1,
    });
    expect(await (await other.orchestrator.resume(run.runId)).outcome).toMatchObject({ status: "ok" });
  });
});
