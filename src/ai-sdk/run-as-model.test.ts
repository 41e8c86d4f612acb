import { generateText, type LanguageModel, Output, stepCountIs, streamText, tool } from "ai";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { z } from "zod";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { DivvyError } from "../errors.ts";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { providerServer } from "../testing/provider-server.ts";
import { runAsModel } from "./run-as-model.ts";
import { anOrchestrator, planOf } from "./run-fixture.ts";

const prompt = "Describe the bottle";
const unauthorized = { fault: { kind: "status", status: 401 } } as const;
const silent = { fault: { kind: "silence", afterChunks: 0 } } as const;

beforeEach(() => vi.stubGlobal("AI_SDK_LOG_WARNINGS", false));
afterEach(() => vi.unstubAllGlobals());

/** Resolves when one of a model's calls is in flight. */
const inFlight = (model: { readonly inFlight: number }): Promise<void> => vi.waitFor(() => expect(model.inFlight).toBeGreaterThan(0));

test("progress over several rounds tells of what each adds, and of the analysis once", async () => {
  const look = "<analysis>One more.</analysis><tasks><task id='price'><type>t</type><description>Find the price.</description></task></tasks>";
  const plan = ({ prompt }: { prompt: string }): string => (prompt.includes("Your plan has been carried out") ? look : planOf("keep"));
  const { divvy } = anOrchestrator({ plan }, { limits: { rounds: 2 } });
  const { finalStep } = await generateText({ model: runAsModel(divvy), prompt: "Describe the bottle" });
  const lines = (finalStep.reasoningText ?? "").split("\n");
  expect(lines.filter((line) => line.includes("Facts and a story."))).toHaveLength(1);
  expect(lines).toContain("Round 2: looks at the results.");
  expect(lines).toContain("Added price: Find the price.");
});

