import { describe, expect, test } from "vitest";
import { allRoles, eventsOf, statuses } from "../../../test/all-roles.ts";
import { FlexibleOrchestrator } from "../../flexible-orchestrator.ts";
import { memoryLedger, type OrchestratorOptions } from "../../index.ts";
import type { DoubleCall, ReplyOptions } from "../../testing/index.ts";
import { reduce } from "../../reduce.ts";
import { initialRunState } from "../../run-state.ts";

const task = (id: string, description: string, after = "", type = "part"): string =>
  `<task id="${id}" after="${after}"><type>${type}</type><description>${description}</description></task>`;
const plan = (...tasks: readonly string[]): string => `<analysis>So.</analysis><tasks combine="keep">${tasks.join("\n")}</tasks>`;
const finish = '<tasks combine="keep"></tasks>';

/** Answers the plan's own question first, then each look in turn; what is asked beyond that is an error. */
function planning(...replies: readonly (string | ReplyOptions)[]): {
  readonly plan: (call: DoubleCall) => string | ReplyOptions;
  readonly asked: DoubleCall[];
} {
  const asked: DoubleCall[] = [];
  return {
    asked,
    plan: (call) => {
      asked.push(call);
      return replies[asked.length - 1] ?? { fault: { kind: "status", status: 400 } };
    },
  };
}

const looksIn = (asked: readonly DoubleCall[]): readonly DoubleCall[] => asked.filter(({ prompt }) => prompt.includes("Your plan has been carried out."));

function rounds(number: number, more: OrchestratorOptions = {}): OrchestratorOptions {
  return { ...more, limits: { rounds: number, ...more.limits } };
}

