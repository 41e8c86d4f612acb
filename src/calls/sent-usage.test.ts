import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { aRequest, aSentContext, finish, modelThat, text, usageSaid } from "../../test/call-fixture.ts";
import { failureOf, send, sentTo } from "./sent-fixture.ts";

describe("usage", () => {
  test("is the provider's, with its details, where it reports any", async () => {
    const said = { inputTokens: { total: 30, noCache: 10, cacheRead: 15, cacheWrite: 5 }, outputTokens: { total: 9, text: 4, reasoning: 5 } };
    const { usage } = await send([...text("a"), finish("stop", said)]);
    expect(usage).toEqual({
      inputTokens: 30,
      inputTokenDetails: { noCacheTokens: 10, cacheReadTokens: 15, cacheWriteTokens: 5 },
      outputTokens: 9,
      outputTokenDetails: { textTokens: 4, reasoningTokens: 5 },
      totalTokens: 39,
      estimatedTokens: 0,
      presumedTokens: 0,
    });
  });

  test("is estimated where none is reported, and only the estimated part is marked", async () => {
    const long = "many words stand here ".repeat(20);
    const { usage: none } = await send([...text(long), finish("stop", usageSaid(undefined, undefined))]);
    expect(none.inputTokens).toBeGreaterThan(0);
    expect(none.outputTokens).toBeGreaterThan(50);
    expect(none.estimatedTokens).toBe(none.totalTokens);
    const { usage: half } = await send([...text(long), finish("stop", usageSaid(10, undefined))]);
    expect(half).toMatchObject({ inputTokens: 10, outputTokens: none.outputTokens, estimatedTokens: none.outputTokens });
  });

  test("of a broken stream is presumed from all that was written, reasoning included", async () => {
    const thought = "a long thought ".repeat(50);
    const quiet = await failureOf(send([...text("a"), new Error("x")]));
    const thoughtful = await failureOf(send([{ type: "reasoning-delta", id: "r", delta: thought }, ...text("a"), new Error("x")]));
    expect(thoughtful.usage.outputTokens).toBeGreaterThan((quiet.usage.outputTokens ?? 0) + 50);
    expect(thoughtful.usage.presumedTokens).toBe(thoughtful.usage.totalTokens);
  });

  test("is nothing where the provider never took the request on", async () => {
    const failure = await failureOf(sentTo(modelThat(() => Promise.reject(new Error("no"))))(aRequest(), aSentContext()));
    expect([failure.accepted, failure.usage.totalTokens]).toEqual([false, 0]);
  });
});

describe("what an attempt used that was stopped before its headers came", () => {
  // By whom a run may be stopped is said elsewhere, and more may come.
  test.each([
    "aborted",
    "run_timeout",
    "run_taken_over",
    "ledger_busy",
    "ledger_failed",
    "ledger_version",
    "internal",
    "idle_timeout",
    "total_timeout",
  ] as const)("is presumed, whatever stopped it: %s", async (code) => {
    const abort = new AbortController();
    const call = failureOf(sentTo(modelThat(() => new Promise(() => undefined)))(aRequest(), aSentContext({ signal: abort.signal })));
    abort.abort(new DivvyError(code, "Stop."));
    const { accepted, usage } = await call;
    expect(accepted).toBe(false);
    expect(usage.presumedTokens).toBeGreaterThan(0);
  });

  test("is nothing where it had not left", async () => {
    const call = sentTo(modelThat(() => new Promise(() => undefined)))(aRequest(), aSentContext({ signal: AbortSignal.abort() }));
    expect((await failureOf(call)).usage.totalTokens).toBe(0);
  });
});
