import { createUIMessageStream, createUIMessageStreamResponse, readUIMessageStream } from "ai";
import { describe, expect, expectTypeOf, test } from "vitest";
import type { DividedPlan, PlanDecision } from "../index.ts";
import type { Run } from "../orchestrator/run-handle.ts";
import type { DoubleReply } from "../testing/script.ts";
import { anOrchestrator, planOf } from "./run-fixture.ts";
import type { DivvyUIMessage, DivvyUIMessageChunk, SubtaskPart } from "./ui-message.ts";
import { toUIMessageStream } from "./ui-message-stream.ts";

/** What a chat shows at the end, and all that was shown before it; errors are those that `useChat` would have. */
async function read(stream: ReadableStream<DivvyUIMessageChunk>): Promise<{ last: DivvyUIMessage; shown: DivvyUIMessage[]; errors: unknown[] }> {
  const errors: unknown[] = [];
  const shown = await Array.fromAsync(readUIMessageStream<DivvyUIMessage>({ stream, onError: (error) => errors.push(error) }));
  const last = shown.at(-1);
  if (last === undefined) throw new Error("Nothing was shown.");
  return { last, shown, errors };
}

const subtasks = ({ parts }: DivvyUIMessage): SubtaskPart[] => parts.flatMap((part) => (part.type === "data-subtask" ? [part.data] : []));
const texts = ({ parts }: DivvyUIMessage): string[] => parts.flatMap((part) => (part.type === "text" ? [part.text] : []));

/** Every chunk, as it is sent. */
const chunksOf = (run: Run): Promise<DivvyUIMessageChunk[]> => Array.fromAsync(toUIMessageStream(run));

const streamOf = (chunks: readonly DivvyUIMessageChunk[]): ReadableStream<DivvyUIMessageChunk> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

const refused = { fault: { kind: "status", status: 400 } } as const;

