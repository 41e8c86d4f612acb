import { describe, expect, test } from "vitest";
import { allRoles, eventsOf, orchestrator, results, statuses, textOf, twoTasks } from "../../test/all-roles.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { verdictBy } from "../../test/preferring.ts";
import { formatPlan } from "../plan/format-plan.ts";
import type { DoubleCall, DoubleReply } from "../testing/index.ts";

describe("a run that goes well", () => {
  test("is ok, with every result in plan order and the answer laid out by code", async () => {
    const outcome = await orchestrator({ plan: twoTasks }).orchestrate("Describe the bottle");
    expect(outcome).toMatchObject({
      status: "ok",
      analysis: "Facts sell to some, stories to others.",
      calls: 3,
      coverage: { planned: 2, done: 2, failed: 0, skipped: 0, dropped: 0, planComplete: true, answer: "keep", missing: [] },
      results: [
        { id: "facts", type: "technical-facts", status: "done", result: "result of: List the facts.", attempts: 1 },
        { id: "story", type: "story", status: "done", result: "result of: Tell the story." },
      ],
      text: "## Technical facts\n\nresult of: List the facts.\n\n## Story\n\nresult of: Tell the story.",
    });
  });

  test("a worker's request leaves before the plan's stream has ended", async () => {
    const model = allRoles({ plan: { text: twoTasks, chunkSize: 8 } });
    const run = new FlexibleOrchestrator({ model }).start("Describe the bottle");
    const events = await eventsOf(run);
    const firstWorker = events.findIndex((event) => event.type === "attempt.started" && event.role === "worker");
    const lastOfPlan = events.findLastIndex((event) => event.type === "plan.delta");
    expect(firstWorker).toBeGreaterThan(0);
    expect(firstWorker).toBeLessThan(lastOfPlan);
    expect(model.maxInFlight).toBeGreaterThan(1);
  });

  test("concurrency 1 is strictly the plan, then the workers in order, with the same results", async () => {
    const model = allRoles({ plan: { text: twoTasks, chunkSize: 8 } });
    const sequential = new FlexibleOrchestrator({ model });
    const run = sequential.start("Describe the bottle", "", { concurrency: 1 });
    const events = await eventsOf(run);
    const order = events.flatMap((event) =>
      event.type === "attempt.started" ? (event.subtaskId ?? event.role) : event.type === "plan.finished" ? "plan.finished" : [],
    );
    expect(order).toEqual(["orchestrator", "plan.finished", "facts", "story"]);
    expect(model.maxInFlight).toBe(1);
    const parallel = await orchestrator({ plan: twoTasks }).orchestrate("Describe the bottle");
    expect(results(await run.outcome)).toEqual(results(parallel));
  });

  test("the outcome survives JSON and back", async () => {
    const outcome = await orchestrator({
      plan: twoTasks,
      worker: (call) => (call.prompt.includes("story") ? { finish: "content-filter", text: "" } : "fine"),
    }).orchestrate("t");
    expect(outcome.status).toBe("partial");
    expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome);
  });

  test("text is what textStream gave, put together", async () => {
    const run = orchestrator({ plan: twoTasks.replace("keep", "merge"), synthesizer: () => ({ text: "one answer for everybody", chunkSize: 3 }) }).start("t");
    const text = await textOf(run);
    expect(await run.outcome).toMatchObject({ status: "ok", text, calls: 4 });
    expect(text).toBe("one answer for everybody");
  });

  test("a result that another subtask needs reaches it in a fence, and it starts only then", async () => {
    const plan = `<tasks combine="merge"><task id="b" after="a"><type>second</type><description>Second.</description></task>
<task id="a"><type>first</type><description>First.</description></task></tasks>`;
    const model = allRoles({ plan, worker: (call) => (call.prompt.includes("Second.") ? "two" : "THE FIRST RESULT") });
    const outcome = await new FlexibleOrchestrator({ model }).orchestrate("t");
    const second = model.calls.find(({ prompt }) => prompt.includes("Second."));
    expect(second?.prompt).toMatch(/<result-([0-9a-f]{32})>\nTHE FIRST RESULT\n<\/result-\1>/);
    expect(outcome).toMatchObject({ status: "ok", results: [{ id: "b", result: "two" }, { id: "a" }] });
  });

  test("many runs of one orchestrator at once do not mix", async () => {
    const many = orchestrator({ plan: twoTasks, worker: (call) => `for ${/task-\d+/.exec(call.prompt)?.[0]}` });
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, n) => many.orchestrate(`task-${n}`)));
    for (const [n, outcome] of outcomes.entries()) expect(results(outcome)).toEqual([`for task-${n}`, `for task-${n}`]);
    expect(new Set(outcomes.map(({ runId }) => runId)).size).toBe(20);
  });
});

