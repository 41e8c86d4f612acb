import { describe, expect, test } from "vitest";
import { z } from "zod";
import { allRoles, eventsOf, orchestrator, statuses, textOf, twoTasks, verdict } from "../../test/all-roles.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { memoryLedger, type OutputSchema } from "../index.ts";
import { reduce } from "../reduce.ts";
import { initialRunState } from "../run-state.ts";
import type { DoubleCall, ReplyOptions } from "../testing/index.ts";

const output = z.object({ claims: z.array(z.string()), day: z.iso.date().transform((day) => new Date(day)) });
const valid = '{"claims":["light"],"day":"2026-11-23"}';
const invalid = '{"claims":"light","day":"2026-11-23"}';
const value = { claims: ["light"], day: new Date("2026-11-23") };

const oneTask = twoTasks.replace(/<task id="story">.*<\/task>/, "");
const merged = twoTasks.replace("keep", "merge");
const mends = ({ prompt }: DoubleCall): string => (prompt.includes("This is not of the form") ? valid : invalid);
const workersAsked = ({ calls }: { readonly calls: readonly DoubleCall[] }): readonly DoubleCall[] =>
  calls.filter(({ system }) => system.includes("You carry out one subtask"));

describe("what another run has left in a shared cache, and is of no use,", () => {
  const shared = (ledger: ReturnType<typeof memoryLedger>, answers: Parameters<typeof allRoles>[0], rest: { worker?: object; synthesizer?: object }) => {
    const model = allRoles(answers);
    const role = { model, id: "m" };
    const options = { ledger, cache: { shared: "c" }, orchestrator: role, synthesizer: { ...role, ...rest.synthesizer }, worker: { ...role, ...rest.worker } };
    return { model, orchestrator: new FlexibleOrchestrator(options) };
  };

  test.each([
    ["worker", oneTask, (reply: string) => ({ worker: () => reply }), { worker: { output } }],
    ["synthesizer", merged, (reply: string) => ({ synthesizer: () => reply }), { synthesizer: { output } }],
  ] as const)("is asked past where it is of a %s and does not have its form", async (_, plan, answers, options) => {
    const ledger = memoryLedger();
    const bad = await shared(ledger, { plan, ...answers(invalid) }, options).orchestrator.orchestrate("t");
    expect(bad.status).not.toBe("ok");
    const { model, orchestrator: second } = shared(ledger, { plan, ...answers(valid) }, options);
    expect(await second.orchestrate("t")).toMatchObject({ status: "ok" });
    expect(model.calls).toHaveLength(1);
    const third = shared(ledger, { plan, ...answers(valid) }, options);
    expect(await third.orchestrator.orchestrate("t")).toMatchObject({ status: "ok" });
    expect(third.model.calls).toHaveLength(0);
  });

  test("is asked past where it is of a judge and no verdict", async () => {
    const ledger = memoryLedger();
    const options = { worker: { evaluate: { criteria: "c", threshold: 0.5 } } };
    expect(await shared(ledger, { plan: oneTask, evaluator: () => "Hm." }, options).orchestrator.orchestrate("t")).toMatchObject({ status: "partial" });
    const { model, orchestrator: second } = shared(ledger, { plan: oneTask, evaluator: () => verdict(10) }, options);
    expect(await second.orchestrate("t")).toMatchObject({ status: "ok" });
    expect(model.calls).toHaveLength(1);
  });
});

