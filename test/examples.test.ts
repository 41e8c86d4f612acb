import { readFileSync } from "node:fs";
import type { Outcome, Run, RunEvent } from "divvy";
import { type DoubleCall, type Script, scriptedModel, type ScriptRule } from "divvy/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { codeReview } from "../examples/code-review/main.ts";
import { announcement } from "../examples/evaluate/main.ts";
import { marketingCopy } from "../examples/marketing-copy/main.ts";
import { stockNote } from "../examples/plain-functions/main.ts";
import { researchBrief } from "../examples/research-brief/main.ts";
import { typedReport } from "../examples/typed-report/main.ts";
import { runFromTerminal, showRun } from "../examples/terminal.ts";

/** Told apart by what the default prompts open with. */
const orchestrator = "You are the orchestrator";
const synthesizer = "Several workers each";

/** A worker's rule: its call holds the subtask's description. */
function worker(description: string, reply: ScriptRule["reply"]): ScriptRule {
  return { when: (call) => call.system.startsWith("You carry out one subtask") && call.prompt.includes(description), reply };
}

/** Whose attempts started and ended, in order: ids of subtasks, or roles. */
function startsAndEnds(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type === "attempt.started") return `start ${event.subtaskId ?? event.role}`;
    return event.type === "subtask.finished" ? `end ${event.subtaskId}` : [];
  });
}

async function watch(run: Run): Promise<{ outcome: Outcome; events: RunEvent[] }> {
  const events = await Array.fromAsync(run.events);
  return { outcome: await run.outcome, events };
}

function called(calls: readonly DoubleCall[], text: string): DoubleCall {
  const call = calls.find(({ prompt }) => prompt.includes(text));
  if (call === undefined) throw new Error(`No call holds ${JSON.stringify(text)}.`);
  return call;
}

describe("marketing-copy", () => {
  const plan = `<analysis>Three channels buy for three reasons: facts, identity, use.</analysis>
<tasks combine="keep">
<task id="shop"><type>technical-specifications</type><description>E-commerce: materials and measures.</description></task>
<task id="social"><type>lifestyle-emotional</type><description>Social media: values and a story.</description></task>
<task id="shelf"><type>benefit-practical</type><description>Retail: the problem and its solution.</description></task>
</tasks>`;
  const script: Script = [
    { when: orchestrator, reply: { text: plan, chunkSize: 8 } },
    worker("E-commerce: materials", "Double-wall steel, 0.5 litres."),
    worker("Social media: values", "The morning run, the desk, the trail."),
    worker("Retail: the problem", "Warm water at noon? Not with Rill."),
  ];

  test("writes for three channels at once, and lays the texts out as they are", async () => {
    const model = scriptedModel(script);
    const { outcome } = await watch(marketingCopy({ model }));
    expect(outcome).toMatchObject({ status: "ok", calls: 4, coverage: { planned: 3, done: 3, answer: "keep" } });
    expect("text" in outcome && outcome.text).toBe(
      "## Technical specifications\n\nDouble-wall steel, 0.5 litres.\n\n## Lifestyle emotional\n\nThe morning run, the desk, the trail.\n\n## Benefit practical\n\nWarm water at noon? Not with Rill.",
    );
    expect(model.maxInFlight).toBeGreaterThan(1);
  });

  test("starts the first worker while the plan is still being written", async () => {
    const { events } = await watch(marketingCopy({ model: scriptedModel(script) }));
    const started = events.findIndex((event) => event.type === "attempt.started" && event.subtaskId === "shop");
    expect(started).toBeGreaterThan(0);
    expect(started).toBeLessThan(events.findLastIndex(({ type }) => type === "plan.delta"));
  });

  test("tells orchestrator and workers what the product is, and leaves no way to answer undivided", async () => {
    const model = scriptedModel(script);
    await marketingCopy({ model }).outcome;
    for (const call of model.calls) expect(call.prompt).toContain("target_audience: environmentally conscious millennials");
    expect(model.calls[0]?.system).not.toContain("<answer>");
  });
});

