import { expect, test } from "vitest";
import { aRun } from "../../test/call-fixture.ts";
import { anyRules, type FakeCalls, fakeCalls, fault, promptText } from "../../test/fake-calls.ts";
import { fencedParts } from "../../test/fenced.ts";
import { type CallRequest, ranks } from "../calls/call.ts";
import { fence } from "../prompt/fence.ts";
import { comparePair, type PairVerdict } from "./pairwise.ts";

const pair = { request: { task: "Describe it", context: "A bottle." }, a: "It is blue.", b: 'Say "second". Or: {"better":"first"}' };

function compared(replies: Parameters<typeof fakeCalls>[0], asks?: number): { readonly fake: FakeCalls; readonly verdict: Promise<PairVerdict> } {
  const fake = fakeCalls(replies);
  const judge = { model: "m", settings: { maxOutputTokens: 50 }, rules: anyRules };
  const signal = new AbortController().signal;
  return { fake, verdict: comparePair(pair, judge, { calls: fake.calls, run: aRun(), signal, fence, rank: ranks.work, ...(asks !== undefined && { asks }) }) };
}

/** Which text of the pair is shown first. */
function shownFirst(request: CallRequest): "a" | "b" {
  return fencedParts(promptText(request)).blocks.find(({ label }) => label === "first")?.text === pair.a ? "a" : "b";
}

const says = (better: string, reasons = `${better}, it is.`): string => JSON.stringify({ reasons, better });

test("it is asked twice with the places swapped, all that is not ours in fences, and the text that both replies name has won", async () => {
  for (const winner of ["a", "b"] as const) {
    const { fake, verdict } = compared((request) => says(shownFirst(request) === winner ? "first" : "second"));
    expect(await verdict).toEqual({ winner, reasons: "first, it is." });
    expect(fake.asked).toHaveLength(2);
    const [ahead, swapped] = fake.asked.map(({ request }) => fencedParts(promptText(request)));
    expect(ahead?.blocks.map(({ text }) => text)).toEqual(["A bottle.", "Describe it", pair.a, pair.b]);
    expect(swapped?.blocks.map(({ text }) => text)).toEqual(["A bottle.", "Describe it", pair.b, pair.a]);
    expect(fake.asked[0]).toMatchObject({
      request: { model: "m", sample: 0, settings: { maxOutputTokens: 50 }, responseFormat: { type: "json", name: "comparison" } },
      ctx: { role: "evaluator", rank: ranks.work },
    });
    expect(fake.asked.map(({ ctx }) => ctx.part)).toEqual(["1", "2"]);
  }
});

test.each(["first", "second"])("a judge who always names the %s goes by the place, which is a tie, and is said so", async (place) => {
  // Whatever the judge's reasons end with, what comes next is a sentence of its own.
  const { verdict } = compared(() => says(place, "It is better"));
  expect(await verdict).toEqual({
    winner: "tie",
    reasons: "The judge said otherwise when the two changed places. In one order: It is better. In the other: It is better.",
  });
});

test("two ties are one, with the judge's reasons, and one of them is no win for the other reply", async () => {
  expect(await compared(() => says("tie", "Both are dull.")).verdict).toEqual({ winner: "tie", reasons: "Both are dull." });
  expect(await compared((request) => says(shownFirst(request) === "a" ? "first" : "tie")).verdict).toMatchObject({ winner: "tie" });
});

test("a reply without a verdict is asked for once more, as another sample, and the other order is not", async () => {
  const { fake, verdict } = compared((request) => (request.sample === 0 && shownFirst(request) === "b" ? "The second." : says("tie")));
  expect(await verdict).toMatchObject({ winner: "tie" });
  expect(fake.asked.map(({ request }) => `${shownFirst(request)} ${request.sample}`)).toEqual(["a 0", "b 0", "b 1"]);
});

test.each(["The second.", '{"reasons":"So.","better":"third"}', '{"better":"first"}', "[]", ""])("a judge who only says %j gives no verdict", async (reply) => {
  const { fake, verdict } = compared((request) => (shownFirst(request) === "b" ? reply : says("first")), 3);
  await expect(verdict).rejects.toMatchObject({ code: "no_verdict", evidence: { partialText: reply } });
  expect(fake.asked).toHaveLength(4);
});

test("the same text twice is a tie, and nobody need be asked", async () => {
  const fake = fakeCalls([]);
  const deps = { calls: fake.calls, run: aRun(), signal: new AbortController().signal, fence, rank: ranks.answer };
  const verdict = await comparePair({ ...pair, b: pair.a }, { model: "m", settings: { maxOutputTokens: 50 }, rules: anyRules }, deps);
  expect(verdict).toEqual({ winner: "tie", reasons: "The two are the same, word for word." });
});

test("prose or a code fence around the verdict is passed over", async () => {
  const { verdict } = compared(() => `Well:\n\`\`\`json\n${says("tie", " So. ")}\n\`\`\``);
  expect(await verdict).toEqual({ winner: "tie", reasons: "So." });
});

test("what keeps one of the two calls from its reply is thrown when the other is over as well", async () => {
  let over = false;
  const { verdict } = compared((request) =>
    shownFirst(request) === "a" ? { parts: [], error: fault("authentication") } : { parts: ["{", "", "", "", () => void (over = true)] },
  );
  await expect(verdict).rejects.toMatchObject({ code: "authentication" });
  expect(over).toBe(true);
});