describe("a worker's result with a form", () => {
  test.each([
    ["as it is", valid],
    ["in a code fence", `\`\`\`json\n${valid}\n\`\`\``],
    ["with prose around it", `Here are the claims [as asked]:\n${valid}\nI hope {this} helps.`],
    ["in the wrapper of the pattern", `<response>\n${valid}\n</response>`],
  ])("is the JSON of the reply, %s; its output is what the schema makes of it", async (_, reply) => {
    const model = allRoles({ plan: oneTask, worker: () => reply });
    const run = new FlexibleOrchestrator({ model, worker: { output } }).start("t");
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "ok", results: [{ kind: "default", status: "done", result: valid, output: value, attempts: 1 }], calls: 2 });
    const state = (await eventsOf(run)).reduce(reduce, initialRunState);
    // What readers are shown is the result, whatever stood around it.
    expect(state.subtasks[0]?.text).toBe(valid);
  });

  test("is asked for as structured output and in words, after all that workers share", async () => {
    const model = allRoles({ plan: twoTasks, worker: () => valid });
    await new FlexibleOrchestrator({ model, worker: { output }, workers: { story: { output: z.string() } } }).orchestrate("t");
    const [one, other] = workersAsked(model);
    expect(one).toMatchObject({ json: true, system: other?.system });
    expect(one?.prompt).toMatch(/Reply with one JSON value of this JSON Schema.*\n\{"type":"object","properties":\{"claims"/);
    expect(one?.prompt.slice(0, one.prompt.indexOf("Your subtask"))).toBe(other?.prompt.slice(0, other.prompt.indexOf("Your subtask")));
  });

  test("is asked for in a prompt of the user's own, too, and its `<unable>` still counts", async () => {
    const model = allRoles({ plan: oneTask, worker: () => valid });
    const worker = { prompt: "You carry out one subtask: {task_description}", output };
    await new FlexibleOrchestrator({ model, worker }).orchestrate("t");
    expect(model.calls[1]?.prompt).toContain("JSON Schema");
    const unable = await orchestrator({ plan: oneTask, worker: () => "<unable>the prices</unable>" }, { worker: { output } }).orchestrate("t");
    expect(unable.results).toMatchObject([{ status: "failed", error: { code: "unable" } }]);
  });

  test("that is not valid is asked for once more, with what is wrong; the second reply stands", async () => {
    const model = allRoles({ plan: oneTask, worker: mends });
    const run = new FlexibleOrchestrator({ model, worker: { output } }).start("t");
    expect(await run.outcome).toMatchObject({ status: "ok", results: [{ result: valid, output: value, attempts: 2 }], calls: 3 });
    const second = workersAsked(model)[1];
    expect(second?.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
    expect(second?.messages[2]?.text).toBe(invalid);
    expect(second?.messages[3]?.text).toMatch(/<issues-([0-9a-f]{32})>\nclaims: Invalid input: expected array.*\n<\/issues-\1>/);
    const events = await eventsOf(run);
    expect(events).toContainEqual(
      expect.objectContaining({ type: "output.rejected", subtaskId: "facts", try: 1, issues: [expect.stringContaining("claims")] }),
    );
    const rejected = events.findIndex(({ type }) => type === "output.rejected");
    expect(events.slice(0, rejected + 1).reduce(reduce, initialRunState).subtasks[0]?.rejected?.try).toBe(1);
    expect(events.reduce(reduce, initialRunState).subtasks[0]).toMatchObject({ text: valid, rejected: undefined });
  });

  test("that stays invalid fails, with the text and what is wrong with it", async () => {
    const outcome = await orchestrator(
      { plan: twoTasks, worker: ({ prompt }) => (prompt.includes("List") ? invalid : valid) },
      { worker: { output } },
    ).orchestrate("t");
    expect(statuses(outcome)).toEqual(["facts failed", "story done"]);
    expect(outcome.results[0]).toMatchObject({
      attempts: 2,
      error: { code: "output_invalid", retryable: false, evidence: { partialText: invalid, issues: [expect.stringContaining("claims")] } },
    });
    expect(outcome.status).toBe("partial");
  });

  test.each([
    [0, 1],
    [3, 4],
  ])("with %d repairs allowed is asked for %d times at most", async (outputRepairs, times) => {
    const model = allRoles({ plan: oneTask, worker: () => "No JSON." });
    const outcome = await new FlexibleOrchestrator({ model, worker: { output }, limits: { outputRepairs } }).orchestrate("t");
    expect(outcome.results).toMatchObject([{ status: "failed", error: { code: "output_invalid" } }]);
    expect(workersAsked(model)).toHaveLength(times);
  });

  test("that was cut at its cap is invalid where it does not parse, though the role allows a cut", async () => {
    const worker = (call: DoubleCall) => (call.prompt.includes("This is not of the form") ? valid : { text: '{"claims":["li', finish: "length" as const });
    const outcome = await orchestrator({ plan: oneTask, worker }, { worker: { output, allowLength: true } }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ result: valid }] });
    expect(outcome.results[0]).not.toHaveProperty("truncated");
  });

  test("is judged only once it is valid; a further try is validated as well", async () => {
    const judged: string[] = [];
    const better = '{"claims":["light","strong"],"day":"2026-11-23"}';
    const worker = ({ messages, prompt }: DoubleCall): string => {
      const isFurther = messages.some(({ text }) => text.includes("This falls short"));
      return prompt.includes("This is not of the form") ? (isFurther ? better : valid) : invalid;
    };
    const judge = ({ text }: { readonly text: string }) => {
      judged.push(text);
      return { score: judged.length / 2, reasons: "Too little." };
    };
    const outcome = await orchestrator({ plan: oneTask, worker }, { worker: { output, evaluate: { judge, threshold: 0.9 } } }).orchestrate("t");
    expect(judged).toEqual([valid, better]);
    expect(outcome).toMatchObject({ status: "ok", results: [{ result: better, output: { claims: ["light", "strong"] }, attempts: 4 }] });
  });

  test("whose repair the budget does not allow fails as what it is; a resume with more has the repair alone", async () => {
    const ledger = memoryLedger();
    const model = allRoles({ plan: oneTask, worker: mends });
    const typed = new FlexibleOrchestrator({ model, ledger, worker: { output } });
    const run = typed.start("t", "", { budget: { calls: 2 } });
    const { results } = await run.outcome;
    expect(results).toMatchObject([{ status: "failed", error: { code: "output_invalid", evidence: { budget: { calls: 3 } } } }]);
    const outcome = await (await typed.resume(run.runId, { budget: { calls: 3 } })).outcome;
    expect(outcome).toMatchObject({ status: "ok", results: [{ result: valid }], calls: 3 });
  });

  test("of a schema that throws fails at once: asking again would not help", async () => {
    const broken = z.object({}).refine(() => {
      throw new Error("no database");
    });
    const model = allRoles({ plan: oneTask, worker: () => "{}" });
    const outcome = await new FlexibleOrchestrator({ model, worker: { output: broken } }).orchestrate("t");
    expect(outcome.results).toMatchObject([{ status: "failed", error: { code: "output_invalid", message: expect.stringContaining("no database") } }]);
    expect(workersAsked(model)).toHaveLength(1);
  });

  test("may be checked by something that takes its time", async () => {
    const slow = z.object({ n: z.number() }).refine(async ({ n }) => await Promise.resolve(n > 1), "too small");
    const worker = ({ prompt }: DoubleCall): string => (prompt.includes("too small") ? '{"n":2}' : '{"n":1}');
    const outcome = await orchestrator({ plan: oneTask, worker }, { worker: { output: slow } }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ output: { n: 2 } }] });
  });
});