describe("a message made of a run", () => {
  test("has the analysis first, then a part for each subtask in place, then the answer, and the outcome as metadata", async () => {
    const { divvy } = anOrchestrator({ plan: planOf("merge") });
    const run = divvy.start("Describe the bottle");
    const { last, errors } = await read(toUIMessageStream(run));
    expect(errors).toEqual([]);
    expect(last.parts).toMatchObject([
      { type: "reasoning", text: "Facts and a story.", state: "done" },
      {
        type: "data-subtask",
        id: "facts",
        data: expect.objectContaining({ id: "facts", status: "done", text: "It is blue.", description: "List the facts." }),
      },
      { type: "data-subtask", id: "story", data: expect.objectContaining({ id: "story", status: "done", text: "Once it was red." }) },
      { type: "text", text: "Red, then blue.", state: "done" },
    ]);
    const outcome = await run.outcome;
    expect(last.metadata).toMatchObject({ runId: run.runId, outcome: { status: "ok", calls: 4, coverage: outcome.coverage, usage: outcome.usage } });
    expect(last.metadata?.outcome).not.toHaveProperty("error");
  });

  test("has no subtask where the orchestrator answers by itself, and the analysis before the answer", async () => {
    const { divvy } = anOrchestrator({ plan: "<analysis>One reply does.</analysis><answer>It is a bottle.</answer>" });
    const { last } = await read(toUIMessageStream(divvy.start("What is it?")));
    expect(last.parts).toMatchObject([
      { type: "reasoning", text: "One reply does." },
      { type: "text", text: "It is a bottle.", state: "done" },
    ]);
  });

  test("has an analysis for each round, where what it says came", async () => {
    const look = "<analysis>One more.</analysis><tasks><task id='price'><type>t</type><description>Find the price.</description></task></tasks>";
    const plan = ({ prompt }: { prompt: string }): string => (prompt.includes("Your plan has been carried out") ? look : planOf("keep"));
    const { divvy } = anOrchestrator({ plan }, { limits: { rounds: 2 } });
    const { last, errors } = await read(toUIMessageStream(divvy.start("Describe the bottle")));
    expect(errors).toEqual([]);
    expect(last.parts.map((part) => ("text" in part ? part.text : "id" in part ? part.id : ""))).toEqual([
      "Facts and a story.",
      "facts",
      "story",
      "One more.",
      "price",
      expect.any(String),
    ]);
  });

  test("has the analysis of each plan, where one was sent back or its words edited", async () => {
    const plan = ({ prompt }: { prompt: string }): string =>
      prompt.includes("Fewer parts.") ? planOf("keep").replace("Facts and a story.", "Less.") : planOf("keep");
    const decisions: ((plan: DividedPlan) => PlanDecision)[] = [() => ({ feedback: "Fewer parts." }), (written) => ({ ...written, analysis: "Mine." })];
    const { divvy } = anOrchestrator({ plan }, { approvePlan: async (written) => decisions.shift()?.(written) ?? written });
    const { last, errors } = await read(toUIMessageStream(divvy.start("Describe the bottle")));
    expect(errors).toEqual([]);
    expect(last.parts.flatMap((part) => (part.type === "reasoning" ? [[part.text, part.state]] : []))).toEqual([
      ["Facts and a story.", "done"],
      ["Less.", "done"],
      ["Mine.", "done"],
    ]);
  });

  test("says an analysis once, where the plan is edited and the analysis is not", async () => {
    const { divvy } = anOrchestrator({}, { approvePlan: async (written) => ({ ...written, subtasks: written.subtasks.slice(0, 1) }) });
    const { last } = await read(toUIMessageStream(divvy.start("Describe the bottle")));
    expect(last.parts.flatMap((part) => (part.type === "reasoning" ? [part.text] : []))).toEqual(["Facts and a story."]);
  });

  test("names the run before anything has come of it", async () => {
    const run = anOrchestrator().divvy.start("Describe the bottle");
    const { shown } = await read(toUIMessageStream(run));
    expect(shown[0]).toMatchObject({ metadata: { runId: run.runId } });
    expect(shown[0]?.metadata).not.toHaveProperty("outcome");
  });

  test("shows each subtask as it goes: waiting, running, its text so far, done", async () => {
    const long = "word ".repeat(200).trim();
    const { divvy } = anOrchestrator({ facts: { text: long, chunkMs: 1 } });
    const { shown } = await read(toUIMessageStream(divvy.start("Describe the bottle")));
    const seen = shown.flatMap((message) => subtasks(message).filter(({ id }) => id === "facts"));
    expect(new Set(seen.map(({ status }) => status))).toEqual(new Set(["waiting", "queued", "running", "done"]));
    const written = seen.filter(({ status, text }) => status === "running" && text !== "");
    expect(written.length).toBeGreaterThan(0);
    for (const { text } of written) expect(long.startsWith(text)).toBe(true);
    expect(seen.at(-1)?.text).toBe(long);
  });

  test("says how subtasks stand and not what they found, where results are not wanted", async () => {
    const { divvy } = anOrchestrator({ plan: planOf("merge") });
    const chunks = await Array.fromAsync(toUIMessageStream(divvy.start("Describe the bottle"), { sendResults: false }));
    const parts = chunks.flatMap((chunk) => (chunk.type === "data-subtask" ? [chunk.data] : []));
    expect(parts.filter(({ status }) => status === "done").map(({ id }) => id)).toEqual(["facts", "story"]);
    expect(JSON.stringify(chunks)).not.toContain("It is blue.");
  });

  test("tells what is missing of a partial run: in the part, in the answer and in the outcome, and is no error", async () => {
    const { divvy } = anOrchestrator({ plan: planOf("keep", ' after="facts"'), facts: refused });
    const other = anOrchestrator({ story: refused });
    const failed = await read(toUIMessageStream(divvy.start("Describe the bottle")));
    expect(subtasks(failed.last)).toMatchObject([
      { status: "failed", error: { code: "bad_request" } },
      { status: "skipped", skipped: "upstream", because: "facts" },
    ]);
    const { last, errors } = await read(toUIMessageStream(other.divvy.start("Describe the bottle")));
    expect(errors).toEqual([]);
    expect(texts(last)[0]).toContain("**Not covered**");
    expect(last.metadata?.outcome).toMatchObject({ status: "partial", error: { code: "incomplete" }, coverage: { missing: [{ id: "story" }] } });
  });

  test("never holds what a provider sent back with an error", async () => {
    const { divvy } = anOrchestrator({ story: refused });
    const run = divvy.start("Describe the bottle");
    const chunks = await chunksOf(run);
    expect(JSON.stringify((await run.outcome).results)).toContain('"evidence"');
    expect(JSON.stringify(chunks)).not.toContain("evidence");
  });
});

