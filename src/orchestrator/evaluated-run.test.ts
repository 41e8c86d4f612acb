import { describe, expect, test } from "vitest";
import { allRoles, eventsOf, orchestrator, results, textOf, twoTasks, verdict } from "../../test/all-roles.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { memoryLedger } from "../index.ts";
import type { DoubleCall, DoubleReply } from "../testing/index.ts";
import { whatIsLeft } from "../cli/kept/resume-line.ts";
import { reduce } from "../reduce.ts";
import { initialRunState } from "../run-state.ts";

const evaluate = { criteria: "It names the material.", threshold: 0.8 };

/** The work that an evaluator is shown. */
const workIn = ({ prompt }: DoubleCall): string => /<work-[0-9a-f]+>\n(.*?)\n<\/work-/s.exec(prompt)?.[1] ?? "";

/** Counts its tries by the one before, which it is shown. */
const improves = ({ messages }: DoubleCall): string => `draft ${Number(/\d+/.exec(messages.find(({ role }) => role === "assistant")?.text ?? "0")?.[0]) + 1}`;

/** Scores by the number in the draft, as this list says. */
const byDraft =
  (...scores: readonly number[]) =>
  (call: DoubleCall): string =>
    verdict(scores[Number(/\d+/.exec(workIn(call))?.[0]) - 1] ?? 0);

const oneTask = twoTasks.replace(/<task id="story">.*<\/task>/, "");
const merged = twoTasks.replace("keep", "merge");