describe("kinds of workers with forms of their own", () => {
  test("are told apart by name as it is written; models take over what `worker` says, functions do not", async () => {
    const plan = `<tasks combine="keep">${["A b", "c", "d", "e"].map((type) => `<task id="${type}"><type>${type}</type><description>Do.</description></task>`).join("")}</tasks>`;
    const run = () => "plain text";
    const outcome = await orchestrator(
      { plan, worker: ({ prompt }) => (prompt.includes("(A b)") ? '"text"' : valid) },
      { worker: { output }, workers: { "A b": { output: z.string() }, c: { temperature: 1 }, d: { run } } },
    ).orchestrate("t");
    expect(outcome.results).toMatchObject([
      { kind: "A b", output: "text" },
      { kind: "c", output: value },
      { kind: "d", result: "plain text" },
      { kind: "default", output: value },
    ]);
    expect(outcome.results[2]).not.toHaveProperty("output");
  });

  test("that are functions give a value: its JSON is the result, and it is checked as a model's is", async () => {
    const kinds = { "technical-facts": { output, run: async () => await Promise.resolve({ claims: ["light"], day: "2026-11-23" }) } };
    const outcome = await orchestrator({ plan: oneTask }, { workers: kinds }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ kind: "technical-facts", result: valid, output: value }] });
    const wrong = await orchestrator({ plan: oneTask }, { workers: { "technical-facts": { output, run: () => ({ claims: 1 }) } } }).orchestrate("t");
    expect(wrong.results).toMatchObject([{ status: "failed", error: { code: "output_invalid" } }]);
    const none = await orchestrator({ plan: oneTask }, { workers: { "technical-facts": { output, run: () => undefined } } }).orchestrate("t");
    expect(none.results).toMatchObject([{ status: "failed", error: { code: "worker_failed", message: expect.stringContaining("no JSON value") } }]);
  });

  test("are carried out alone as well", async () => {
    const result = await orchestrator({ plan: "", worker: mends }, { workers: { facts: { output } } }).executeWorker("t", { type: "facts", description: "d" });
    expect(result).toMatchObject({ status: "done", kind: "facts", output: value });
  });
});

