import { describe, expect, test } from "vitest";
import { allRoles, eventsOf, results, statuses, textOf, verdict } from "../../test/all-roles.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { type FunctionWorker, memoryLedger, type OrchestratorOptions, type Outcome, parsePlan, type WorkerFunction } from "../index.ts";
import { testRuntime, virtualClock } from "../testing/index.ts";

const task = (id: string, type = "code", after = ""): string =>
  `<task id="${id}" after="${after}"><type>${type}</type><description>Do ${id}.</description></task>`;
const plan = (...tasks: readonly string[]): string => `<tasks combine="keep">${tasks.join("\n")}</tasks>`;

function withCode(code: WorkerFunction | FunctionWorker, planned: string, options: OrchestratorOptions = {}): FlexibleOrchestrator {
  return new FlexibleOrchestrator({ model: allRoles({ plan: planned }), workers: { code: typeof code === "function" ? { run: code } : code }, ...options });
}

const failure = (outcome: Outcome, id: string): unknown =>
  outcome.results.flatMap((result) => (result.id === id && result.status === "failed" ? result.error : []))[0];

describe("a worker that is a function", () => {
  test("is given the subtask, the request and what it builds on; its text is the result, and takes no call", async () => {
    const seen: unknown[] = [];
    const code: WorkerFunction = async (subtask, { request, upstream, signal }) => {
      seen.push({ subtask, request, upstream, aborted: signal.aborted });
      return "counted: 3";
    };
    const planned = plan(task("facts", "prose"), task("sum", "Code", "facts"), task("text", "prose", "sum"));
    const model = allRoles({ plan: planned });
    const outcome = await new FlexibleOrchestrator({ model, workers: { code: { run: code } } }).orchestrate("t", { year: 2026 });
    expect(seen).toEqual([
      {
        subtask: { id: "sum", type: "Code", description: "Do sum.", dependsOn: ["facts"] },
        request: { task: "t", context: { year: 2026 } },
        upstream: [{ id: "facts", type: "prose", result: "result of: Do facts." }],
        aborted: false,
      },
    ]);
    expect(outcome).toMatchObject({
      status: "ok",
      calls: 3,
      results: [{ id: "facts" }, { id: "sum", status: "done", result: "counted: 3", attempts: 0 }, { id: "text" }],
    });
    expect(model.calls.find(({ prompt }) => prompt.includes("Do text."))?.prompt).toContain("counted: 3");
  });

  test("may show text on the way; who follows ends with the result", async () => {
    const run = withCode(
      async (_, { emit }) => {
        emit("one, ");
        emit("two");
        return "three";
      },
      plan(task("a")),
    ).start("t");
    const deltas = (await eventsOf(run)).filter((event) => event.type === "subtask.delta");
    expect(deltas.map(({ attempt, text }) => [attempt, text])).toEqual([
      [1, "one, two"],
      [2, "three"],
    ]);
  });

  test("shows nothing more once its result is there", async () => {
    let late = (): void => undefined;
    const code: WorkerFunction = async ({ id }, { emit }) => {
      if (id === "b") late();
      else late = () => emit("too late");
      return id;
    };
    const events = await eventsOf(withCode(code, plan(task("a"), task("b", "code", "a"))).start("t"));
    expect(events.flatMap((event) => (event.type === "subtask.delta" ? event.text : []))).toEqual(["a", "b"]);
  });

  test.each<[string, WorkerFunction, string]>([
    ["throws", () => Promise.reject(new Error("no such table")), "no such table"],
    [
      "throws at once",
      () => {
        throw new Error("no such table");
      },
      "no such table",
    ],
    ["gives no text", (...given) => Reflect.apply(() => 3, undefined, given), "gave no text"],
  ])("that %s fails its subtask, and nothing else", async (_, code, says) => {
    const outcome = await withCode(code, plan(task("a"), task("b", "prose"))).orchestrate("t");
    expect(outcome.status).toBe("partial");
    expect(statuses(outcome)).toEqual(["a failed", "b done"]);
    expect(failure(outcome, "a")).toMatchObject({ code: "worker_failed", message: expect.stringContaining(says) });
  });

  test("that never answers is left alone when the run is stopped, and hears of it", async () => {
    const stop = new AbortController();
    let heard = false;
    const code: WorkerFunction = (_, { signal }) => {
      signal.addEventListener("abort", () => (heard = true));
      queueMicrotask(() => stop.abort());
      return new Promise(() => undefined);
    };
    expect(await withCode(code, plan(task("a"))).start("t", "", { signal: stop.signal }).outcome).toMatchObject({ status: "aborted" });
    expect(heard).toBe(true);
  });

  test("that takes longer than a worker may is not waited for", async () => {
    const clock = virtualClock();
    const model = allRoles({ plan: plan(task("a"), task("b", "prose")) });
    const orchestrator = new FlexibleOrchestrator(
      { model, workers: { code: { run: () => new Promise<string>(() => undefined) } }, timeout: { workerMs: 5_000 } },
      { runtime: testRuntime({ clock }) },
    );
    const done = orchestrator.start("t").outcome;
    await clock.runUntilIdle();
    expect(failure(await done, "a")).toMatchObject({ code: "total_timeout" });
  });

  test("runs as often at once as the run's concurrency says, and in order", async () => {
    let [now, most] = [0, 0];
    const order: string[] = [];
    const code: WorkerFunction = async ({ id }) => {
      most = Math.max(most, ++now);
      order.push(id);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return id;
    };
    const ids = ["a", "b", "c", "d", "e", "f"];
    const outcome = await withCode(code, plan(...ids.map((id) => task(id)))).start("t", "", { concurrency: 2 }).outcome;
    expect(results(outcome)).toEqual(ids);
    expect(most).toBe(2);
    expect(order).toEqual(ids);
  });

  test("that is judged is shown its last result and what was said of it", async () => {
    const evaluate = { judge: ({ text }: { text: string }) => ({ score: text === "better" ? 1 : 0, reasons: "Too short." }), threshold: 1 };
    const run: WorkerFunction = async (_, { before }) => (before?.verdict.reasons === "Too short." && before.result === "short" ? "better" : "short");
    const outcome = await withCode({ run, evaluate }, plan(task("a"))).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", results: [{ result: "better", evaluation: { tries: 2 } }], calls: 1 });
  });

  test("can be asked alone", async () => {
    const orchestrator = withCode(async ({ description }, { upstream }) => `${description} ${upstream.length}`, plan());
    expect(await orchestrator.executeWorker("t", { type: "code", description: "Count." }, { upstream: [{ id: "x", type: "x", result: "y" }] })).toMatchObject({
      status: "done",
      result: "Count. 1",
    });
  });
});

