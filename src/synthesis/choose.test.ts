import { expect, test } from "vitest";
import { aRun } from "../../test/call-fixture.ts";
import { anyRules, fakeCalls, promptText } from "../../test/fake-calls.ts";
import { fencedParts } from "../../test/fenced.ts";
import { type CallRequest, ranks as callRanks } from "../calls/call.ts";
import { fence } from "../prompt/fence.ts";
import { type Choice, chooseByPairs } from "./choose.ts";

type Better = "first" | "second" | "tie";

const result = (id: string): { id: string; type: string; description: string; result: string } => ({
  id,
  type: "t",
  description: "d",
  result: `Text of ${id}.`,
});

/** Two ids as a comparison shows them, first and second. */
function shown(request: CallRequest): string {
  const { blocks } = fencedParts(promptText(request));
  return ["first", "second"].map((place) => /Text of (\w+)/.exec(blocks.find(({ label }) => label === place)?.text ?? "")?.[1]).join(" ");
}

/** Chooses among `ids`, where a higher rank is better, and equal ones tie. */
async function chosen(
  ids: string,
  ranks: Readonly<Record<string, number>>,
  sample = 0,
): Promise<Choice & { readonly asked: string[]; readonly samples: number[] }> {
  const fake = fakeCalls((request) => {
    if (request.sample < 2 * sample) return "No verdict.";
    const [first = "", second = ""] = shown(request).split(" ");
    const ahead = (ranks[first] ?? 0) - (ranks[second] ?? 0);
    const better: Better = ahead === 0 ? "tie" : ahead > 0 ? "first" : "second";
    return JSON.stringify({ reasons: `${first} or ${second}.`, better });
  });
  const [first = "", ...others] = ids.split(" ");
  const deps = { calls: fake.calls, run: aRun(), signal: new AbortController().signal, fence, rank: callRanks.answer, sample };
  const judge = { model: "m", settings: { maxOutputTokens: 50 }, rules: anyRules };
  const choice = await chooseByPairs([result(first), ...others.map(result)], { task: "T", context: "" }, judge, deps);
  return { ...choice, asked: fake.asked.map(({ request }) => shown(request)), samples: fake.asked.map(({ request }) => request.sample) };
}

test("the best so far is compared with the next one, in either order: one comparison less than there are results", async () => {
  const { asked, ...choice } = await chosen("a b c d", { a: 1, b: 3, c: 2, d: 3.5 });
  expect(choice).toMatchObject({ result: { id: "d" }, reason: "d or b.", ties: [] });
  expect(asked).toEqual(["a b", "b a", "b c", "c b", "b d", "d b"]);
});

test("a tie keeps the earlier one, and is said: in the reason too", async () => {
  expect(await chosen("a b c d", { a: 1, b: 2, c: 2, d: 2 })).toMatchObject({
    result: { id: "b" },
    reason: "As good: c, d; the earlier one stands. b or a.",
    ties: ["c", "d"],
  });
});

test("a tie with one that is beaten later is none with the winner", async () => {
  expect(await chosen("a b c", { a: 1, b: 1, c: 2 })).toMatchObject({ result: { id: "c" }, reason: "c or a.", ties: [] });
});

test("where all are as good, the first stands", async () => {
  expect(await chosen("a b", { a: 1, b: 1 })).toMatchObject({ result: { id: "a" }, reason: "As good: b; the earlier one stands. a or b.", ties: ["b"] });
});

test("what was asked without a verdict before is asked past", async () => {
  const { samples, result: best } = await chosen("a b", { a: 1, b: 2 }, 1);
  expect(best.id).toBe("b");
  expect([Math.max(...samples), samples.length]).toEqual([2, 6]);
});