describe("a worker's result that is judged", () => {
  test("goes back to its worker with what was said of it, and stands when it is good enough", async () => {
    const model = allRoles({ plan: oneTask, worker: improves, evaluator: byDraft(4, 9) });
    const outcome = await new FlexibleOrchestrator({ model, worker: { evaluate } }).orchestrate("Describe the bottle");
    expect(outcome).toMatchObject({
      status: "ok",
      text: "draft 2",
      calls: 5,
      results: [{ status: "done", result: "draft 2", attempts: 2, evaluation: { score: 0.9, reasons: "worth 9", passed: true, tries: 2 } }],
    });
    const second = model.calls.filter(({ system }) => system.includes("You carry out one subtask"))[1];
    expect(second?.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
    expect(second?.messages[2]?.text).toBe("draft 1");
    expect(second?.messages[3]?.text).toMatch(/<feedback-([0-9a-f]{32})>\nworth 4\n<\/feedback-\1>/);
    expect(outcome.usage.byRole.evaluator.totalTokens).toBeGreaterThan(0);
  });

  test("that never reaches the threshold stands as its best try; the run is partial and says so", async () => {
    const run = orchestrator(
      { plan: twoTasks, worker: (call) => (call.prompt.includes("facts") ? improves(call) : "draft 4"), evaluator: byDraft(3, 6, 5, 10) },
      { worker: { evaluate: { ...evaluate, maxAttempts: 3 } } },
    ).start("Describe the bottle");
    const events = await eventsOf(run);
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({
      status: "partial",
      error: { code: "below_threshold", message: expect.stringContaining("1 of 2 results (facts)") },
      results: [
        { id: "facts", result: "draft 2", evaluation: { score: 0.6, passed: false, tries: 3 } },
        { id: "story", result: "draft 4", evaluation: { passed: true, tries: 1 } },
      ],
    });
    // Whoever follows the deltas ends with the text that stands.
    const facts = events.filter((event) => event.type === "subtask.delta" && event.subtaskId === "facts");
    const last = facts.at(-1);
    expect(
      facts.flatMap((event) => (event.type === "subtask.delta" && last?.type === "subtask.delta" && event.attempt === last.attempt ? event.text : [])),
    ).toEqual(["draft 2"]);
    const state = events.reduce(reduce, initialRunState);
    expect(state.subtasks[0]).toMatchObject({ status: "done", text: "draft 2", verdict: { try: 3, score: 0.5 } });
    expect(state.usage).toEqual({ ...outcome.usage, byRole: undefined });
    expect(state.calls).toBe(outcome.calls);
  });

  test("is written anew at each try, also where a try has the very words of the one before", async () => {
    const drafts = ["Fresh air", "Fresh air", "Fresh air", "Bold steel"];
    const evaluator = (call: DoubleCall): string => verdict(workIn(call) === "Bold steel" ? 10 : 3);
    const worker = (): string => drafts.shift() ?? "more";
    const until = { worker: { evaluate: { ...evaluate, maxAttempts: 4 } }, synthesizer: { evaluate: { ...evaluate, maxAttempts: 4 } } };
    const outcome = await orchestrator({ plan: oneTask, worker, evaluator }, until).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", text: "Bold steel", results: [{ attempts: 4, evaluation: { tries: 4 } }] });
    const answers = ["Fresh air", "Fresh air", "Fresh air", "Bold steel"];
    const ofAnswer = { synthesizer: until.synthesizer };
    const merging = orchestrator({ plan: merged, synthesizer: () => answers.shift() ?? "more", evaluator }, ofAnswer);
    expect(await merging.orchestrate("t")).toMatchObject({ status: "ok", text: "Bold steel", evaluation: { tries: 4 } });
  });

  test("is judged by kind: one by its own criteria, one by a function, one not at all", async () => {
    const plan = `<tasks combine="keep"><task id="a"><type>a</type><description>A.</description></task>
<task id="b"><type>b</type><description>B.</description></task><task id="c"><type>c</type><description>C.</description></task></tasks>`;
    const model = allRoles({ plan, worker: improves, evaluator: (call) => verdict(call.prompt.includes("As for A.") ? 9 : 0) });
    const outcome = await new FlexibleOrchestrator({
      model,
      worker: { evaluate: { criteria: "As for A.", threshold: 0.5 } },
      workers: {
        b: { evaluate: { judge: ({ text }) => ({ score: text === "draft 2" ? 1 : 0, reasons: "must be the second" }), threshold: 1 } },
        c: { evaluate: false },
      },
    }).orchestrate("t");
    expect(outcome.status).toBe("ok");
    expect(outcome.results).toMatchObject([
      { id: "a", result: "draft 1", evaluation: { score: 0.9 } },
      { id: "b", result: "draft 2", evaluation: { score: 1, reasons: "must be the second", tries: 2 } },
      { id: "c", result: "draft 1" },
    ]);
    expect(outcome.results[2]).not.toHaveProperty("evaluation");
  });

  test("that cannot be judged stands, marked as not judged", async () => {
    const outcome = await orchestrator({ plan: oneTask, evaluator: () => "Splendid!" }, { worker: { evaluate } }).orchestrate("t");
    expect(outcome).toMatchObject({
      status: "partial",
      results: [
        { status: "done", result: "result of: List the facts.", evaluation: { passed: false, tries: 1, reasons: expect.stringContaining("no score") } },
      ],
    });
    expect(outcome.results[0]).not.toHaveProperty("evaluation.score");
  });

  test("of a run that is resumed is not written or judged twice where that was paid", async () => {
    const ledger = memoryLedger();
    const stop = new AbortController();
    const first = allRoles({
      plan: oneTask,
      worker: improves,
      evaluator: (call) => {
        if (workIn(call) === "draft 2") stop.abort();
        return byDraft(4, 9)(call);
      },
    });
    const options = { retry: { backoffMs: 0 }, ledger, worker: { evaluate } };
    const stopped = await new FlexibleOrchestrator({ ...options, model: first }).start("t", "", { signal: stop.signal }).outcome;
    expect(stopped.status).toBe("aborted");
    const second = allRoles({ plan: oneTask, worker: improves, evaluator: byDraft(4, 9) });
    const resumed = await new FlexibleOrchestrator({ ...options, model: second }).resume(stopped.runId).then((run) => run.outcome);
    expect(resumed).toMatchObject({ status: "ok", results: [{ result: "draft 2", evaluation: { score: 0.9, tries: 2 } }] });
    // The judge's last word is all that was missing.
    expect(second.calls.map(({ system }) => system.slice(0, 9))).toEqual(["You judge"]);
  });
});

describe("a run whose judge could not be heard", () => {
  const limited = (evaluator: (call: DoubleCall) => DoubleReply, ledger = memoryLedger()) => {
    const model = allRoles({ plan: twoTasks, evaluator });
    return { model, runs: new FlexibleOrchestrator({ ledger, model, retry: { attempts: 1 }, timeout: { runMs: 300 }, worker: { evaluate } }) };
  };

  test("for a provider's sake asks only for the verdicts when it is resumed", async () => {
    const ledger = memoryLedger();
    const outcome = await limited(() => ({ fault: { kind: "status", status: 400 } }), ledger).runs.orchestrate("t");
    expect(outcome).toMatchObject({ status: "partial", error: { code: "below_threshold" }, results: [{ status: "done" }, { status: "done" }] });
    const { model, runs } = limited(() => verdict(10), ledger);
    const run = await runs.resume(outcome.runId);
    expect(await run.outcome).toMatchObject({ status: "ok", results: [{ evaluation: { passed: true } }, { evaluation: { passed: true } }] });
    expect(model.calls.map(({ system }) => system.slice(0, 9))).toEqual(["You judge", "You judge"]);
  });

  test("for the budget's sake says so, and has it judged with a larger one", async () => {
    const { runs } = limited(() => verdict(10));
    const outcome = await runs.orchestrate("t", "", { budget: { calls: 4 } });
    expect(outcome).toMatchObject({ status: "partial", error: { code: "budget_exhausted", message: expect.stringContaining("not judged to the end") } });
    const resumed = await runs.resume(outcome.runId, { budget: { calls: 9 } }).then((run) => run.outcome);
    expect(resumed).toMatchObject({ status: "ok", calls: 5 });
  });

  test("for its time's sake says so, and has it judged by a resume", async () => {
    const ledger = memoryLedger();
    const outcome = await limited(() => ({ text: verdict(10), firstMs: 2_000 }), ledger).runs.orchestrate("t");
    expect(outcome).toMatchObject({ status: "partial", error: { code: "run_timeout", message: expect.stringContaining("not judged to the end") } });
    const state = (await ledger.readFacts(outcome.runId)).reduce(reduce, initialRunState);
    expect(whatIsLeft(state)).toBe("judge 2 results and do the answer");
    const { runs } = limited(() => verdict(10), ledger);
    expect(await runs.resume(outcome.runId).then((run) => run.outcome)).toMatchObject({ status: "ok" });
  });

  test("is over where the judge was heard, and what it said is no verdict", async () => {
    const { model, runs } = limited(() => "Splendid!");
    const outcome = await runs.orchestrate("t");
    const { length } = model.calls;
    expect(await runs.resume(outcome.runId).then((run) => run.outcome)).toEqual(outcome);
    expect(model.calls).toHaveLength(length);
  });

  test("keeps what a function has delivered, which is not asked for twice", async () => {
    let ran = 0;
    const plan = twoTasks.replace(/<task id="story">.*<\/task>/, "");
    const workers = { "technical-facts": { run: () => `text ${++ran}`, evaluate } };
    let isDown = true;
    const model = allRoles({ plan, evaluator: () => (isDown ? { fault: { kind: "status", status: 400 } } : verdict(10)) });
    const runs = new FlexibleOrchestrator({ ledger: memoryLedger(), model, retry: { attempts: 1 }, workers });
    const outcome = await runs.orchestrate("t");
    expect(outcome).toMatchObject({ status: "partial", results: [{ result: "text 1" }] });
    isDown = false;
    expect(await runs.resume(outcome.runId).then((run) => run.outcome)).toMatchObject({ status: "ok", results: [{ result: "text 1" }] });
    expect(ran).toBe(1);
  });
});

describe("an answer that is judged", () => {
  const answers = (...scores: readonly number[]) => ({ plan: merged, synthesizer: improves, evaluator: byDraft(...scores) });

  test("is written again until it is good enough", async () => {
    const run = orchestrator(answers(4, 9), { synthesizer: { evaluate } }).start("t");
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "ok", text: "draft 2", evaluation: { score: 0.9, passed: true, tries: 2 }, calls: 7 });
  });

  test("reaches those who cannot take it back only when it stands", async () => {
    const run = orchestrator(answers(4, 9), { synthesizer: { evaluate } }).start("t");
    expect(await textOf(run)).toBe("draft 2");
    expect(await run.outcome).toMatchObject({ text: "draft 2" });
  });

  test("that is never good enough is the best try, partial, also for those who followed its deltas", async () => {
    const run = orchestrator(answers(6, 3), { synthesizer: { evaluate } }).start("t");
    const events = await eventsOf(run);
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({
      status: "partial",
      text: "draft 1",
      evaluation: { score: 0.6, passed: false },
      error: { code: "below_threshold", message: expect.stringContaining("the answer") },
    });
    const beforeEnd = events.slice(0, -1).reduce(reduce, initialRunState);
    expect(beforeEnd.answer).toMatchObject({ text: "draft 1", verdict: { try: 2, score: 0.3 } });
  });

  test("of which the first try breaks off leaves nothing with those who cannot take it back", async () => {
    const synthesizer = (): DoubleReply => ({ text: "Half of an answer that never comes to its end.", fault: { kind: "cut", afterChunks: 3 } });
    const run = orchestrator({ plan: merged, synthesizer }, { retry: { attempts: 1 }, synthesizer: { evaluate } }).start("t");
    const text = await textOf(run);
    expect(text).toBe((await run.outcome.then((outcome) => ("text" in outcome ? outcome : undefined)))?.text);
    expect(text).not.toContain("Half of");
  });

  test("may be judged by a function", async () => {
    const judge = ({ text, subtask }: { text: string; subtask?: unknown }): { score: number; reasons: string } => ({
      score: text.endsWith("2") && subtask === undefined ? 1 : 0,
      reasons: "needs a second look",
    });
    const outcome = await orchestrator({ plan: merged, synthesizer: improves }, { synthesizer: { evaluate: { judge, threshold: 1 } } }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", text: "draft 2", calls: 5 });
    expect(results(outcome)).toHaveLength(2);
  });
});