describe("a function of a run that is gone on with", () => {
  /** Its first function is under way when the run is stopped. */
  async function left(idempotent: boolean): Promise<{ readonly again: Outcome; readonly runs: readonly string[] }> {
    const runs: string[] = [];
    const stop = new AbortController();
    const run: WorkerFunction = ({ id }) => {
      runs.push(id);
      if (id === "done" || stop.signal.aborted) return `${id} is done`;
      setImmediate(() => stop.abort());
      return new Promise(() => undefined);
    };
    const orchestrator = withCode({ run, idempotent }, plan(task("done"), task("open"), task("later", "code", "open")), { ledger: memoryLedger() });
    const first = orchestrator.start("t", "", { signal: stop.signal });
    await first.outcome;
    return { again: await (await orchestrator.resume(first.runId)).outcome, runs };
  }

  test("is run again where it had begun and is idempotent, and not where it is done", async () => {
    const { again, runs } = await left(true);
    expect(runs).toEqual(["done", "open", "open", "later"]);
    expect(again).toMatchObject({ status: "ok" });
  });

  test("is not run again where it had begun and is not idempotent: nobody knows how far it came", async () => {
    const { again, runs } = await left(false);
    expect(runs).toEqual(["done", "open"]);
    expect(statuses(again)).toEqual(["done done", "open failed", "later skipped"]);
    expect(failure(again, "open")).toMatchObject({ code: "not_repeatable" });
  });
});