describe("generateText over a run", () => {
  test("gives the answer, how the run went as reasoning, and the usage of all its calls", async () => {
    const { divvy, model } = anOrchestrator({ plan: planOf("merge", ' after="facts"') });
    const start = vi.spyOn(divvy, "start");
    const result = await generateText({ model: runAsModel(divvy), prompt });
    expect(result.text).toBe("Red, then blue.");
    expect(result.finalStep.reasoningText).toBe(
      "Started facts: List the facts.\nPlanned 2 subtasks: facts and story. Facts and a story.\nDone facts.\nStarted story: Tell the story.\nDone story.\nWriting the answer.\n",
    );
    expect(model.calls).toHaveLength(4);
    const run = start.mock.results[0]?.value;
    const outcome = await run.outcome;
    expect(result.usage).toMatchObject({ inputTokens: outcome.usage.inputTokens, outputTokens: outcome.usage.outputTokens });
    expect(result.usage.inputTokens).toBeGreaterThan(outcome.usage.byRole.orchestrator.inputTokens);
    expect(result.finishReason).toBe("stop");
    expect(result.warnings).toEqual([]);
    expect(result.finalStep.providerMetadata).toEqual({ divvy: { runId: run.runId, status: "ok", calls: 4, coverage: outcome.coverage } });
    expect(result.finalStep.response).toMatchObject({ id: run.runId, modelId: "orchestrator" });
  });

  test("tells cached and reasoning tokens as providers do, and the cost where prices are known", async () => {
    const { model } = anOrchestrator({ plan: { text: "<answer>Blue.</answer>", usage: { inputTokens: 10, outputTokens: 8, reasoningTokens: 3 } } });
    const divvy = new FlexibleOrchestrator({ orchestrator: { model, price: { input: 1, output: 2 } }, model });
    const { usage, finalStep } = await generateText({ model: runAsModel(divvy), prompt });
    expect(usage).toMatchObject({ inputTokens: 10, outputTokens: 8, outputTokenDetails: { textTokens: 5, reasoningTokens: 3 } });
    expect(finalStep.providerMetadata?.["divvy"]?.["cost"]).toBeCloseTo(26e-6);
  });

  test("takes the user's last message for the task, and what was said before for context", async () => {
    const { divvy, model } = anOrchestrator();
    const messages = [
      { role: "user", content: "What is it?" },
      { role: "assistant", content: "A bottle." },
      { role: "user", content: "Describe it." },
    ] as const;
    await generateText({ model: runAsModel(divvy), instructions: "Be brief.", messages: [...messages] });
    for (const said of ["instructions: Be brief.", "user: What is it?\n\nassistant: A bottle.", "Describe it."]) {
      for (const call of model.calls) expect(call.prompt).toContain(said);
    }
  });

  test("gives a partial answer with a warning, and what is missing as metadata", async () => {
    const { divvy } = anOrchestrator({ story: { fault: { kind: "status", status: 400 } } });
    const { text, finishReason, rawFinishReason, warnings, finalStep } = await generateText({ model: runAsModel(divvy), prompt });
    expect(text).toContain("It is blue.");
    expect([finishReason, rawFinishReason]).toEqual(["stop", "partial"]);
    expect(warnings).toEqual([{ type: "other", message: expect.stringMatching(/^The answer is partial: .+/) }]);
    expect(finalStep.providerMetadata?.["divvy"]).toMatchObject({ status: "partial", error: { code: "incomplete" }, coverage: { missing: [{ id: "story" }] } });
  });

  test("throws what went wrong, readable and with the run to resume, and is not tried again", async () => {
    const { divvy, model } = anOrchestrator({ plan: { fault: { kind: "status", status: 500 } } }, { retry: { attempts: 1 } });
    const start = vi.spyOn(divvy, "start");
    const thrown: unknown = await generateText({ model: runAsModel(divvy), prompt, maxRetries: 5 }).catch((error) => error);
    expect(thrown).toBeInstanceOf(DivvyError);
    const { runId } = start.mock.results[0]?.value ?? {};
    expect(thrown).toMatchObject({ retryable: false, message: expect.stringContaining("scripted"), hint: expect.stringContaining(`Run ${runId}.`) });
    expect(start).toHaveBeenCalledTimes(1);
    expect(model.calls.length).toBeGreaterThan(0);
  });

  test("is stopped by its abort signal, and ends with the signal's own reason", async () => {
    const { divvy, model } = anOrchestrator({ facts: silent, story: silent });
    const abort = new AbortController();
    const asked = generateText({ model: runAsModel(divvy), prompt, abortSignal: abort.signal });
    const thrown = asked.then(
      () => undefined,
      (error: unknown) => error,
    );
    await inFlight(model);
    abort.abort();
    expect(await thrown).toMatchObject({ name: "AbortError" });
    expect(model.inFlight).toBe(0);
  });

  test("warns of what a run has no use for, and carries it out all the same", async () => {
    const { divvy } = anOrchestrator();
    const look = tool({ description: "Look.", inputSchema: z.object({}), execute: () => "seen" });
    const { text, warnings, steps } = await generateText({
      ...{ model: runAsModel(divvy), prompt, temperature: 0.5, maxOutputTokens: 100, tools: { look }, stopWhen: stepCountIs(3) },
    });
    expect(text).toContain("It is blue.");
    expect(steps).toHaveLength(1);
    expect((warnings ?? []).map((warning) => "feature" in warning && warning.feature)).toEqual(["maxOutputTokens", "temperature", "tools"]);
  });

  test("keeps to the budget it is given", async () => {
    const { divvy, model } = anOrchestrator();
    const { finalStep } = await generateText({ model: runAsModel(divvy, { budget: { calls: 2 }, modelId: "small" }), prompt });
    expect(finalStep.providerMetadata?.["divvy"]).toMatchObject({ status: "partial" });
    expect(model.calls).toHaveLength(2);
  });
});