describe("a direct answer", () => {
  test("takes one call, is streamed, and has no results", async () => {
    const run = orchestrator({ plan: { text: "<answer>Just say hello.</answer>", chunkSize: 4 } }).start("Make this friendlier");
    expect(await textOf(run)).toBe("Just say hello.");
    expect(await run.outcome).toMatchObject({
      status: "ok",
      text: "Just say hello.",
      calls: 1,
      results: [],
      plan: { kind: "direct" },
      coverage: { answer: "direct" },
    });
  });

  test("is not taken where direct is never: the plan is asked for", async () => {
    const model = allRoles({ plan: (call) => (call.n === 1 ? "<answer>no</answer>" : twoTasks) });
    const outcome = await new FlexibleOrchestrator({ model, direct: "never" }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ id: "facts" }, { id: "story" }] });
    expect(model.calls[0]?.system).not.toContain("<answer>");
  });

  test("that breaks off after some of it was read fails, and does not repeat itself", async () => {
    const run = orchestrator({ plan: { text: "<answer>One two three four five six</answer>", chunkSize: 6, fault: { kind: "reset", afterChunks: 4 } } }).start(
      "t",
    );
    const text = await textOf(run);
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "failed", calls: 1 });
    expect("One two three four five six".startsWith(text)).toBe(true);
  });
});

describe("a plan that breaks", () => {
  test("off after two dispatched subtasks: they stand, the rest is asked for, and nothing is done twice", async () => {
    const cut = `${twoTasks.replace("</tasks>", "")}<task id="third"><type>x</type><description>half a descri`;
    const rest = `<tasks><task id="third"><type>third</type><description>The third.</description></task></tasks>`;
    const model = allRoles({ plan: (call) => (call.n === 1 ? { text: cut, chunkSize: 16, fault: { kind: "cut", afterChunks: 99 } } : rest) });
    const run = new FlexibleOrchestrator({ model }).start("t");
    const events = await eventsOf(run);
    expect(await run.outcome).toMatchObject({ status: "ok", calls: 5, results: [{ id: "facts" }, { id: "story" }, { id: "third" }] });
    expect(events.filter(({ type }) => type === "plan.asked_again")).toHaveLength(1);
    expect(model.calls.filter(({ prompt }) => prompt.includes("Your subtask") && prompt.includes("List the facts."))).toHaveLength(1);
  });

  test("and cannot be completed leaves what was dispatched, as a partial outcome that says so", async () => {
    const cut = twoTasks.replace("</tasks>", "<task>");
    const outcome = await orchestrator({ plan: (call) => (call.prompt.includes("broke off") ? "I would rather not." : cut) }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "partial", coverage: { done: 2, planComplete: false }, error: { code: "incomplete" } });
    expect(outcome.status === "partial" && outcome.text).toContain("The plan broke off");
  });

  test("and holds nothing fails, with the raw text as evidence", async () => {
    const outcome = await orchestrator({ plan: "Let me think about what to do." }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "failed", results: [], error: { code: "plan_failed" }, calls: 4 });
    expect(outcome.status === "failed" && outcome.error.evidence?.partialText).toContain("Let me think about");
  });

  test("off before its first subtask is asked for again", async () => {
    const cut: DoubleReply = { text: "<analysis>Let me think about", finish: "length" };
    const outcome = await orchestrator({ plan: (call) => (call.prompt.includes("no complete subtask") ? twoTasks : cut) }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ id: "facts" }, { id: "story" }] });
  });

  test("because the key is wrong fails after one call, with that error", async () => {
    const outcome = await orchestrator({ plan: { fault: { kind: "status", status: 401 } } }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "failed", calls: 1, error: { code: "authentication" } });
  });
});

