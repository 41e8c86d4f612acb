import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DivvyError, errorCodes, type ErrorCode } from "../errors.ts";
import { testRuntime } from "../testing/virtual-clock.ts";
import { AttemptFailure } from "./attempt-failure.ts";
import { attempted, type RetryRules } from "./attempted.ts";
import type { AttemptContext, CallContext, CallRequest, CallResult } from "./call.ts";
import { aContext, aRequest, aResult, aRun, errorOf, failed, partsSeen, rules, spent } from "../../test/call-fixture.ts";

const retry: RetryRules = { attempts: 3, backoffMs: 1_000, maxBackoffMs: 30_000 };

interface Tried {
  readonly outcome: CallResult | DivvyError;
  /** When each try began, and what it asked for. */
  readonly tries: readonly { readonly at: number; readonly request: CallRequest; readonly attempt: number }[];
  readonly pending: number;
}

type Answer = CallResult | Error;

/** Runs a call whose tries end like this, one after another, the last for ever. */
async function tryWith(
  answers: readonly Answer[],
  change: { ctx?: Partial<CallContext>; retry?: RetryRules; seed?: number; request?: CallRequest; during?: (ctx: AttemptContext) => void } = {},
): Promise<Tried> {
  const runtime = testRuntime({ seed: change.seed ?? 1 });
  const tries: { at: number; request: CallRequest; attempt: number }[] = [];
  const call = attempted(
    change.retry ?? retry,
    runtime,
  )(async (request, ctx) => {
    const answer = answers[Math.min(tries.length, answers.length - 1)];
    tries.push({ at: runtime.clock.now(), request, attempt: ctx.attempt });
    change.during?.(ctx);
    if (answer === undefined || answer instanceof Error) throw answer;
    return answer;
  })(change.request ?? aRequest(), aContext(change.ctx));
  const outcome = call.catch((thrown: unknown) => {
    if (thrown instanceof DivvyError) return thrown;
    throw thrown;
  });
  await runtime.clock.runUntilIdle();
  return { outcome: await outcome, tries, pending: runtime.clock.pending };
}

describe("what is tried again", () => {
  const codes = Object.keys(errorCodes).filter((code): code is ErrorCode => code in errorCodes);
  const again: readonly ErrorCode[] = [
    "rate_limited",
    "overloaded",
    "server_error",
    "connection_failed",
    "stream_broken",
    "invalid_response",
    "idle_timeout",
    "empty_response",
  ];

  test.each(codes.filter((code) => code !== "output_truncated"))("%s", async (code) => {
    const { outcome, tries } = await tryWith([failed(code)]);
    const expected = again.includes(code) ? 3 : 1;
    expect([tries.length, outcome]).toMatchObject([expected, { code, evidence: { attempts: expected } }]);
  });

  test("ends with the first try that succeeds, which says how many it took", async () => {
    const { outcome, tries } = await tryWith([failed("server_error"), failed("idle_timeout"), aResult("third")]);
    expect(outcome).toMatchObject({ attempts: 3, content: [{ text: "third" }] });
    expect(tries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  test("with one attempt allowed is nothing", async () => {
    expect((await tryWith([failed("server_error")], { retry: { ...retry, attempts: 1 } })).tries.length).toBe(1);
  });
});

describe("pauses", () => {
  test("double, jitter over their upper half, and stop growing at the longest", async () => {
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), async (seed) => {
        const { tries } = await tryWith([failed("server_error")], { seed, retry: { attempts: 8, backoffMs: 1_000, maxBackoffMs: 8_000 } });
        const pauses = tries.slice(1).map(({ at }, index) => at - (tries[index]?.at ?? 0));
        const bounds = [1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000];
        expect(pauses.length).toBe(bounds.length);
        for (const [index, bound] of bounds.entries()) {
          expect(pauses[index]).toBeGreaterThanOrEqual(bound / 2);
          expect(pauses[index]).toBeLessThan(bound);
        }
        seen.add(Math.round(pauses[0] ?? 0));
      }),
      { numRuns: 30 },
    );
    expect(seen.size).toBeGreaterThan(20);
  });

  test("are said, with the error, when a try fails, and not after the last", async () => {
    const run = aRun();
    const { tries } = await tryWith([failed("server_error")], { ctx: { run } });
    const pauses = tries.slice(1).map(({ at }, index) => at - (tries[index]?.at ?? 0));
    const said = run.of("attempt.failed");
    expect(said.map(({ attempt, error, role, subtaskId }) => [attempt, error.code, role, subtaskId])).toEqual(
      [1, 2, 3].map((n) => [n, "server_error", "worker", "s1"]),
    );
    expect(said.map(({ retryInMs }) => retryInMs)).toEqual([...pauses.map(Math.round), undefined]);
    expect(said.at(-1)).not.toHaveProperty("retryInMs");
  });

  test("end at once when the call is aborted; the error is the signal's, with what was seen until then", async () => {
    const runtime = testRuntime();
    const abort = new AbortController();
    let tries = 0;
    const call = errorOf(
      attempted(
        retry,
        runtime,
      )(async () => {
        tries++;
        throw failed("stream_broken", { partialText: "half" });
      })(aRequest(), aContext({ signal: abort.signal })),
    );
    await runtime.clock.advance(100);
    abort.abort(new DivvyError("run_timeout", "Over."));
    expect(await call).toMatchObject({ code: "run_timeout", evidence: { attempts: 1, partialText: "half" } });
    expect([tries, runtime.clock.pending, getEventListeners(abort.signal, "abort").length]).toEqual([1, 0, 0]);
  });
});