test("a function whose turn had not come when the run was stopped has not begun, and is run when it is gone on with", async () => {
  const runs: string[] = [];
  const stop = new AbortController();
  const run: WorkerFunction = ({ id }) => {
    runs.push(id);
    if (stop.signal.aborted) return `${id} is done`;
    setImmediate(() => stop.abort());
    return new Promise(() => undefined);
  };
  const orchestrator = withCode({ run, idempotent: false }, plan(task("a"), task("b"), task("c")), { ledger: memoryLedger() });
  const first = orchestrator.start("t", "", { signal: stop.signal, concurrency: 2 });
  expect(statuses(await first.outcome)).toEqual(["a failed", "b failed", "c skipped"]);
  const again = await (await orchestrator.resume(first.runId)).outcome;
  expect(statuses(again)).toEqual(["a failed", "b failed", "c done"]);
  expect(runs).toEqual(["a", "b", "c"]);
});

test("the time that a budget allows being over, no further one begins, and what is left is left out for it", async () => {
  const run = ({ id }: { id: string }): Promise<string> => new Promise((resolve) => void setTimeout(() => resolve("x"), id === "b" ? 1_050 : 0));
  const inRow = plan(task("a"), task("b", "code", "a"), task("c", "code", "b"), task("d", "code", "c"));
  const outcome = await withCode(run, inRow).orchestrate("t", "", { plan: parsePlan(inRow), budget: { seconds: 1 } });
  expect(outcome).toMatchObject({ status: "partial", error: { code: "budget_exhausted" } });
  expect(statuses(outcome)).toEqual(["a done", "b done", "c skipped", "d skipped"]);
  expect(outcome.results[2]).toMatchObject({ reason: "budget" });
});

test("one that is carried out alone says how long it took", async () => {
  const run = (): Promise<string> => new Promise((resolve) => void setTimeout(() => resolve("x"), 30));
  const result = await withCode(run, "").executeWorker("t", { description: "d", type: "code" });
  expect(result.durationMs).toBeGreaterThanOrEqual(25);
});

describe("what a function has delivered, and is still to be judged when the run is stopped", () => {
  const evaluate = { criteria: "c", threshold: 0.5 };

  /** Stopped while the verdict with this number is awaited, and resumed. */
  async function stoppedAt(number: number, idempotent: boolean, scores: readonly number[]): Promise<{ readonly ran: number; readonly outcome: Outcome }> {
    const ledger = memoryLedger();
    const stop = new AbortController();
    const code = { ran: 0, asked: 0 };
    const run = async (): Promise<string> => `mail ${++code.ran}`;
    const withJudge = (stops: boolean): FlexibleOrchestrator =>
      new FlexibleOrchestrator({
        ledger,
        model: allRoles({
          plan: plan(task("a")),
          evaluator: ({ prompt }) => {
            if (stops && ++code.asked === number) setTimeout(() => stop.abort(), 5);
            return { text: verdict(scores[Number(/mail (\d)/.exec(prompt)?.[1]) - 1] ?? 0), firstMs: stops && code.asked === number ? 500 : 0 };
          },
        }),
        workers: { code: { run, idempotent, evaluate } },
      });
    const first = withJudge(true).start("t", "", { signal: stop.signal });
    expect((await first.outcome).status).toBe("aborted");
    const outcome = await (await withJudge(false).resume(first.runId)).outcome;
    return { ran: code.ran, outcome };
  }

  test.each([true, false])("is judged by a resume, and not made again; idempotent: %s", async (idempotent) => {
    const { ran, outcome } = await stoppedAt(1, idempotent, [9]);
    expect(outcome).toMatchObject({ status: "ok", results: [{ status: "done", result: "mail 1", evaluation: { passed: true, tries: 1 } }] });
    expect(ran).toBe(1);
    expect(await stoppedAt(2, idempotent, [2, 9])).toMatchObject({ ran: 2, outcome: { status: "ok", results: [{ result: "mail 2" }] } });
  });

  test("is tried again where it falls short then, and nobody had begun with that before", async () => {
    expect(await stoppedAt(1, false, [2, 9])).toMatchObject({ ran: 2, outcome: { status: "ok", results: [{ result: "mail 2" }] } });
  });

  test("is tried again after two stops as well, where what fell short is not the last that it has delivered", async () => {
    const ledger = memoryLedger();
    let [ran, lives] = [0, 0];
    const run = async (): Promise<string> => `mail ${++ran}`;
    const living = (): readonly [FlexibleOrchestrator, AbortController] => {
      const stop = new AbortController();
      const isLast = ++lives === 3;
      const evaluator = ({ prompt }: { readonly prompt: string }): { readonly text: string; readonly firstMs: number } => {
        const number = Number(/mail (\d)/.exec(prompt)?.[1]);
        if (number === 2 && !isLast) setTimeout(() => stop.abort(), 5);
        return { text: verdict(number === 3 ? 9 : 2), firstMs: number === 2 && !isLast ? 500 : 0 };
      };
      const workers = { code: { run, evaluate: { ...evaluate, maxAttempts: 3 } } };
      return [new FlexibleOrchestrator({ ledger, model: allRoles({ plan: plan(task("a")), evaluator }), workers }), stop];
    };
    const [one, stopsOne] = living();
    const first = one.start("t", "", { signal: stopsOne.signal });
    expect((await first.outcome).status).toBe("aborted");
    const [two, stopsTwo] = living();
    expect((await (await two.resume(first.runId, { signal: stopsTwo.signal })).outcome).status).toBe("aborted");
    const [three] = living();
    expect(await (await three.resume(first.runId)).outcome).toMatchObject({ status: "ok", results: [{ result: "mail 3", evaluation: { tries: 3 } }] });
    expect(ran).toBe(3);
  });
});