describe("an answer with a form", () => {
  const answer = z.object({ title: z.string(), stars: z.number().default(3) });
  const title = '{"title":"Bottle"}';
  const synthesizer = { output: answer };

  test.each([
    ["merged", merged],
    ["of one result", oneTask],
    ["of a plan that would lay results out", twoTasks],
  ])("is written by the synthesizer: %s", async (_, plan) => {
    const model = allRoles({ plan, synthesizer: () => title });
    const run = new FlexibleOrchestrator({ model, synthesizer }).start("t");
    expect(await textOf(run)).toBe(title);
    expect(await run.outcome).toMatchObject({ status: "ok", text: title, output: { title: "Bottle", stars: 3 }, coverage: { answer: "merge" } });
    expect(model.calls.at(-1)).toMatchObject({ json: true, prompt: expect.stringContaining("JSON Schema") });
  });

  test("is not given by the orchestrator itself, and not by a plan that is an answer", async () => {
    const model = allRoles({ plan: oneTask, synthesizer: () => title });
    const typed = new FlexibleOrchestrator({ model, synthesizer });
    await typed.orchestrate("t");
    expect(model.calls[0]?.system).not.toContain("<answer>");
    expect(() => typed.start("t", "", { plan: { kind: "direct", analysis: "", answer: "Yes." } })).toThrow(expect.objectContaining({ code: "invalid_plan" }));
  });

  test("is asked for once more where it is not valid; one that nobody reads while it is written stands as its second", async () => {
    const replies = ({ prompt }: DoubleCall): string => (prompt.includes("This is not of the form") ? title : '{"titel":"Bottle"}');
    const run = orchestrator({ plan: merged, synthesizer: replies }, { synthesizer }).start("t");
    expect(await run.outcome).toMatchObject({ status: "ok", text: title, output: { title: "Bottle" }, calls: 5 });
    expect(await eventsOf(run)).toContainEqual(expect.objectContaining({ type: "output.rejected", try: 1 }));
  });

  test("that was read while it was written cannot be taken back: invalid, it breaks off, and the results stand under it", async () => {
    const model = allRoles({ plan: merged, synthesizer: () => '{"titel":"Bottle"}' });
    const run = new FlexibleOrchestrator({ model, synthesizer }).start("t");
    const text = await textOf(run);
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "partial", text, coverage: { answer: "keep" } });
    expect(outcome).not.toHaveProperty("output");
    expect(text).toContain("The text above broke off");
  });

  test("that stays invalid leaves the results, laid out, and no output", async () => {
    const outcome = await orchestrator({ plan: merged, synthesizer: () => "{}" }, { synthesizer }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "partial", text: expect.stringContaining("## Story"), coverage: { answer: "keep" } });
    expect(outcome.status === "partial" && outcome.error.message).toContain("title");
    expect(outcome).not.toHaveProperty("output");
  });

  test("is followed by no word on what is missing: that is in the coverage", async () => {
    const worker = ({ prompt }: DoubleCall): string => (prompt.includes("List") ? "<unable>the prices</unable>" : "done");
    const outcome = await orchestrator({ plan: merged, worker, synthesizer: () => title }, { synthesizer }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "partial", text: title, output: { title: "Bottle" }, coverage: { missing: [{ id: "facts" }] } });
  });

  test("is judged once it is valid, and the best try is the output", async () => {
    const replies = ({ messages }: DoubleCall): string => (messages.length > 2 ? '{"title":"Better"}' : title);
    const evaluate = { criteria: "good", threshold: 0.8 };
    const evaluator = ({ prompt }: DoubleCall): string => verdict(prompt.includes("Better") ? 9 : 4);
    const outcome = await orchestrator({ plan: merged, synthesizer: replies, evaluator }, { synthesizer: { output: answer, evaluate } }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", text: '{"title":"Better"}', output: { title: "Better" }, evaluation: { score: 0.9 } });
  });
});

