import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  type ApprovePlan,
  type CompareOptions,
  FlexibleOrchestrator,
  type OrchestratorOptions,
  type Outcome,
  type PlanInput,
  type Result,
  type ResumeOptions,
  type Run,
  type RunCallOptions,
} from "./index.ts";

/** What the compiler reads from options. The checks are the compiler's own: `npm run types`; nothing is carried out. */

const claims = z.object({ claims: z.array(z.string()) });
const report = z.object({ title: z.string(), day: z.iso.date().transform((day) => new Date(day)) });

interface Claims {
  claims: string[];
}
interface Report {
  title: string;
  day: Date;
}

const typed = new FlexibleOrchestrator({
  model: "anthropic:x",
  workers: {
    researcher: { output: claims, prompt: ({ task }) => task },
    writer: "anthropic:y",
    counter: { run: ({ description }) => description.length, output: z.number() },
    lister: { run: ({ description }, { signal }) => `${description}${signal.aborted}` },
  },
  synthesizer: { output: report },
});
type Typed = Awaited<ReturnType<typeof typed.orchestrate>>;
type DoneOf<Each, Kind extends string> = Extract<Each, { status: "done"; kind: Kind }>;

describe("the types of an orchestrator", () => {
  test("tell results apart by kind and status; a kind without an `output` has none", () => {
    type Each = Typed["results"][number];
    expectTypeOf<Each["kind"]>().toEqualTypeOf<"default" | "researcher" | "writer" | "counter" | "lister">();
    expectTypeOf<DoneOf<Each, "researcher">["output"]>().toEqualTypeOf<Claims>();
    expectTypeOf<DoneOf<Each, "counter">["output"]>().toEqualTypeOf<number>();
    expectTypeOf<DoneOf<Each, "writer">>().not.toHaveProperty("output");
    expectTypeOf<DoneOf<Each, "lister">>().not.toHaveProperty("output");
    expectTypeOf<DoneOf<Each, "default">>().not.toHaveProperty("output");
    const read = ({ results }: Typed): readonly string[] => results.flatMap((r) => (r.status === "done" && r.kind === "researcher" ? r.output.claims : []));
    expectTypeOf(read).returns.toEqualTypeOf<readonly string[]>();
  });

  test("have the answer's output where it is `ok`, and may have it where it is `partial`", () => {
    expectTypeOf<Extract<Typed, { status: "ok" }>["output"]>().toEqualTypeOf<Report>();
    expectTypeOf<Extract<Typed, { status: "partial" }>["output"]>().toEqualTypeOf<Report | undefined>();
    expectTypeOf<Extract<Typed, { status: "failed" }>>().not.toHaveProperty("output");
  });

  test("go with every way to carry something out", () => {
    expectTypeOf<Awaited<ReturnType<typeof typed.start>["outcome"]>>().toEqualTypeOf<Typed>();
    expectTypeOf<Awaited<Awaited<ReturnType<typeof typed.resume>>["outcome"]>>().toEqualTypeOf<Typed>();
    expectTypeOf<Awaited<Awaited<ReturnType<typeof typed.rerun>>["outcome"]>>().toEqualTypeOf<Typed>();
    expectTypeOf<Awaited<ReturnType<typeof typed.executeWorker>>>().toEqualTypeOf<Typed["results"][number]>();
  });

  test("of a general worker hold for it, and for the models among the kinds", () => {
    const general = new FlexibleOrchestrator({ worker: { output: claims }, workers: { fast: "anthropic:y", code: { run: () => "text" } } });
    type Each = Awaited<ReturnType<typeof general.executeWorker>>;
    expectTypeOf<DoneOf<Each, "default">["output"]>().toEqualTypeOf<Claims>();
    expectTypeOf<DoneOf<Each, "fast">["output"]>().toEqualTypeOf<Claims>();
    expectTypeOf<DoneOf<Each, "code">>().not.toHaveProperty("output");
    const alone = new FlexibleOrchestrator({ worker: { output: claims } });
    expectTypeOf<DoneOf<Awaited<ReturnType<typeof alone.executeWorker>>, "default">["output"]>().toEqualTypeOf<Claims>();
  });

  test("of a kind that says `output: false` are text, whatever the worker's are", () => {
    const plain = new FlexibleOrchestrator({ worker: { output: claims }, workers: { prose: { output: false }, fast: { description: "f" } } });
    type Each = Awaited<ReturnType<typeof plain.executeWorker>>;
    expectTypeOf<DoneOf<Each, "prose">>().not.toHaveProperty("output");
    expectTypeOf<DoneOf<Each, "fast">["output"]>().toEqualTypeOf<Claims>();
    expectTypeOf<DoneOf<Each, "default">["output"]>().toEqualTypeOf<Claims>();
  });

  test("of functions go by what their schema takes in, and what it makes of that", () => {
    const sums = new FlexibleOrchestrator({
      workers: {
        day: { run: ({ description }) => description, output: z.string().transform((text) => new Date(text)) },
        later: { run: async ({ id }, { signal }) => ({ claims: [id, String(signal.aborted)] }), output: claims },
        parsed: { run: ({ description }) => JSON.parse(description), output: claims },
      },
    });
    type Each = Awaited<ReturnType<typeof sums.executeWorker>>;
    expectTypeOf<DoneOf<Each, "day">["output"]>().toEqualTypeOf<Date>();
    expectTypeOf<DoneOf<Each, "later">["output"]>().toEqualTypeOf<Claims>();
    expectTypeOf<DoneOf<Each, "parsed">["output"]>().toEqualTypeOf<Claims>();
  });

  test("of options whose type says no schema are those that were always there", () => {
    const options: OrchestratorOptions = {};
    const plain = new FlexibleOrchestrator(options);
    expectTypeOf(plain).toEqualTypeOf<FlexibleOrchestrator>();
    expectTypeOf<ReturnType<typeof plain.orchestrate>>().resolves.toEqualTypeOf<Outcome>();
    expectTypeOf<ReturnType<typeof plain.executeWorker>>().resolves.toEqualTypeOf<Result>();
    expectTypeOf(new FlexibleOrchestrator()).toEqualTypeOf<FlexibleOrchestrator>();
  });

  test("that are known fit wherever any orchestrator, run, outcome or result does", () => {
    expectTypeOf(typed).toExtend<FlexibleOrchestrator>();
    expectTypeOf<ReturnType<typeof typed.start>>().toExtend<Run>();
    expectTypeOf<Typed>().toExtend<Outcome>();
    expectTypeOf<Typed["results"][number]>().toExtend<Result>();
  });

  test("take undefined for what is not there, also where optional properties are exact", () => {
    const [signal, text, number]: readonly [AbortSignal?, string?, number?] = [];
    const options: OrchestratorOptions = {
      model: text,
      worker: { model: text, temperature: number, evaluate: undefined, price: { input: 1, output: 1, cacheRead: number } },
      workers: { a: { description: text, output: undefined, samples: number }, b: { run: () => "", description: text, output: undefined } },
      limits: { rounds: number },
      budget: { usd: number, calls: 3 },
      planCache: undefined,
    };
    const run: RunCallOptions = { signal, concurrency: number, budget: undefined, plan: undefined };
    const others: [CompareOptions, ResumeOptions, PlanInput] = [
      { signal, judge: { model: text }, context: undefined },
      { signal, acceptChanges: undefined },
      { analysis: text, subtasks: [{ id: text, description: "d" }] },
    ];
    expectTypeOf([options, run, others]).toBeArray();
    const inline = new FlexibleOrchestrator({ model: text, worker: { output: claims, temperature: number }, workers: { a: { description: text } } });
    expectTypeOf<DoneOf<Awaited<ReturnType<typeof inline.executeWorker>>, "a">["output"]>().toEqualTypeOf<Claims>();
  });

  test("take whoever approves plans, whatever comes of it", () => {
    const approvers: readonly ApprovePlan[] = [
      async () => "reject",
      async (plan) => plan,
      async (plan) => (plan.subtasks.length > 5 ? "reject" : plan),
      async (plan, { worst }) => (worst.calls > 5 ? { feedback: "Fewer." } : { ...plan, combine: "keep" }),
    ];
    expectTypeOf(approvers).items.toBeFunction();
  });

  test("refuse misspelt options, schemas that are none, judges of two sorts, and functions that give no text where there is no schema", () => {
    // @ts-expect-error an option that there is not
    const misspelt: OrchestratorOptions = { concurency: 3 };
    const wrong = (): unknown => [
      // @ts-expect-error an option that there is not, in a kind beside a schema
      new FlexibleOrchestrator({ workers: { a: { output: claims, modle: "x" } } }),
      // @ts-expect-error no schema
      new FlexibleOrchestrator({ worker: { output: 3 } }),
      // @ts-expect-error no text
      new FlexibleOrchestrator({ workers: { a: { run: () => 3 } } }),
      // @ts-expect-error not what its schema takes in
      new FlexibleOrchestrator({ workers: { a: { run: () => ({ wrong: true }), output: claims } } }),
      // @ts-expect-error nor by a promise
      new FlexibleOrchestrator({ workers: { a: { run: async ({ id }) => ({ claims: id }), output: claims } } }),
      // @ts-expect-error switches nothing off
      new FlexibleOrchestrator({ worker: { output: false } }),
      // @ts-expect-error judged by a function, and by criteria
      new FlexibleOrchestrator({ worker: { evaluate: { criteria: "x", judge: () => ({ score: 1, reasons: "" }), threshold: 0.5 } } }),
      // @ts-expect-error judged by a function, and a model that would not be asked
      new FlexibleOrchestrator({ worker: { evaluate: { judge: () => ({ score: 1, reasons: "" }), threshold: 0.5, model: "a:x" } } }),
    ];
    expectTypeOf(wrong).toBeFunction();
    expectTypeOf(misspelt).toExtend<OrchestratorOptions>();
  });
});