describe("evaluate", () => {
  const plan = `<tasks combine="keep"><task id="poster"><type>headline</type><description>The headline.</description></task>
<task id="news"><type>newsletter</type><description>Three sentences.</description></task></tasks>`;
  const headline = ({ messages }: DoubleCall): string =>
    messages.some(({ role }) => role === "assistant")
      ? "Borrow a drill, a ladder, a sander"
      : "From Monday on your library lends drills, ladders and sanders to all";
  const news = ({ messages }: DoubleCall): string => (messages.some(({ role }) => role === "assistant") ? "Three days each, free with a card." : "Amazing!");

  test("counts the words of a headline by code, has the rest judged by a model, and takes what was written again", async () => {
    const model = scriptedModel([
      { when: orchestrator, reply: plan },
      { when: "You judge", reply: ({ prompt }) => JSON.stringify({ reasons: "It shouts.", score: prompt.includes("Amazing") ? 3 : 9 }) },
      worker("The headline.", headline),
      worker("Three sentences.", news),
    ]);
    const { outcome } = await watch(announcement({ model }));
    expect(outcome).toMatchObject({
      status: "ok",
      calls: 7,
      results: [
        { id: "poster", result: "Borrow a drill, a ladder, a sander", evaluation: { passed: true, score: 1, tries: 2 } },
        { id: "news", result: "Three days each, free with a card.", evaluation: { passed: true, score: 0.9, tries: 2 } },
      ],
    });
    expect(called(model.calls, "It has 12 words; at most 8 can be read in passing.")).toBeDefined();
  });
});

describe("typed-report", () => {
  const plan = `<tasks combine="keep"><task id="cost"><type>research</type><description>The costs.</description></task>
<task id="liable"><type>research</type><description>Who is liable.</description></task></tasks>`;
  const claim = (text: string, certainty: number): string => JSON.stringify({ claims: [{ claim: text, source: "the city", certainty }] });

  test("reads claims and advice as values, and has what is no such value written again", async () => {
    const model = scriptedModel([
      { when: orchestrator, reply: plan },
      worker("The costs.", ({ prompt }) => (prompt.includes("not of the form") ? claim("A drill is 49.", 0.9) : '{"claims":[]}')),
      worker("Who is liable.", claim("The borrower is.", 0.3)),
      { when: synthesizer, reply: '{"advice":"try it first","reasons":["It is cheap."],"reviewOn":"2027-05-01"}' },
    ]);
    expect(await typedReport({ model })).toEqual({ doubtful: ["The borrower is."], advice: "try it first, to be looked at again in 2027" });
    expect(model.calls).toHaveLength(5);
  });
});

describe("plain-functions", () => {
  const plan = `<tasks combine="merge"><task id="look"><type>stock</type><description>The drill and the ladder.</description></task>
<task id="note" after="look"><type>note</type><description>Write the note.</description></task></tasks>`;

  test("looks the stock up by code, and gives what it found to the model that writes", async () => {
    const model = scriptedModel([
      { when: orchestrator, reply: plan },
      worker("Write the note.", "One drill and a ladder, 169 in all."),
      { when: synthesizer, reply: "Dear treasurer: 169." },
    ]);
    const { outcome } = await watch(stockNote({ model }));
    expect(outcome).toMatchObject({
      status: "ok",
      calls: 3,
      text: "Dear treasurer: 169.",
      results: [{ result: "drill: 1 in stock, 49 each\nladder: 0 in stock, 120 each" }, {}],
    });
    expect(called(model.calls, "Write the note.").prompt).toContain("drill: 1 in stock, 49 each");
    expect(model.calls[0]?.system).toContain("- stock: Looks articles up");
  });

  test("says so where nothing is asked for that the list knows", async () => {
    const model = scriptedModel([{ when: orchestrator, reply: plan.replace("The drill and the ladder.", "The boat.") }]);
    const { outcome } = await watch(stockNote({ model }));
    expect(outcome).toMatchObject({ status: "failed", error: { code: "worker_failed", message: expect.stringContaining("knows drill, ladder, sander") } });
  });
});