describe("the end of a stream", () => {
  test("of a failed run is the outcome, an error with message and hint, and a finish", async () => {
    const { divvy } = anOrchestrator({ plan: { fault: { kind: "status", status: 401 } } });
    const run = divvy.start("Describe the bottle");
    const chunks = await chunksOf(run);
    const outcome = await run.outcome;
    const error = "error" in outcome ? outcome.error : undefined;
    // A provider's own words end without a full stop.
    expect(error?.message).toMatch(/[^.]$/);
    expect(chunks.slice(-3)).toMatchObject([
      { type: "message-metadata", messageMetadata: { outcome: { status: "failed", error: { code: "authentication" } } } },
      { type: "error", errorText: `${error?.message}. ${error?.hint}` },
      { type: "finish", finishReason: "error" },
    ]);
  });

  test("of a run that was stopped is the outcome and an abort", async () => {
    const { divvy } = anOrchestrator({ facts: { fault: { kind: "silence", afterChunks: 0 } } });
    const run = divvy.start("Describe the bottle");
    const chunks: DivvyUIMessageChunk[] = [];
    for await (const chunk of toUIMessageStream(run)) {
      chunks.push(chunk);
      if (chunk.type === "reasoning-end") run.abort();
    }
    expect(chunks.slice(-2)).toMatchObject([
      { type: "message-metadata", messageMetadata: { outcome: { status: "aborted" } } },
      { type: "abort", reason: "The run was stopped." },
    ]);
  });

  test("comes of every block that was begun, each once", async () => {
    const { divvy } = anOrchestrator({ plan: { fault: { kind: "status", status: 401 } } });
    const types = (await chunksOf(divvy.start("Describe the bottle"))).map(({ type }) => type);
    expect(types.filter((type) => type === "reasoning-start" || type === "reasoning-end")).toEqual(["reasoning-start", "reasoning-end"]);
  });
});

describe("a reader that cancels", () => {
  const waiting = { facts: { fault: { kind: "silence", afterChunks: 0 } } } as const;

  async function begun(stream: ReadableStream<DivvyUIMessageChunk>): Promise<ReadableStreamDefaultReader<DivvyUIMessageChunk>> {
    const reader = stream.getReader();
    for (let next = await reader.read(); next.value?.type !== "reasoning-end"; next = await reader.read());
    return reader;
  }

  test("stops the run, and every call in flight", async () => {
    const { divvy, model } = anOrchestrator(waiting);
    const run = divvy.start("Describe the bottle");
    await (await begun(toUIMessageStream(run))).cancel();
    expect((await run.outcome).status).toBe("aborted");
    expect(model.inFlight).toBe(0);
  });

  test("leaves the run where it is to be left, and another stream shows all of it", async () => {
    const held = Promise.withResolvers<string>();
    const { divvy } = anOrchestrator({ facts: () => held.promise });
    const run = divvy.start("Describe the bottle");
    await (await begun(toUIMessageStream(run, { onCancel: "leave" }))).cancel();
    held.resolve("It is blue.");
    const { last } = await read(toUIMessageStream(run));
    expect(last.metadata?.outcome?.status).toBe("ok");
    expect(subtasks(last).map(({ text }) => text)).toEqual(["It is blue.", "Once it was red."]);
  });
});

describe("a run that is replayed", () => {
  test("shows at its end what it showed when it was live", async () => {
    const { divvy } = anOrchestrator({ plan: planOf("merge") });
    const run = divvy.start("Describe the bottle");
    const live = await read(toUIMessageStream(run));
    const replayed = await read(toUIMessageStream(run));
    expect(replayed.last).toEqual(live.last);
    const resumed = await read(toUIMessageStream(await divvy.resume(run.runId)));
    expect(resumed.last).toEqual(live.last);
  });

  test("that is resumed shows the parts of its first life as they now are, and one answer", async () => {
    let broken = true;
    const { divvy } = anOrchestrator({ story: () => (broken ? refused : "Once it was red.") });
    const run = divvy.start("Describe the bottle");
    const first = await read(toUIMessageStream(run));
    expect(first.last.metadata?.outcome?.status).toBe("partial");
    broken = false;
    const { last } = await read(toUIMessageStream(await divvy.resume(run.runId)));
    expect(subtasks(last).map(({ id, status, error }) => [id, status, error])).toEqual([
      ["facts", "done", undefined],
      ["story", "done", undefined],
    ]);
    expect(texts(last)).toEqual(["## Facts\n\nIt is blue.\n\n## Story\n\nOnce it was red."]);
    expect(last.metadata?.outcome?.status).toBe("ok");
  });
});