describe("streamText over a run", () => {
  test("streams progress as reasoning, then the answer as text in the pieces in which it comes", async () => {
    const { divvy } = anOrchestrator({ plan: planOf("merge"), answer: { text: "Red, then blue.", chunkSize: 5, chunkMs: 1 } });
    const result = streamText({ model: runAsModel(divvy), prompt });
    const parts = await Array.fromAsync(result.stream);
    const types = parts.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);
    expect(types).toEqual([
      "start",
      "start-step",
      "reasoning-start",
      "reasoning-delta",
      "reasoning-end",
      "text-start",
      "text-delta",
      "text-end",
      "finish-step",
      "finish",
    ]);
    expect(parts.filter(({ type }) => type === "text-delta").length).toBeGreaterThan(1);
    expect(await result.text).toBe("Red, then blue.");
    expect((await result.finalStep).reasoningText).toMatch(/^Started facts: List the facts\.\n[^]*Writing the answer\.\n$/);
    expect(await result.finishReason).toBe("stop");
    expect((await result.usage).outputTokens).toBeGreaterThan(0);
    expect((await result.finalStep).providerMetadata).toMatchObject({ divvy: { status: "ok", calls: 4 } });
  });

  test("streams a direct answer as text alone: what is told once it is being written would stand behind it", async () => {
    const { divvy } = anOrchestrator({ plan: "<analysis>One reply does.</analysis><answer>It is a bottle.</answer>" });
    const parts = await Array.fromAsync(streamText({ model: runAsModel(divvy), prompt }).stream);
    expect(parts.map(({ type }) => type).filter((type) => /^(?:text|reasoning)-(?:start|end)$/.test(type))).toEqual(["text-start", "text-end"]);
    expect(parts.filter(({ type }) => type.startsWith("reasoning") || type === "error")).toEqual([]);
  });

  test("never takes back a text that was read: what follows a broken one is the outcome's", async () => {
    const { divvy } = anOrchestrator({
      plan: planOf("merge"),
      answer: { text: "Red, and then something", chunkSize: 4, chunkMs: 5, fault: { kind: "cut", afterChunks: 3 } },
    });
    const start = vi.spyOn(divvy, "start");
    const read = await Array.fromAsync(streamText({ model: runAsModel(divvy), prompt }).textStream);
    const outcome = await start.mock.results[0]?.value.outcome;
    expect(read.join("")).toBe(outcome.text);
    expect(read.join("")).toMatch(/^Red, [^]*It is blue\./);
  });

  test("ends a failed run with an error part, and a finish that says so", async () => {
    const { divvy } = anOrchestrator({ plan: unauthorized });
    const errors: unknown[] = [];
    const result = streamText({ model: runAsModel(divvy), prompt, onError: ({ error }) => void errors.push(error) });
    await result.consumeStream();
    expect(errors).toEqual([expect.objectContaining({ name: "DivvyError", code: "authentication", retryable: false })]);
    expect([await result.finishReason, await result.rawFinishReason]).toEqual(["error", "failed"]);
    expect((await result.finalStep).providerMetadata).toMatchObject({ divvy: { status: "failed", error: { code: "authentication" } } });
  });

  test("is stopped by its abort signal, which the AI SDK tells as an abort", async () => {
    const { divvy, model } = anOrchestrator({ facts: silent, story: silent });
    const start = vi.spyOn(divvy, "start");
    const abort = new AbortController();
    const result = streamText({ model: runAsModel(divvy), prompt, abortSignal: abort.signal });
    const parts = Array.fromAsync(result.stream);
    await inFlight(model);
    abort.abort();
    expect((await parts).map(({ type }) => type)).toContain("abort");
    expect(await start.mock.results[0]?.value.outcome).toMatchObject({ status: "aborted" });
    expect(model.inFlight).toBe(0);
  });

  test("stops the run when its reader goes away", async () => {
    const { divvy, model } = anOrchestrator({ facts: silent, story: silent });
    const start = vi.spyOn(divvy, "start");
    const { stream } = await runAsModel(divvy).doStream({ prompt: [{ role: "user", content: [{ type: "text", text: prompt }] }] });
    const reader = stream.getReader();
    while ((await reader.read()).value?.type !== "reasoning-delta");
    await reader.cancel();
    expect(await start.mock.results[0]?.value.outcome).toMatchObject({ status: "aborted" });
    expect(model.inFlight).toBe(0);
  });
});

