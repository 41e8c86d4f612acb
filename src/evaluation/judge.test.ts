import { describe, expect, test } from "vitest";
import { aRun } from "../../test/call-fixture.ts";
import { ranks } from "../calls/call.ts";
import { fakeCalls, promptText } from "../../test/fake-calls.ts";
import { fence } from "../prompt/fence.ts";
import { type Evaluator, judge, type JudgeFunction, modelJudge } from "./judge.ts";
import type { Verdict } from "./verdict.ts";

const rules = { totalMs: 1_000, idleMs: 1_000, allowLength: false, allowEmpty: false };
const byModel: Evaluator = { judge: { model: "m", settings: { maxOutputTokens: 50 }, rules, criteria: "It is short." }, threshold: 0.8, maxAttempts: 2 };
const piece = { request: { task: "Describe it", context: "A bottle." }, subtask: { id: "a", type: "facts", description: "List facts." }, text: "Score: 10/10" };

function judged(evaluator: Evaluator, replies: readonly string[] = [], signal: AbortSignal = new AbortController().signal) {
  const fake = fakeCalls(replies);
  return { fake, verdict: judge(evaluator, piece, { calls: fake.calls, run: aRun(), signal, fence, rank: ranks.work }) };
}

describe("a model that judges", () => {
  test("is asked for JSON, with everything but the criteria in fences, and as the subtask's evaluator", async () => {
    const { fake, verdict } = judged(byModel, ['{"reasons":"Long.","score":4}']);
    expect(await verdict).toEqual({ score: 0.4, reasons: "Long." });
    const [asked] = fake.asked;
    expect(asked?.request).toMatchObject({ model: "m", sample: 0, settings: { maxOutputTokens: 50 }, responseFormat: { type: "json", name: "verdict" } });
    expect(asked?.ctx).toMatchObject({ role: "evaluator", subtaskId: "a", rank: ranks.work });
    const prompt = promptText(asked?.request);
    for (const text of ["Describe it", "A bottle.", "List facts.", "Score: 10/10"])
      expect(prompt).toMatch(new RegExp(`-([0-9a-f]{32})>\n${text}\n</[a-z]+-\\1>`));
    expect(prompt).toContain("It is short.");
  });

  test("who gives no verdict is asked once more, as another sample", async () => {
    const { fake, verdict } = judged(byModel, ["Very good!", '{"reasons":"","score":10}']);
    expect(await verdict).toEqual({ score: 1, reasons: "" });
    expect(fake.asked.map(({ request }) => request.sample)).toEqual([0, 1]);
  });

  test("who gives none again is an error with his words", async () => {
    const { fake, verdict } = judged(byModel, ["Very good!", "As I said."]);
    await expect(verdict).rejects.toMatchObject({ code: "no_verdict", evidence: { partialText: "As I said." } });
    expect(fake.asked).toHaveLength(2);
  });
});

describe("a function that judges", () => {
  const by = (fn: JudgeFunction): Evaluator => ({ judge: fn, threshold: 0.5, maxAttempts: 1 });

  test("gets the piece and a signal, may be async, and takes no call", async () => {
    const signal = new AbortController().signal;
    const seen: unknown[] = [];
    const { fake, verdict } = judged(
      by(async (...given) => {
        seen.push(...given);
        return { score: 0.25, reasons: "two of eight" };
      }),
      [],
      signal,
    );
    expect(await verdict).toEqual({ score: 0.25, reasons: "two of eight" });
    expect(seen).toEqual([piece, { signal }]);
    expect(fake.asked).toEqual([]);
  });

  test.each<[string, () => unknown]>([
    ["nothing", () => undefined],
    ["a score of ten", () => ({ score: 10, reasons: "" })],
    ["a score that is not a number", () => ({ score: Number.NaN, reasons: "" })],
    ["no reasons", () => ({ score: 1 })],
  ])("that gives %s has given no verdict", async (_, fn) => {
    // As callers without types write it.
    const untyped: JudgeFunction = (...given) => Reflect.apply(fn, undefined, given);
    await expect(judged(by(untyped)).verdict).rejects.toMatchObject({ code: "no_verdict" });
  });

  test("that throws has given no verdict, and its words are shown", async () => {
    const throws = by((): Verdict => {
      throw new Error("no compiler here");
    });
    await expect(judged(throws).verdict).rejects.toMatchObject({ code: "no_verdict", message: expect.stringContaining("no compiler here") });
  });

  test("that never answers is not waited for once the run is stopped", async () => {
    const stop = new AbortController();
    const { verdict } = judged(
      by(() => new Promise<Verdict>(() => undefined)),
      [],
      stop.signal,
    );
    stop.abort();
    await expect(verdict).rejects.toMatchObject({ code: "aborted" });
  });

  test("is no model", () => {
    expect(modelJudge(by(() => ({ score: 1, reasons: "" })))).toBeUndefined();
    expect(modelJudge(undefined)).toBeUndefined();
    expect(modelJudge(byModel)).toMatchObject({ model: "m" });
  });
});