describe("a further round", () => {
  test("shows the orchestrator what came of its plan; what it adds is carried out, and it finishes with an empty plan", async () => {
    const { plan: reply, asked } = planning(plan(task("a", "Find a."), task("b", "Find b.")), plan(task("c", "Check a.", "a")), finish);
    const model = allRoles({ plan: reply });
    const outcome = await new FlexibleOrchestrator(rounds(5, { model })).orchestrate("Describe the bottle");
    expect(outcome).toMatchObject({
      status: "ok",
      calls: 6,
      coverage: { planned: 3, done: 3, planComplete: true },
      results: [{ id: "a" }, { id: "b" }, { id: "c", result: "result of: Check a." }],
    });
    const [first, second] = looksIn(asked);
    expect(asked).toHaveLength(3);
    expect(first?.prompt).toContain(asked[0]?.prompt);
    expect(first?.prompt).toMatch(
      /<subtask-([0-9a-f]{32})>\nid: a\ntype: part\ndescription: Find a\.\n<\/subtask-\1>\nIts result:\n<result-([0-9a-f]{32})>\nresult of: Find a\.\n/,
    );
    expect(first?.prompt).not.toContain("result of: Check a.");
    expect(second?.prompt).toContain("result of: Check a.");
    // What it adds may build on what is done.
    expect(model.calls.find(({ prompt }) => prompt.includes("Check a.") && !prompt.includes("Your plan"))?.prompt).toContain("result of: Find a.");
  });

  test("is not asked for where one is all that is allowed", async () => {
    const { plan: reply, asked } = planning(plan(task("a", "Find a."), task("b", "Find b.")));
    expect(await new FlexibleOrchestrator({ model: allRoles({ plan: reply }) }).orchestrate("t")).toMatchObject({ status: "ok", calls: 3 });
    expect(asked).toHaveLength(1);
  });

  test("is the last when the limit is reached, whatever the orchestrator would like", async () => {
    const { plan: reply, asked } = planning(plan(task("a", "A.")), plan(task("b", "B.")), plan(task("c", "C.")));
    const outcome = await new FlexibleOrchestrator(rounds(2, { model: allRoles({ plan: reply }) })).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ id: "a" }, { id: "b" }] });
    expect(asked).toHaveLength(2);
  });

  test("may write a failed subtask anew: it takes that one's place, and what waited for it is done", async () => {
    const { plan: reply, asked } = planning(
      plan(task("a", "Hard."), task("b", "Easy."), task("c", "After.", "a"), task("d", "Last.", "c,b")),
      plan(task("A", "Less hard.")),
      finish,
    );
    const model = allRoles({
      plan: reply,
      worker: ({ prompt }) => (prompt.includes("Hard.") ? "<unable>no data</unable>" : (/\w+\.(?=[^.]*$)/.exec(prompt)?.[0] ?? "done")),
    });
    const run = new FlexibleOrchestrator(rounds(3, { model })).start("t");
    const events = await eventsOf(run);
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({
      status: "ok",
      coverage: { planned: 4, done: 4, failed: 0, skipped: 0, missing: [] },
      results: [{ id: "a", description: "Less hard.", attempts: 2 }, { id: "b" }, { id: "c" }, { id: "d" }],
    });
    expect(asked[1]?.prompt).toMatch(/It failed:\n<reason-[0-9a-f]+>\nThe worker says that it cannot do this: no data/);
    expect(asked[1]?.prompt).toMatch(/It was skipped:\n<reason-[0-9a-f]+>\nit needs "a", which is not done/);
    const state = events.reduce(reduce, initialRunState);
    expect(state).toMatchObject({ round: 3, subtasks: [{ status: "done", error: undefined }, {}, { status: "done", skipped: undefined, because: "" }, {}] });
    expect(state.subtasks).toHaveLength(4);
  });

  test("starts who had waited for a failed one when it is planned to its end, for it may write that anew as well", async () => {
    const slow = { text: plan(task("a", "Less hard."), " ".repeat(400), task("c", "New.", "a")), chunkSize: 50, chunkMs: 5 };
    const { plan: reply } = planning(plan(task("a", "Hard."), task("c", "Old.", "a"), task("e", "Easy.")), slow);
    const model = allRoles({ plan: reply, worker: ({ prompt }) => (prompt.includes("Hard.") ? "<unable>no</unable>" : "done") });
    const run = new FlexibleOrchestrator(rounds(2, { model })).start("t");
    const events = await eventsOf(run);
    expect(await run.outcome).toMatchObject({ status: "ok", results: [{ id: "a" }, { id: "c", description: "New.", attempts: 1 }, { id: "e" }] });
    expect(events.filter((event) => event.type === "subtask.started").map(({ subtaskId }) => subtaskId)).toEqual(["a", "e", "a", "c"]);
  });

  test("leaves who waits for another failed one, too, where it is, and says which", async () => {
    const { plan: reply } = planning(
      plan(task("a", "Hard a."), task("b", "Hard b."), task("e", "Easy."), task("c", "Both.", "a,b")),
      plan(task("a", "Other.")),
    );
    const model = allRoles({ plan: reply, worker: ({ prompt }) => (/Hard/.test(prompt) ? "<unable>no</unable>" : "done") });
    const run = new FlexibleOrchestrator(rounds(2, { model })).start("t");
    const events = await eventsOf(run);
    const outcome = await run.outcome;
    expect(statuses(outcome)).toEqual(["a done", "b failed", "e done", "c skipped"]);
    expect(events.flatMap((event) => (event.type === "subtask.skipped" ? event.because : []))).toEqual(["a", "b"]);
    expect(outcome.coverage.missing).toContainEqual({ id: "c", type: "part", why: 'it needs "b", which is not done' });
  });

  test("drops what was asked for before, says so, and ends with a round of nothing else", async () => {
    const { plan: reply, asked } = planning(plan(task("a", "Find it."), task("b", "Fail.")), plan(task("z", " find  IT."), task("b", "Fail.")), finish);
    const model = allRoles({ plan: reply, worker: ({ prompt }) => (prompt.includes("Fail.") ? "<unable>no</unable>" : "done") });
    const outcome = await new FlexibleOrchestrator(rounds(9, { model })).orchestrate("t");
    expect(outcome).toMatchObject({
      status: "partial",
      coverage: { planned: 2, notices: [{ code: "repeat_dropped", message: expect.stringContaining('"z", "b"') }] },
    });
    expect(asked).toHaveLength(2);
  });

  test("does not follow one of which nothing is done", async () => {
    const { plan: reply, asked } = planning(plan(task("a", "A.")), plan(task("b", "Fail.")), plan(task("c", "C.")));
    const model = allRoles({ plan: reply, worker: ({ prompt }) => (prompt.includes("Fail.") ? "<unable>no</unable>" : "done") });
    expect(await new FlexibleOrchestrator(rounds(9, { model })).orchestrate("t")).toMatchObject({ status: "partial", results: [{ id: "a" }, { id: "b" }] });
    expect(asked).toHaveLength(2);
  });

  test("adds no more subtasks than one plan may have, and all together no more than the run may have workers", async () => {
    const three = (...ids: readonly string[]): string => plan(...ids.map((id) => task(id, `Do ${id}.`)));
    const { plan: reply, asked } = planning(three("a", "b", "c"), three("d", "e", "f"), finish);
    const limits = { subtasks: 2, workers: 3 };
    const outcome = await new FlexibleOrchestrator(rounds(9, { model: allRoles({ plan: reply }), limits })).orchestrate("t");
    expect(outcome).toMatchObject({ results: [{ id: "a" }, { id: "b" }, { id: "d" }], coverage: { planned: 6, dropped: 3 } });
    expect(outcome.coverage.notices.map(({ message }) => message)).toEqual([
      "The plan has 3 subtasks; the limit is 2, so the last 1 were dropped.",
      "Round 2 has 3 subtasks; the limit is 1, so the last 2 were dropped.",
    ]);
    expect(asked).toHaveLength(2);
  });

  test("that cannot be asked for leaves what stands, and the run is partial; resumed, it is asked for again", async () => {
    const ledger = memoryLedger();
    const first = planning(plan(task("a", "A."), task("b", "B.")), { fault: { kind: "status", status: 400 } });
    const started = new FlexibleOrchestrator(rounds(2, { model: allRoles({ plan: first.plan }), ledger }));
    const outcome = await started.orchestrate("t");
    expect(outcome).toMatchObject({ status: "partial", coverage: { planComplete: false, done: 2 } });
    const second = planning(plan(task("c", "C.")));
    const again = new FlexibleOrchestrator(rounds(2, { model: allRoles({ plan: second.plan }), ledger }));
    const resumed = await (await again.resume(outcome.runId)).outcome;
    expect(resumed).toMatchObject({ status: "ok", results: [{ id: "a" }, { id: "b" }, { id: "c" }] });
    expect(looksIn(second.asked)).toHaveLength(1);
  });

  test("is estimated with the call of what is written anew and has not begun", async () => {
    const { plan: reply } = planning(plan(task("a", "Hard."), task("b", "B.")), plan(task("a", "Other.")));
    const model = allRoles({ plan: reply, worker: ({ prompt }) => (prompt.includes("Hard.") ? "<unable>no</unable>" : "done") });
    const outcome = await new FlexibleOrchestrator(rounds(2, { model, concurrency: 1 })).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", calls: 5, estimate: { worst: { calls: 5 } } });
  });

  test("shows as much of the results as may go upstream, and says of which it showed only the beginning", async () => {
    const { plan: reply, asked } = planning(plan(task("a", "Long."), task("b", "Short.")), finish);
    const model = allRoles({ plan: reply, worker: ({ prompt }) => (prompt.includes("Long.") ? "x".repeat(5_000) : "short") });
    const run = new FlexibleOrchestrator(rounds(2, { model, limits: { upstreamBytes: 1_000 } })).start("t");
    const events = await eventsOf(run);
    expect(events.find((event) => event.type === "round.started")).toMatchObject({ round: 2, cut: ["a"] });
    const shown = asked[1]?.prompt ?? "";
    expect(shown).toContain("short");
    expect(shown).toContain("[cut here: the first 995 of 5000 characters]");
    expect(shown.split("x").length).toBeLessThan(1_010);
  });

  test("is not asked for over a plan that was handed in", async () => {
    const { plan: reply, asked } = planning();
    const outcome = await new FlexibleOrchestrator(rounds(3, { model: allRoles({ plan: reply }) })).orchestrate("t", "", {
      plan: { subtasks: [{ description: "A." }] },
    });
    expect(outcome.status).toBe("ok");
    expect(asked).toHaveLength(0);
  });

  test("that broke off is completed, and what it has written by then stands", async () => {
    const cut = plan(task("c", "C."), task("d", "D.")).replace("D.</description></task></tasks>", "");
    const { plan: reply, asked } = planning(plan(task("a", "A.")), { text: cut, finish: "length" }, plan(task("c", "C."), task("d", "D.")), finish);
    const outcome = await new FlexibleOrchestrator(rounds(9, { model: allRoles({ plan: reply }) })).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ id: "a" }, { id: "c" }, { id: "d" }] });
    expect(asked).toHaveLength(4);
  });

  test("answered without a plan, however it is asked, is taken to ask for nothing more; and that is said", async () => {
    const { plan: reply, asked } = planning(plan(task("a", "A.")), "All is there.", "Really.", "Yes.", "Quite.");
    const outcome = await new FlexibleOrchestrator(rounds(9, { model: allRoles({ plan: reply }) })).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", coverage: { planComplete: true, notices: [{ code: "round_unread" }] } });
    expect(asked).toHaveLength(5);
    expect(asked[2]?.prompt).toContain('If nothing is missing, reply with <tasks combine="keep"></tasks>.');
  });

  test("shows what falls short, and why", async () => {
    const { plan: reply, asked } = planning(plan(task("a", "A."), task("b", "B.")), finish);
    const model = allRoles({ plan: reply, worker: ({ prompt }) => (prompt.includes("A.") ? { text: "cut off", finish: "length" } : "whole") });
    const judge = ({ text }: { readonly text: string }): { score: number; reasons: string } => ({
      score: text === "whole" ? 0 : 1,
      reasons: "Names no source.",
    });
    const worker = { allowLength: true, evaluate: { judge, threshold: 0.5, maxAttempts: 1 } };
    await new FlexibleOrchestrator(rounds(2, { model, worker })).orchestrate("t");
    expect(asked[1]?.prompt).toMatch(/cut off\n<\/result-[0-9a-f]+>\nIt falls short:\n<reason-([0-9a-f]+)>\nIt was cut at its cap\.\n<\/reason-\1>/);
    expect(asked[1]?.prompt).toMatch(/whole\n<\/result-[0-9a-f]+>\nIt falls short:\n<reason-([0-9a-f]+)>\nNames no source\.\n<\/reason-\1>/);
  });

  test("gives no subtask a name for which an earlier one had waited in vain: resumed, they would wait for each other", async () => {
    const ledger = memoryLedger();
    const failing = { fault: { kind: "status", status: 400 } } as const;
    const first = planning(plan(task("a", "A.", "zeta"), task("b", "B.")), plan(task("zeta", "Z.", "a")));
    const model = allRoles({ plan: first.plan, worker: ({ prompt }) => (prompt.includes("A.") ? failing : "done") });
    const outcome = await new FlexibleOrchestrator(rounds(2, { model, ledger })).orchestrate("t");
    expect(statuses(outcome)).toEqual(["a failed", "b done", "zeta-2 skipped"]);
    const again = await (await new FlexibleOrchestrator({ model: allRoles({ plan: finish }), ledger }).resume(outcome.runId)).outcome;
    expect(statuses(again)).toEqual(["a done", "b done", "zeta-2 done"]);
  });

  test("says of its own types alone that there is no kind for them", async () => {
    const { plan: reply } = planning(plan(task("a", "A.", "", "odd")), plan(task("b", "B.", "", "queer")), finish);
    const model = allRoles({ plan: reply });
    const outcome = await new FlexibleOrchestrator(rounds(3, { model, workers: { poet: { description: "Writes verse." } } })).orchestrate("t");
    expect(outcome.coverage.notices.map(({ message }) => /"(.*)"/.exec(message)?.[1])).toEqual(["odd", "queer"]);
  });

  test("that forgets the mark which its results call for is asked again, and not taken to ask for nothing", async () => {
    const marked = ({ prompt }: DoubleCall): string => {
      const mark = /So write (mark="[0-9a-f]{8}")/.exec(prompt)?.[1] ?? "";
      return `<tasks ${mark}><task ${mark} id="b"><description>B.</description></task></tasks>`;
    };
    const asked: DoubleCall[] = [];
    const reply = (call: DoubleCall): string => (asked.push(call) === 1 ? plan(task("a", "A.")) : asked.length === 2 ? plan(task("b", "B.")) : marked(call));
    const model = allRoles({ plan: reply, worker: () => "It says <task> and </task>." });
    const outcome = await new FlexibleOrchestrator(rounds(2, { model })).orchestrate("t");
    expect(statuses(outcome)).toEqual(["a done", "b done"]);
    expect(asked).toHaveLength(3);
  });

  test("asked for as JSON ends with an empty list", async () => {
    const json = (...subtasks: readonly object[]): string => JSON.stringify({ analysis: "So.", answer: "", combine: "keep", subtasks });
    const { plan: reply, asked } = planning(
      json({ id: "a", type: "t", description: "A.", after: [] }),
      json({ id: "b", type: "t", description: "B.", after: ["a"] }),
      json(),
    );
    const outcome = await new FlexibleOrchestrator(rounds(9, { model: allRoles({ plan: reply }), planFormat: "json" })).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ id: "a" }, { id: "b" }] });
    expect(asked).toHaveLength(3);
  });
});