test.each([
  ["laid out", twoTasks, "they are laid out as they are"],
  ["chosen", twoTasks.replace("keep", "choose"), "one of them was chosen"],
  ["the one result there is", oneTask.replace("keep", "merge"), "there is one result alone"],
  ["the orchestrator's own", "<answer>Steel.</answer>", "the orchestrator wrote it itself"],
])("an answer that is %s is not judged, though it was to be, and a notice says so", async (_, plan, why) => {
  const model = allRoles({ plan });
  const outcome = await new FlexibleOrchestrator({ model, synthesizer: { evaluate } }).orchestrate("Describe the bottle");
  expect(outcome.coverage.notices).toMatchObject([{ code: "answer_not_judged", message: expect.stringContaining(why) }]);
  expect(outcome.usage.byRole.evaluator.totalTokens).toBe(0);
});

test("that an answer is not judged is said once, also by a run that is resumed", async () => {
  const ledger = memoryLedger();
  const refused = { fault: { kind: "status", status: 400 } } as const;
  const options = { ledger, synthesizer: { evaluate } };
  const first = orchestrator({ plan: twoTasks, worker: ({ prompt }) => (prompt.includes("facts") ? refused : "A story.") }, options);
  const { runId, coverage } = await first.orchestrate("Describe the bottle");
  expect(coverage.notices).toMatchObject([{ code: "answer_not_judged" }]);
  const run = await orchestrator({ plan: twoTasks }, options).resume(runId);
  expect(await run.outcome).toMatchObject({ status: "ok", coverage: { notices: [{ code: "answer_not_judged" }] } });
});