test("a function that may have begun with a further try is not tried again: what it had delivered stands", async () => {
  const ledger = memoryLedger();
  const stop = new AbortController();
  let ran = 0;
  const run = async (): Promise<string> => {
    if (++ran === 1) return "mail 1";
    stop.abort();
    return await new Promise(() => undefined);
  };
  const evaluate = { criteria: "c", threshold: 0.5 };
  const model = allRoles({ plan: plan(task("a")), evaluator: () => verdict(2) });
  const orchestrator = new FlexibleOrchestrator({ ledger, model, workers: { code: { run, evaluate } } });
  const first = orchestrator.start("t", "", { signal: stop.signal });
  await first.outcome;
  const outcome = await (await orchestrator.resume(first.runId)).outcome;
  const evaluation = { score: 0.2, passed: false, error: { code: "not_repeatable" } };
  expect(outcome).toMatchObject({ status: "partial", error: { code: "below_threshold" }, results: [{ result: "mail 1", evaluation }] });
  expect(ran).toBe(2);
  expect(await (await orchestrator.resume(first.runId)).outcome).toEqual(outcome);
});

describe("kinds of workers", () => {
  test("are told to the orchestrator with what they are for, in the order in which they are named", async () => {
    const model = allRoles({ plan: plan(task("a")) });
    const run: WorkerFunction = async () => "x";
    await new FlexibleOrchestrator({
      model,
      workers: { Researcher: { description: "Finds figures, with their sources." }, code: { run, description: "Computes; give it a formula." }, plain: {} },
    }).orchestrate("t");
    expect(model.calls[0]?.system).toContain("- researcher: Finds figures, with their sources.\n- code: Computes; give it a formula.\n- plain\n");
  });

  test("that the plan makes up fall to the general worker, and it is said where kinds are described", async () => {
    const planned = plan(task("a", "researcher"), task("b", "poet"), task("c", "poet"));
    const described = { model: allRoles({ plan: planned }), workers: { Researcher: { description: "Finds figures." } } };
    const outcome = await new FlexibleOrchestrator(described).orchestrate("t");
    expect(outcome.status).toBe("ok");
    expect(outcome.coverage.notices).toEqual([
      { code: "kind_unknown", message: 'There is no kind of worker for "poet"; the general one was given 2 such subtasks.', subtaskIds: ["b", "c"] },
    ]);
    const plain = await new FlexibleOrchestrator({ model: allRoles({ plan: planned }), workers: { Researcher: {} } }).orchestrate("t");
    expect(plain.coverage.notices).toEqual([]);
  });

  test("are laid out like all others", async () => {
    expect(await textOf(withCode(async () => "From code.", plan(task("a"), task("b", "prose"))).start("t"))).toBe(
      "## Code\n\nFrom code.\n\n## Prose\n\nresult of: Do b.",
    );
  });
});