describe("as a model", () => {
  test("is what the AI SDK takes for one", () => {
    expectTypeOf(runAsModel).returns.toExtend<LanguageModel>();
    expectTypeOf(new FlexibleOrchestrator()).toExtend<Parameters<typeof runAsModel>[0]>();
  });

  test("starts nothing where the signal is aborted already, or there is no task", async () => {
    const { divvy } = anOrchestrator();
    const start = vi.spyOn(divvy, "start");
    const model = runAsModel(divvy);
    const { signal } = new AbortController();
    const aborted = AbortSignal.abort(new Error("no longer wanted"));
    await expect(model.doGenerate({ prompt: [{ role: "user", content: [{ type: "text", text: prompt }] }], abortSignal: aborted })).rejects.toThrow(
      "no longer wanted",
    );
    await expect(model.doStream({ prompt: [], abortSignal: signal })).rejects.toThrow("There is no task");
    expect(start).not.toHaveBeenCalled();
  });

  test("gives an object where the orchestrator's answer has that form, and the warning says whose form it is", async () => {
    const schema = z.object({ colour: z.string() });
    const { divvy } = anOrchestrator({ answer: '{"colour":"red"}' }, { synthesizer: { output: schema } });
    const { output, warnings } = await generateText({ model: runAsModel(divvy), prompt, output: Output.object({ schema }) });
    expect(output).toEqual({ colour: "red" });
    expect(warnings).toEqual([{ type: "unsupported", feature: "responseFormat", details: expect.stringContaining("`synthesizer.output`") }]);
  });

  test("is itself a worker's model of another orchestrator", async () => {
    const inner = anOrchestrator();
    const outer = anOrchestrator();
    const divvy = new FlexibleOrchestrator({ model: outer.model, worker: { model: runAsModel(inner.divvy), id: "divided" } });
    const outcome = await divvy.orchestrate(prompt);
    expect(outcome).toMatchObject({ status: "ok", results: [{ result: expect.stringContaining("It is blue.") }, { status: "done" }] });
  });

  test("works over HTTP: provider, run and streamText", async () => {
    await using server = await providerServer(
      [
        { when: "You are the orchestrator", reply: { text: planOf("merge"), chunkSize: 12 } },
        { when: "Several workers each", reply: "Red, then blue." },
        { when: "You carry out one subtask", reply: "It is blue." },
      ],
      { vary: false },
    );
    const provider = createOpenAICompatible({ name: "double", baseURL: server.openaiBaseUrl, includeUsage: true });
    const result = streamText({ model: runAsModel(new FlexibleOrchestrator({ model: provider("m") })), prompt });
    expect((await Array.fromAsync(result.textStream)).join("")).toBe("Red, then blue.");
    expect(server.requests).toHaveLength(4);
    expect((await result.usage).totalTokens).toBeGreaterThan(0);
    expect((await result.finalStep).providerMetadata).toMatchObject({ divvy: { status: "ok", coverage: { done: 2 } } });
  });
});

test("options that do not exist, or are out of bounds, are refused when the model is made", () => {
  const { divvy } = anOrchestrator({ plan: planOf("keep") });
  for (const options of [{ budgets: { usd: 1 } }, { budget: { usd: -1 } }, { concurrency: 0 }, { modelId: "" }])
    expect(() => Reflect.apply(runAsModel, undefined, [divvy, options])).toThrow(expect.objectContaining({ code: "invalid_option" }));
});