describe("a worker that fails", () => {
  test.each<[string, DoubleReply, string]>([
    ["answers nothing", "", "empty_response"],
    ["is stopped by a filter", { text: "half", finish: "content-filter" }, "content_filter"],
    ["is cut at its cap", { text: "half a", finish: "length" }, "output_truncated"],
    ["says that it is unable", "<unable>the price list</unable>", "unable"],
  ])("because it %s does not hurt its siblings, and no text of it stands as a result", async (_, reply, code) => {
    const outcome = await orchestrator({ plan: twoTasks, worker: (call) => (call.prompt.includes("story.") ? reply : "the facts") }).orchestrate("t");
    expect(outcome).toMatchObject({
      status: "partial",
      results: [
        { id: "facts", status: "done", result: "the facts" },
        { id: "story", status: "failed", error: { code } },
      ],
      coverage: { done: 1, failed: 1, missing: [{ id: "story" }] },
    });
    expect(outcome.status === "partial" && outcome.text).toMatch(/^the facts\n\n\*\*Not covered\*\*\n\n- story: /);
  });

  test("takes its dependants with it, and the rest goes on", async () => {
    const plan = `<tasks combine="merge"><task id="a"><type>a</type><description>Break.</description></task>
<task id="b" after="a"><type>b</type><description>Never.</description></task>
<task id="c" after="b"><type>c</type><description>Never either.</description></task>
<task id="d"><type>d</type><description>Go on.</description></task></tasks>`;
    const outcome = await orchestrator({ plan, worker: (call) => (call.prompt.includes("Break.") ? "" : "done") }).orchestrate("t");
    expect(statuses(outcome)).toEqual(["a failed", "b skipped", "c skipped", "d done"]);
    expect(outcome.coverage.missing.map(({ why }) => why)).toContain('it needs "b", which is not done');
  });

  test("with all its siblings makes the run a failed one that names the shared reason", async () => {
    const outcome = await orchestrator({ plan: twoTasks, worker: () => "<unable>the product's name</unable>" }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "failed", error: { code: "unable" } });
  });

  test("to put anything into its wrapper has answered nothing: it is asked again, and fails after the last attempt", async () => {
    const empty = "<response>  </response>";
    const failing = await orchestrator({ plan: twoTasks, worker: () => empty }).orchestrate("t");
    const error = { code: "empty_response", evidence: { attempts: 3 } };
    expect(failing).toMatchObject({ status: "failed", results: [{ status: "failed", error, attempts: 3 }, { error }] });
    const recovering = orchestrator({ plan: twoTasks, worker: (call) => (call.asked === 1 ? empty : "<response>at last</response>") });
    expect(await recovering.orchestrate("t")).toMatchObject({
      status: "ok",
      results: [{ result: expect.stringContaining("at last"), attempts: 2 }, { attempts: 2 }],
    });
  });

  test("at first, and then answers, is done, its failed attempts counted and paid", async () => {
    const outcome = await orchestrator({
      plan: twoTasks,
      worker: (call) => (call.asked === 1 ? { fault: { kind: "cut", afterChunks: 1 }, text: "lost text that was paid for" } : "kept"),
    }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", calls: 3, results: [{ attempts: 2 }, { attempts: 2 }] });
    expect(outcome.usage.presumedTokens).toBeGreaterThan(0);
  });
});

describe("dependencies that do not hold", () => {
  const same = { id: "a", type: "facts", description: "Find the facts.", dependsOn: [] };
  const third = { id: "c", type: "text", description: "Write with them.", dependsOn: ["b"] };
  const copied = [same, { ...same, id: "b" }, third];
  const worker = (call: DoubleCall): string => (call.prompt.includes("Write with") ? `text of ${/found \w+/.exec(call.prompt)?.[0]}` : "found gold");

  test("a copy that is dropped is built on all the same: the one that stands gives the result", async () => {
    const plan = formatPlan({ kind: "subtasks", analysis: "", combine: "merge", subtasks: copied });
    const outcome = await orchestrator({ plan, worker }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", coverage: { notices: [{ code: "duplicate_dropped" }] } });
    expect(outcome.results).toMatchObject([{ id: "a" }, { id: "c", dependsOn: ["a"], result: "text of found gold" }]);
  });

  test("copies in a plan that is handed in are carried out, each", async () => {
    const outcome = await orchestrator({ plan: "none", worker }).orchestrate("t", "", { plan: { combine: "merge", subtasks: copied } });
    expect(outcome).toMatchObject({ status: "ok", coverage: { notices: [] } });
    expect(outcome.results).toMatchObject([{ id: "a" }, { id: "b" }, { id: "c", dependsOn: ["b"], result: "text of found gold" }]);
  });

  test("a name that nobody has is said and ignored", async () => {
    const plan = `<tasks><task id="a" after="nobody"><type>a</type><description>A.</description></task></tasks>`;
    const outcome = await orchestrator({ plan }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ id: "a", dependsOn: [] }], coverage: { notices: [{ code: "dependency_unknown" }] } });
  });

  test("a cycle is broken off as failed subtasks", async () => {
    const plan = `<tasks><task id="a" after="b"><type>a</type><description>A.</description></task>
<task id="b" after="a"><type>b</type><description>B.</description></task>
<task id="c"><type>c</type><description>C.</description></task></tasks>`;
    const outcome = await orchestrator({ plan }).orchestrate("t");
    expect(statuses(outcome)).toEqual(["a failed", "b failed", "c done"]);
    expect(outcome.results[0]).toMatchObject({ error: { code: "dependency_cycle" }, attempts: 0 });
    expect(outcome.coverage.notices).toMatchObject([{ code: "dependency_cycle", subtaskIds: ["a", "b"] }]);
  });
});