test("a run that is resumed shows at once what is to be done anew", async () => {
  const replies: DoubleReply[] = [refused, { fault: { kind: "silence", afterChunks: 0 } }];
  const { divvy } = anOrchestrator({ plan: planOf("keep", ' after="facts"'), facts: () => replies.shift() ?? "" });
  const first = divvy.start("Describe the bottle");
  expect(subtasks((await read(toUIMessageStream(first))).last).map(({ status }) => status)).toEqual(["failed", "skipped"]);
  const run = await divvy.resume(first.runId);
  const told: SubtaskPart[] = [];
  for await (const chunk of toUIMessageStream(run)) {
    if (chunk.type === "data-subtask") told.push(chunk.data);
    // All of the first life is shown, and then that the second try of the one runs.
    if (told.filter(({ id, status }) => id === "facts" && status === "running").length === 2) break;
  }
  const story = told.filter(({ id }) => id === "story");
  expect(story.map(({ status, skipped }) => [status, skipped])).toEqual([
    ["waiting", undefined],
    ["skipped", "upstream"],
    ["waiting", undefined],
  ]);
});

describe("the answer", () => {
  test("is written anew by a second try while nobody has read of it, and is the outcome's text for who has", async () => {
    const broken = { text: "Red, and then something went", chunkSize: 4, fault: { kind: "cut", afterChunks: 3 } } as const;
    for (const readEarly of [true, false]) {
      let tries = 0;
      const { divvy } = anOrchestrator({ plan: planOf("merge"), answer: () => (tries++ === 0 ? broken : "Red, then blue.") });
      const run = divvy.start("Describe the bottle");
      const stream = toUIMessageStream(run);
      if (!readEarly) await run.outcome;
      const { last } = await read(stream);
      const outcome = await run.outcome;
      expect(texts(last).join("")).toBe("text" in outcome ? outcome.text : "");
      if (!readEarly) expect(texts(last)).toEqual(["Red, then blue."]);
    }
  });
});

describe("within the AI SDK", () => {
  test("is served as server-sent events, and read again as the same message", async () => {
    const { divvy } = anOrchestrator();
    const response = createUIMessageStreamResponse({ stream: toUIMessageStream(divvy.start("Describe the bottle")) });
    expect(response.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1");
    const lines = (await response.text()).split("\n\n").filter((line) => line !== "");
    expect(lines.at(-1)).toBe("data: [DONE]");
    const chunks = lines.slice(0, -1).map((line): DivvyUIMessageChunk => JSON.parse(line.slice("data: ".length)));
    const { last } = await read(streamOf(chunks));
    expect(subtasks(last).map(({ status }) => status)).toEqual(["done", "done"]);
    expect(texts(last)).toEqual(["## Facts\n\nIt is blue.\n\n## Story\n\nOnce it was red."]);
  });

  test("is merged into a stream with other parts, and ends as one message with an id", async () => {
    const { divvy } = anOrchestrator();
    const ended = Promise.withResolvers<DivvyUIMessage>();
    const stream = createUIMessageStream<DivvyUIMessage>({
      originalMessages: [{ id: "m1", role: "user", parts: [{ type: "text", text: "Describe the bottle" }] }],
      generateId: () => "m2",
      execute: ({ writer }) => writer.merge(toUIMessageStream(divvy.start("Describe the bottle"))),
      onEnd: ({ responseMessage }) => ended.resolve(responseMessage),
    });
    await Array.fromAsync(stream);
    const message = await ended.promise;
    expect(message.id).toBe("m2");
    expect(message.metadata?.outcome?.status).toBe("ok");
  });

  test("the parts of a message are typed by what they are", () => {
    type Part = DivvyUIMessage["parts"][number];
    expectTypeOf<Extract<Part, { type: "data-subtask" }>["data"]>().toEqualTypeOf<SubtaskPart>();
    expectTypeOf<Extract<Part, { type: `data-${string}` }>["type"]>().toEqualTypeOf<"data-subtask">();
    expectTypeOf<NonNullable<NonNullable<DivvyUIMessage["metadata"]>["outcome"]>["status"]>().toEqualTypeOf<"ok" | "partial" | "failed" | "aborted">();
    expectTypeOf(toUIMessageStream).returns.toExtend<ReadableStream<DivvyUIMessageChunk>>();
  });
});

test("options that do not exist, or are none of their values, are refused at once", () => {
  const { divvy } = anOrchestrator({ plan: planOf("keep") });
  const run = divvy.start("t");
  expect(() => Reflect.apply(toUIMessageStream, undefined, [run, { onCancl: "leave" }])).toThrow(/onCancl.*onCancel/);
  expect(() => Reflect.apply(toUIMessageStream, undefined, [run, { onCancel: "go" }])).toThrow(expect.objectContaining({ code: "invalid_option" }));
});