describe("a run of several rounds that is resumed", () => {
  test("plans no round anew that was planned, and keeps the number of its rounds", async () => {
    const ledger = memoryLedger();
    const stop = new AbortController();
    const first = planning(plan(task("a", "A.")), plan(task("b", "B."), task("c", "C.")));
    const model = allRoles({
      plan: first.plan,
      worker: ({ prompt }) => {
        if (prompt.includes("B.")) stop.abort();
        return "done";
      },
    });
    const outcome = await new FlexibleOrchestrator(rounds(3, { model, ledger, concurrency: 1 })).orchestrate("t", "", { signal: stop.signal });
    expect(outcome.status).toBe("aborted");
    const second = planning(finish);
    const again = new FlexibleOrchestrator({ model: allRoles({ plan: second.plan }), ledger });
    const resumed = await (await again.resume(outcome.runId)).outcome;
    expect(resumed).toMatchObject({ status: "ok", results: [{ id: "a", result: "done" }, { id: "b" }, { id: "c" }] });
    expect(looksIn(second.asked)).toHaveLength(1);
    expect(second.asked).toHaveLength(1);
  });

  test("looks on where plans need approval now, and work on this one had begun without", async () => {
    const ledger = memoryLedger();
    const stop = new AbortController();
    const model = allRoles({
      plan: plan(task("a", "A."), task("b", "B.")),
      worker: ({ prompt }) => {
        if (prompt.includes("B.")) stop.abort();
        return "done";
      },
    });
    const outcome = await new FlexibleOrchestrator(rounds(3, { model, ledger })).orchestrate("t", "", { signal: stop.signal });
    expect(outcome.status).toBe("aborted");
    const asked = planning(plan(task("c", "C.")), finish);
    const again = new FlexibleOrchestrator({ model: allRoles({ plan: asked.plan }), ledger, approvePlan: async () => "reject" });
    const resumed = await (await again.resume(outcome.runId)).outcome;
    expect(resumed).toMatchObject({ status: "ok", results: [{ id: "a" }, { id: "b" }, { id: "c" }] });
    expect(looksIn(asked.asked)).toHaveLength(2);
  });

  test("that was stopped while the orchestrator looked is shown the same again, before what had failed is tried anew", async () => {
    const ledger = memoryLedger();
    const stop = new AbortController();
    const first = planning(plan(task("a", "A."), task("b", "Fail.")));
    const model = allRoles({
      plan: (call) => {
        if (call.prompt.includes("Your plan has been carried out.")) stop.abort();
        return first.plan(call);
      },
      worker: ({ prompt }) => (prompt.includes("Fail.") ? { fault: { kind: "status", status: 400 } } : "done"),
    });
    const outcome = await new FlexibleOrchestrator(rounds(2, { model, ledger })).orchestrate("t", "", { signal: stop.signal });
    expect(outcome.status).toBe("aborted");
    const asked = looksIn(first.asked);
    const second = planning(plan(task("b", "Better.")));
    const working = allRoles({ plan: second.plan });
    const resumed = await (await new FlexibleOrchestrator({ model: working, ledger }).resume(outcome.runId)).outcome;
    expect(resumed).toMatchObject({ status: "ok", results: [{ id: "a" }, { id: "b", result: "result of: Better." }] });
    expect(second.asked[0]?.prompt.startsWith(asked[0]?.prompt ?? "?")).toBe(true);
    // What is done is not estimated once more.
    expect(resumed.estimate?.worst.calls).toBe(resumed.calls);
    expect(working.calls.some(({ prompt }) => prompt.includes("Fail.") && !prompt.includes("Your plan"))).toBe(false);
  });

  test("leaves done what was tried again after a look that came to nothing, and shows it to the next one", async () => {
    const ledger = memoryLedger();
    const failing = { fault: { kind: "status", status: 400 } } as const;
    const lives = [
      allRoles({ plan: planning(plan(task("a", "A."), task("b", "Fail."))).plan, worker: ({ prompt }) => (prompt.includes("Fail.") ? failing : "done") }),
      allRoles({ plan: planning().plan, worker: () => "done at last" }),
    ];
    let runId = "";
    for (const model of lives) {
      const orchestrator = new FlexibleOrchestrator(rounds(2, { model, ledger }));
      const run = runId === "" ? orchestrator.start("t") : await orchestrator.resume(runId);
      runId = run.runId;
      expect(await run.outcome).toMatchObject({ status: "partial", coverage: { planComplete: false } });
    }
    const last = planning(plan(task("b", "Better.")));
    const outcome = await (await new FlexibleOrchestrator({ model: allRoles({ plan: last.plan }), ledger }).resume(runId)).outcome;
    expect(outcome).toMatchObject({ status: "ok", results: [{ id: "a" }, { id: "b", result: "done at last" }, { id: "b-2", result: "result of: Better." }] });
    expect(last.asked[0]?.prompt).toContain("done at last");
  });
});

describe("where there can be one round alone", () => {
  test("a plan that was approved is carried out and nothing else, and that is said", async () => {
    const { plan: reply, asked } = planning(plan(task("a", "A.")));
    const options = rounds(3, { model: allRoles({ plan: reply }), approvePlan: async (approved) => approved });
    const outcome = await new FlexibleOrchestrator(options).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", coverage: { notices: [{ code: "rounds_unused", message: expect.stringContaining("approved") }] } });
    expect(asked).toHaveLength(1);
  });
});