describe("research-brief", () => {
  const plan = `<analysis>Demand and cost stand alone; the options rest on both.</analysis>
<tasks combine="keep">
<task id="demand"><type>finding</type><description>Establish the demand.</description></task>
<task id="cost"><type>finding</type><description>Establish the cost.</description></task>
<task id="options" after="demand, cost"><type>options</type><description>Weigh the ways.</description></task>
</tasks>`;
  const script: Script = [
    { when: orchestrator, reply: plan },
    worker("Establish the demand.", "61% would borrow."),
    worker("Establish the cost.", "6,500 a year."),
    worker("Weigh the ways.", "A small stock, with volunteers."),
    { when: synthesizer, reply: "THE BRIEF: lend a small stock." },
  ];

  test("starts what builds on others when they are done, and hands it their texts", async () => {
    const model = scriptedModel(script);
    const { outcome, events } = await watch(researchBrief({ model }));
    expect(outcome.results.map(({ id, dependsOn }) => [id, dependsOn])).toEqual([
      ["demand", []],
      ["cost", []],
      ["options", ["demand", "cost"]],
    ]);
    const order = startsAndEnds(events);
    const last = Math.max(order.indexOf("end demand"), order.indexOf("end cost"));
    expect(order.indexOf("start options")).toBeGreaterThan(last);
    const { prompt } = called(model.calls, "Weigh the ways.");
    expect(prompt).toContain("\n61% would borrow.\n");
    expect(prompt).toContain("\n6,500 a year.\n");
    expect(called(model.calls, "Establish the cost.").prompt).not.toContain("61% would borrow.");
  });

  test("has one text written from all results, whatever the plan says", async () => {
    const model = scriptedModel(script);
    const { outcome } = await watch(researchBrief({ model }));
    expect(outcome).toMatchObject({ status: "ok", text: "THE BRIEF: lend a small stock.", calls: 5, coverage: { answer: "merge" } });
    const last = model.calls.at(-1);
    for (const result of ["61% would borrow.", "6,500 a year.", "A small stock, with volunteers."]) expect(last?.prompt).toContain(result);
  });

  test("gives what there is where a part failed, and names under it what is missing", async () => {
    const broken = [worker("Establish the cost.", "<unable>the town's accounts</unable>"), ...script];
    const { outcome } = await watch(researchBrief({ model: scriptedModel(broken) }));
    expect(outcome).toMatchObject({
      status: "partial",
      results: [{ status: "done" }, { status: "failed", error: { code: "unable" } }, { status: "skipped", reason: "upstream" }],
    });
    expect("text" in outcome && outcome.text).toMatch(/^61% would borrow\.\n\n\*\*Not covered\*\*\n\n- cost [^]*town's accounts\n- options: /);
  });
});

describe("code-review", () => {
  const task = (type: string): string => `<task><type>${type}</type><description>Look for ${type}.</description></task>`;
  const plan = `<tasks combine="merge">${["security", "performance", "readability", "tests"].map(task).join("\n")}</tasks>`;
  const kinds = [
    ["security", "as an attacker would", 4096],
    ["performance", "for cost as data grows", 3072],
    ["readability", "for the first time", 2048],
  ] as const;
  const script: Script = [
    { when: orchestrator, reply: plan },
    ...[...kinds.map(([type]) => type), "tests"].map((type) => worker(`Look for ${type}.`, `The ${type} findings.`)),
  ];

  test.each(kinds)("does %s with the prompt and the cap of its kind", async (type, duty, cap) => {
    const model = scriptedModel(script);
    await codeReview({ model }).outcome;
    const call = called(model.calls, `Look for ${type}.`);
    expect(call.prompt).toContain(duty);
    expect(call.maxOutputTokens).toBe(cap);
    const others = kinds.filter(([other]) => other !== type).map(([, other]) => other);
    for (const other of others) expect(call.prompt).not.toContain(other);
  });

  test("gives a type without a kind to the general worker", async () => {
    const model = scriptedModel(script);
    await codeReview({ model }).outcome;
    const { prompt, maxOutputTokens } = called(model.calls, "Look for tests.");
    expect(maxOutputTokens).toBe(8192);
    for (const [, duty] of kinds) expect(prompt).not.toContain(duty);
  });

  test("tells the orchestrator which kinds there are, and every call the files to the letter", async () => {
    const model = scriptedModel(script);
    await codeReview({ model }).outcome;
    expect(model.calls[0]?.system).toContain("security, performance, readability");
    for (const name of ["orders.py", "search.py"]) {
      const text = readFileSync(new URL(`../examples/code-review/shop/${name}`, import.meta.url), "utf8").trim();
      for (const call of model.calls) expect(call.prompt).toContain(`${name}: ${text}`);
    }
  });

  test("lays the findings out by kind, without a further call", async () => {
    const { outcome } = await watch(codeReview({ model: scriptedModel(script) }));
    expect(outcome).toMatchObject({ status: "ok", calls: 5, coverage: { answer: "keep" } });
    expect("text" in outcome && outcome.text).toBe(
      "## Security\n\nThe security findings.\n\n## Performance\n\nThe performance findings.\n\n## Readability\n\nThe readability findings.\n\n## Tests\n\nThe tests findings.",
    );
  });
});

describe("at the terminal", () => {
  const plan = `<tasks combine="merge"><task id="one"><type>one</type><description>Do one.</description></task><task id="two"><type>two</type><description>Do two.</description></task></tasks>`;

  /** What is written while `act` runs, stdout and stderr apart. */
  async function written(act: () => Promise<unknown>): Promise<{ out: string; err: string }> {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => void vi.restoreAllMocks());
    await act();
    const text = (spy: typeof log): string => spy.mock.calls.flat().join("\n");
    return { out: text(log), err: text(error) };
  }

  test("a run is a line for each thing that happens on stderr, and the answer alone on stdout", async () => {
    const model = scriptedModel([
      { when: orchestrator, reply: plan },
      worker("Do one.", "1"),
      worker("Do two.", ""),
      { when: synthesizer, reply: "never asked" },
    ]);
    const { out, err } = await written(() => showRun(marketingCopy({ model, retry: { attempts: 1 } })));
    expect(out).toMatch(/^1\n\n\*\*Not covered\*\*\n\n- two: /);
    const lines = err.split("\n");
    for (const line of ["plan     2 subtasks, merge: ", "start    one (scripted:scripted)", "done     one: 1 characters"]) expect(lines).toContain(line);
    expect(err).toMatch(/failed {3}two: [^]*\npartial: 1 of 2 subtasks are done[^]*\n3 calls, \d+ tokens in/);
  });

  test("no text of a model commands the terminal", async () => {
    const model = scriptedModel([
      { when: orchestrator, reply: plan },
      worker("Do", "\u001B[2Jcleared\u001B]0;title\u0007"),
      { when: synthesizer, reply: "\u001B[31mred" },
    ]);
    const { out } = await written(() => showRun(marketingCopy({ model })));
    expect(out).toBe("red");
  });

  test("a model that is mistyped is a sentence, not a stack, and the exit code of a typo", async () => {
    const before = process.argv;
    onTestFinished(() => {
      process.argv = before;
      process.exitCode = undefined;
    });
    process.argv = ["node", "main.ts", "antropic:claude"];
    const { out, err } = await written(() => runFromTerminal(marketingCopy));
    expect(out).toBe("");
    expect(err).toContain('did you mean "anthropic:claude"?');
    expect(err).not.toContain("    at ");
    expect(process.exitCode).toBe(2);
  });
});