describe("a run with forms, in its log", () => {
  test("says texts alone, as JSON; who resumes it has the values again", async () => {
    const ledger = memoryLedger();
    const options = {
      ledger,
      worker: { output },
      synthesizer: { output: z.object({ n: z.bigint().or(z.number().transform(BigInt)) }).or(z.string().transform((text) => new Map([[text, 1]]))) },
    };
    expect(() => new FlexibleOrchestrator(options)).toThrow(expect.objectContaining({ code: "invalid_option" }));
    const mapped = z.object({ n: z.number().transform(BigInt) });
    const answers = { plan: merged, worker: () => valid, synthesizer: () => '{"n":7}' };
    const typed = orchestrator(answers, { ledger, worker: { output }, synthesizer: { output: mapped } });
    const run = typed.start("t");
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "ok", output: { n: 7n }, results: [{ output: value }, { output: value }] });
    const facts = await ledger.readFacts(run.runId);
    expect(() => JSON.stringify(facts)).not.toThrow();
    expect(facts.at(-1)).not.toHaveProperty("outcome.output");
    expect(await (await typed.resume(run.runId)).outcome).toEqual(outcome);
  });

  test("goes on with the values of what is done; what failed for its form is asked for anew, though its reply is recorded", async () => {
    const ledger = memoryLedger();
    const first = orchestrator({ plan: twoTasks, worker: ({ prompt }) => (prompt.includes("List") ? "No." : valid) }, { ledger, worker: { output } });
    const run = first.start("t");
    expect(statuses(await run.outcome)).toEqual(["facts failed", "story done"]);
    const model = allRoles({ plan: "", worker: () => valid });
    const outcome = await (await new FlexibleOrchestrator({ model, ledger, worker: { output } }).resume(run.runId, { acceptChanges: true })).outcome;
    expect(outcome).toMatchObject({ status: "ok", results: [{ output: value }, { output: value }] });
    expect(model.calls).toHaveLength(1);
  });

  test("does anew, with what is not valid any more, what was built on it", async () => {
    const ledger = memoryLedger();
    const task = (id: string, after = ""): string => `<task id="${id}" after="${after}"><type>${id}</type><description>Do ${id}.</description></task>`;
    const plan = `<tasks combine="keep">${task("count")}${task("text", "count")}${task("other")}</tasks>`;
    const life = (reply: string, isBroken: boolean, output: OutputSchema): FlexibleOrchestrator => {
      const worker = ({ prompt }: DoubleCall): string | ReplyOptions => {
        if (prompt.includes("Do count.")) return reply;
        if (prompt.includes("Do text.")) return `built on ${/"n":\d/.exec(prompt)?.[0]}`;
        return isBroken ? { fault: { kind: "status", status: 400 } } : "other";
      };
      return orchestrator({ plan, worker }, { ledger, workers: { count: { output } } });
    };
    const run = life('{"n":1}', true, z.object({ n: z.number() })).start("t");
    expect(await run.outcome).toMatchObject({ status: "partial", results: [{}, { result: 'built on "n":1' }, { status: "failed" }] });
    const again = life('{"n":9,"unit":"m"}', false, z.object({ n: z.number(), unit: z.string() }));
    expect(await (await again.resume(run.runId, { acceptChanges: true })).outcome).toMatchObject({
      status: "ok",
      results: [{ output: { n: 9, unit: "m" } }, { result: 'built on "n":9' }, { result: "other" }],
    });
  });

  test("under another schema has drifted, where what stands is not valid by it", async () => {
    const ledger = memoryLedger();
    const answers = { plan: twoTasks, worker: ({ prompt }: DoubleCall) => (prompt.includes("List") ? "No." : valid) };
    const run = orchestrator(answers, { ledger, worker: { output } }).start("t");
    await run.outcome;
    const other = { ledger, worker: { output: z.object({ count: z.number() }) } };
    await expect(orchestrator(answers, other).resume(run.runId)).rejects.toMatchObject({ code: "run_drifted" });
    const renewed = orchestrator({ plan: "", worker: () => '{"count":1}' }, other);
    const outcome = await (await renewed.resume(run.runId, { acceptChanges: true })).outcome;
    expect(outcome).toMatchObject({ status: "ok", results: [{ output: { count: 1 } }, { output: { count: 1 } }] });
    await expect(orchestrator(answers, { ledger, worker: { output } }).resume(run.runId)).rejects.toMatchObject({
      code: "run_drifted",
      message: expect.stringContaining('"facts", "story"'),
    });
    await expect(orchestrator(answers, { ledger, worker: { output } }).rerun(run.runId, { subtask: "facts" })).rejects.toMatchObject({ code: "run_drifted" });
  });

  test("that was answered directly has no form, and the error names what can be done about it", async () => {
    const ledger = memoryLedger();
    const { runId } = await orchestrator({ plan: "<answer>It is a bottle.</answer>" }, { ledger }).orchestrate("t");
    const resumed = orchestrator({ plan: "" }, { ledger, synthesizer: { output } }).resume(runId);
    await expect(resumed).rejects.toMatchObject({ code: "run_drifted", hint: expect.stringMatching(/^(?!.*rerun).*start the task anew/) });
  });

  test("done anew in part takes over the others with their values", async () => {
    const ledger = memoryLedger();
    const typed = orchestrator({ plan: twoTasks, worker: () => valid }, { ledger, worker: { output } });
    const { runId } = await typed.orchestrate("t");
    const outcome = await (await typed.rerun(runId, { subtask: "story" })).outcome;
    expect(outcome).toMatchObject({ status: "ok", results: [{ output: value }, { output: value }] });
  });
});