describe("limits", () => {
  test("subtasks over the limit are dropped, and the outcome says so", async () => {
    const tasks = Array.from({ length: 5 }, (_, n) => `<task><type>part</type><description>Part ${n}</description></task>`).join("");
    const outcome = await orchestrator({ plan: `<tasks>${tasks}</tasks>` }, { limits: { subtasks: 3 } }).orchestrate("t");
    expect(outcome.results.map(({ id }) => id)).toEqual(["part", "part-2", "part-3"]);
    expect(outcome).toMatchObject({ status: "partial", coverage: { planned: 5, done: 3, dropped: 2, notices: [{ code: "subtasks_dropped" }] } });
    expect(outcome.status === "partial" && outcome.text).toContain("- 2 more of the plan, over the limit of subtasks.");
  });

  test("an upstream result over the bound is cut where the worker can see it, and the outcome says so", async () => {
    const plan = `<tasks><task id="a"><type>a</type><description>A.</description></task><task id="b" after="a"><type>b</type><description>B.</description></task></tasks>`;
    const model = allRoles({ plan, worker: (call) => (call.prompt.includes("B.") ? "ok" : "x".repeat(500)) });
    const outcome = await new FlexibleOrchestrator({ model, limits: { upstreamBytes: 100 } }).orchestrate("t");
    expect(outcome.coverage.notices).toMatchObject([{ code: "upstream_cut", subtaskIds: ["b"] }]);
    expect(model.calls.find(({ prompt }) => prompt.includes("B."))?.prompt).toContain("[cut here: the first 100 of 500 characters]");
  });

  test("exact copies are dropped under merge, and are samples otherwise", async () => {
    const copies = `<task><type>try</type><description>Do it.</description></task>`.repeat(2);
    const merged = await orchestrator({ plan: `<tasks combine="merge">${copies}</tasks>` }).orchestrate("t");
    const kept = await orchestrator({ plan: `<tasks combine="keep">${copies}</tasks>` }).orchestrate("t");
    expect(merged.results).toHaveLength(1);
    expect(kept.results).toHaveLength(2);
    expect(kept.calls).toBe(3);
  });
});

describe("synthesis", () => {
  const merge = twoTasks.replace("keep", "merge");

  test("that fails before anything of it was read: the results, laid out, are the answer", async () => {
    const outcome = await orchestrator({ plan: merge, synthesizer: () => ({ text: "half an ans", finish: "content-filter" }) }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "partial", coverage: { answer: "keep", done: 2 }, error: { code: "incomplete" } });
    expect(outcome.status === "partial" && outcome.text).toMatch(/^## Technical facts/);
  });

  test("that breaks off while it is read: the text goes on with a notice and the results, and is still what was streamed", async () => {
    const run = orchestrator({ plan: merge, synthesizer: () => ({ text: "half an answer is here", chunkSize: 4, finish: "content-filter" }) }).start("t");
    const text = await textOf(run);
    expect(await run.outcome).toMatchObject({ status: "partial", text });
    expect(text).toMatch(/^half an answer is here\n\n\*\*The text above broke off\.\*\*[^]*## Technical facts[^]*## Story/);
  });

  test("choose compares results two at a time, and gives the original of the best", async () => {
    const comparison = (call: DoubleCall): string => verdictBy(call, (text) => (text.includes("Tell") ? 1 : 0));
    const outcome = await orchestrator({ plan: twoTasks.replace("keep", "choose"), comparison }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", text: "result of: Tell the story.", calls: 5, coverage: { answer: "choose" } });
    expect(outcome.usage.byRole.synthesizer.totalTokens).toBeGreaterThan(0);
    expect(outcome.usage.byRole.evaluator.totalTokens).toBe(0);
  });

  test("choose by a prompt of one's own gives the original of the one that is named in the one reply", async () => {
    const outcome = await orchestrator(
      {
        plan: twoTasks.replace("keep", "choose"),
        synthesizer: () => "<choice>story</choice><reason>It moves.</reason>",
      },
      { synthesizer: { prompt: "Several workers each: {results}" } },
    ).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", text: "result of: Tell the story.", coverage: { answer: "choose" } });
  });

  test("the caller's word stands above the plan's", async () => {
    const none = await orchestrator({ plan: merge }, { synthesis: "none" }).orchestrate("t");
    expect(none).toMatchObject({ status: "ok", text: "", calls: 3, coverage: { answer: "none" } });
    const kept = await orchestrator({ plan: merge }, { synthesis: "keep" }).orchestrate("t");
    expect(kept).toMatchObject({ status: "ok", calls: 3, coverage: { answer: "keep" }, plan: { combine: "keep" } });
  });

  test("of one result needs no call", async () => {
    const plan = `<tasks combine="merge"><task><type>only</type><description>All of it.</description></task></tasks>`;
    expect(await orchestrator({ plan }).orchestrate("t")).toMatchObject({ status: "ok", calls: 2, text: "result of: All of it." });
  });
});