describe("an abort", () => {
  test("during a try ends the call, whatever the try itself came to", async () => {
    const abort = new AbortController();
    const { outcome, tries } = await tryWith([failed("server_error")], { ctx: { signal: abort.signal }, during: () => abort.abort(new Error("stop")) });
    expect([outcome, tries.length]).toMatchObject([{ code: "aborted", evidence: { attempts: 1 } }, 1]);
  });

  test("is no failed attempt in the events", async () => {
    const abort = new AbortController();
    const run = aRun();
    await tryWith([failed("aborted")], { ctx: { signal: abort.signal, run }, during: () => abort.abort() });
    expect(run.events).toEqual([]);
  });
});

test("a try that was never let out does not count: the error tells of those before it", async () => {
  const timeout = new DivvyError("admission_timeout", "Waited.");
  expect((await tryWith([timeout])).outcome).toMatchObject({ code: "admission_timeout", evidence: { attempts: 0 } });
  expect((await tryWith([failed("server_error"), timeout])).outcome).toMatchObject({ code: "admission_timeout", evidence: { attempts: 1 } });
});

test("where the budget does not allow another try, the error is that of the try before, and says what the budget would have to be", async () => {
  const exhausted = (budget?: { calls: number }): DivvyError => new DivvyError("budget_exhausted", "No more.", budget && { evidence: { budget } });
  const tried = async (refusal: DivvyError) => (await tryWith([failed("server_error", { status: 500 }), refusal])).outcome;
  expect(await tried(exhausted({ calls: 5 }))).toMatchObject({
    code: "server_error",
    message: expect.stringMatching(/\. The run's budget did not allow another try\.$/),
    hint: errorCodes.budget_exhausted.hint,
    evidence: { status: 500, attempts: 1, budget: { calls: 5 } },
  });
  // Its time was over: how much it would take is not known.
  expect(await tried(exhausted())).toMatchObject({ code: "server_error", evidence: { budget: {} } });
  expect((await tryWith([exhausted({ calls: 5 })])).outcome).toMatchObject({ code: "budget_exhausted", evidence: { attempts: 0, budget: { calls: 5 } } });
});

test("whatever a lower layer throws by mistake comes out as a DivvyError", async () => {
  const { outcome, tries } = await tryWith([new RangeError("a fault of ours")]);
  expect([outcome, tries.length]).toMatchObject([{ code: "internal", retryable: false }, 1]);
});

describe("a reply cut at the output cap", () => {
  const cut = (said: string, reasoning?: number): CallResult =>
    aResult(said, { finishReason: { unified: "length", raw: "max_tokens" }, usage: spent(10, 100, reasoning) });

  test("is asked for once more with double the cap, at once", async () => {
    const { outcome, tries } = await tryWith([cut("half"), aResult("whole")]);
    expect(outcome).toMatchObject({ content: [{ text: "whole" }], attempts: 2 });
    expect(tries.map(({ at, request }) => [at, request.settings.maxOutputTokens])).toEqual([
      [0, 100],
      [0, 200],
    ]);
  });

  test("and cut again fails, and says how many tokens went to reasoning", async () => {
    const { outcome, tries } = await tryWith([cut("half"), cut("more of it", 180), aResult("never asked for")]);
    expect(tries.length).toBe(2);
    expect(outcome).toMatchObject({
      code: "output_truncated",
      message: expect.stringMatching(/200 output tokens, 180 of them for reasoning/),
      evidence: { attempts: 2, reasoningTokens: 180, partialText: "more of it", finishReason: "max_tokens" },
    });
  });

  test("keeps its double cap over a further try that failed for another reason", async () => {
    const { tries } = await tryWith([cut("half"), failed("server_error"), aResult("whole")]);
    expect(tries.map(({ request }) => request.settings.maxOutputTokens)).toEqual([100, 200, 200]);
  });

  test("is what is reported where the model does not take the double cap", async () => {
    const { outcome, tries } = await tryWith([cut("half", 90), failed("bad_request", { status: 400 })]);
    expect(tries.length).toBe(2);
    expect(outcome).toMatchObject({
      code: "output_truncated",
      message: expect.stringContaining("its 100 output tokens, 90"),
      evidence: { attempts: 2, partialText: "half" },
    });
  });

  test("counts as a reply where the role allows that, as long as there is text in it", async () => {
    const ctx = { rules: { ...rules, allowLength: true } };
    expect((await tryWith([cut("half")], { ctx })).outcome).toMatchObject({ content: [{ text: "half" }], attempts: 1 });
    expect((await tryWith([cut(" \n")], { ctx })).outcome).toMatchObject({ code: "output_truncated" });
  });
});

describe("a reply that came to its end", () => {
  const ended = (unified: CallResult["finishReason"]["unified"], raw: string | undefined, said = "some text"): CallResult =>
    aResult(said, { finishReason: { unified, raw } });

  test.each<[string, CallResult, ErrorCode, number]>([
    ["with nothing in it is empty, and tried again", ended("stop", "stop", ""), "empty_response", 3],
    ["with white space alone is empty too", ended("stop", "stop", " \n\t"), "empty_response", 3],
    ["as Anthropic's refusal is a refusal", ended("content-filter", "refusal"), "refused", 1],
    ["as OpenAI's refusal is one too: in chat it ends with stop", ended("content-filter", "stop"), "refused", 1],
    ["as OpenAI's refusal is one too: among responses without a reason", ended("content-filter", undefined), "refused", 1],
    ["by OpenAI's filter is filtered", ended("content-filter", "content_filter"), "content_filter", 1],
    ["by Google's filter is filtered", ended("content-filter", "SAFETY"), "content_filter", 1],
    ["with an error is broken", ended("error", undefined), "stream_broken", 3],
    ["for another reason is broken", ended("other", "MALFORMED_RESPONSE"), "stream_broken", 3],
  ])("%s", async (_, reply, code, tries) => {
    const tried = await tryWith([reply]);
    expect([tried.outcome, tried.tries.length]).toMatchObject([{ code }, tries]);
  });

  test("keeps what it had written as evidence, and the provider's own word for its end", async () => {
    expect((await tryWith([ended("content-filter", "SAFETY", "so far")])).outcome).toMatchObject({
      evidence: { partialText: "so far", finishReason: "SAFETY" },
    });
  });

  test("without text counts where whoever asks deals with it, and where it calls a tool that it was offered", async () => {
    expect((await tryWith([ended("stop", "stop", "")], { ctx: { rules: { ...rules, allowEmpty: true } } })).outcome).toMatchObject({ attempts: 1 });
    const call = { type: "tool-call", toolCallId: "c", toolName: "look", input: "{}" } as const;
    const request = aRequest({ tools: [{ type: "function", name: "look", inputSchema: { type: "object" } }] });
    for (const unified of ["stop", "tool-calls"] as const) {
      const reply = aResult("", { content: [call], finishReason: { unified, raw: unified } });
      expect((await tryWith([reply], { request })).outcome).toMatchObject({ attempts: 1 });
      expect((await tryWith([reply])).outcome).toMatchObject({ code: "empty_response" });
    }
  });

  test("with nothing that the role takes for text is empty, cut at its cap too, and tried again", async () => {
    const ctx = { rules: { ...rules, allowLength: true, isEmpty: (text: string) => text === "<response></response>" } };
    const wrapper = aResult("<response></response>");
    expect((await tryWith([wrapper], { ctx })).outcome).toMatchObject({ code: "empty_response", evidence: { attempts: 3 } });
    expect((await tryWith([wrapper, aResult("text")], { ctx })).outcome).toMatchObject({ content: [{ text: "text" }], attempts: 2 });
    expect((await tryWith([{ ...wrapper, finishReason: { unified: "length", raw: "length" } }], { ctx })).outcome).toMatchObject({ code: "output_truncated" });
  });

  test("with reasoning alone is empty: reasoning is no answer", async () => {
    expect((await tryWith([aResult("", { content: [{ type: "reasoning", text: "hm" }] })])).outcome).toMatchObject({ code: "empty_response" });
  });
});

describe("what has been shown", () => {
  test("is taken back before the text of each further try", async () => {
    const { onPart, seen } = partsSeen();
    await tryWith([failed("stream_broken"), failed("stream_broken"), aResult("c")], {
      ctx: { onPart },
      during: ({ attempt, onPart: show }) => show?.({ type: "text", delta: `try ${attempt}` }),
    });
    expect(seen()).toEqual(["text: try 1", "attempt 2", "text: try 2", "attempt 3", "text: try 3"]);
  });

  test("and cannot be taken back ends the call with the partial text, for a cut reply too", async () => {
    for (const answer of [failed("stream_broken", { partialText: "half" }), aResult("half", { finishReason: { unified: "length", raw: "length" } })]) {
      const { onPart, seen } = partsSeen();
      const run = aRun();
      const { outcome, tries, pending } = await tryWith([answer], { ctx: { mayRestart: () => false, onPart, run } });
      expect(outcome).toMatchObject({ evidence: { partialText: "half", attempts: 1 } });
      expect([tries.length, pending, seen()]).toEqual([1, 0, []]);
      expect(run.of("attempt.failed")).toMatchObject([{ attempt: 1 }]);
      expect(run.of("attempt.failed")[0]).not.toHaveProperty("retryInMs");
    }
  });

  test("may leave during a pause: then nothing is written after it", async () => {
    let left = false;
    const runtime = testRuntime();
    runtime.clock.setTimer(100, () => (left = true));
    const { onPart, seen } = partsSeen();
    let tries = 0;
    const call = errorOf(
      attempted(
        retry,
        runtime,
      )(async () => {
        tries++;
        throw failed("stream_broken", { partialText: "half" });
      })(aRequest(), aContext({ onPart, mayRestart: () => !left })),
    );
    await runtime.clock.runUntilIdle();
    expect(await call).toMatchObject({ code: "stream_broken", evidence: { partialText: "half", attempts: 1 } });
    expect([tries, seen()]).toEqual([1, []]);
  });
});

test("no internal failure type leaves the layer", async () => {
  const { outcome } = await tryWith([failed("bad_request")]);
  expect(outcome).toBeInstanceOf(DivvyError);
  expect(outcome).not.toBeInstanceOf(AttemptFailure);
});
