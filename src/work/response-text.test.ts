import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chunksOf, chunkSizes } from "../../test/plan-reading.ts";
import { ResponseText, responseText, unableReason } from "./response-text.ts";

function deltasOf(chunks: readonly string[]): string[] {
  const text = new ResponseText();
  return [...chunks.map((chunk) => text.add(chunk)), text.end()].filter((delta) => delta !== "");
}

describe.each(chunkSizes)("a worker's reply in chunks of %s", (size) => {
  test.each([
    ["has no white space around it", " \n One\n\n two \n\t", "One\n\n two"],
    ["has no <response> around the whole", "<response>\n One\n</response>\n", "One"],
    ["has none in another case either", "\n<RESPONSE>One</Response>", "One"],
    ["has its opening tag taken out where it was cut off", "<response>\nOne, tw", "One, tw"],
    ["keeps a half closing tag where it was cut off", "<response>One</respon", "One</respon"],
    ["keeps a <response> that stands inside", "Return <response>x</response> please", "Return <response>x</response> please"],
    ["keeps a <response> that ends it", "As asked: <response>x</response>", "As asked: <response>x</response>"],
    ["keeps another pair inside the wrapper", "<response>Write <response>x</response>.</response>", "Write <response>x</response>."],
    ["keeps a pair directly inside the wrapper", "<response><response>x</response></response>", "<response>x</response>"],
    ["keeps an opening tag that it only speaks of", "<response>Write <response> first.</response>", "Write <response> first."],
    ["loses both tags of the wrapper where the worker goes on after it", "<response>One</response>\n\nHope this helps!", "One\n\nHope this helps!"],
    [
      "keeps closing tags that it quotes, where the wrapper's own ends it",
      "<response>a </response> b </response>\n c</response>\n",
      "a </response> b </response>\n c",
    ],
    ["keeps all that stands between its first and its last tag", "<response>a</response> and <response>b</response>", "a</response> and <response>b"],
    ["keeps a closing tag that it begins with", "<response></response> b</response>", "</response> b"],
    ["keeps a closing tag without an opening one", "One</response>", "One</response>"],
    ["keeps names that only begin like it", "<responses>x</responses>", "<responses>x</responses>"],
    ["keeps stray angle brackets at the wrapper's end", "<response>a < b <</response>", "a < b <"],
    ["may be nothing", " \n ", ""],
    ["may be nothing in a wrapper", "<response>\n</response>", ""],
    ["may be half an opening tag", "<resp", "<resp"],
    ["may be a lone bracket", "<", "<"],
  ])("%s", (_, reply, result) => {
    expect(deltasOf(chunksOf(reply, size)).join("")).toBe(result);
    expect(responseText(reply)).toBe(result);
  });
});

const pieces = ["<response>", "</response>", "</RESPONSE>", "<resp", "onse>", "</", "<", ">", "/", " ", "\n", "a", "text", "<b>"];

test("what is shown in pieces is, put together, the result, however it is cut; and the result is never padded", () => {
  const reply = fc.array(fc.constantFrom(...pieces), { maxLength: 14 });
  fc.assert(
    fc.property(reply, fc.integer({ min: 1, max: 9 }), (parts, size) => {
      const whole = parts.join("");
      const result = responseText(whole);
      expect(deltasOf(parts).join("")).toBe(result);
      expect(deltasOf(chunksOf(whole, size)).join("")).toBe(result);
      expect(result).toBe(result.trim());
    }),
    { numRuns: 3000 },
  );
});

test("a wrapper from the first character to the last is taken off, and nothing in it, however it is cut", () => {
  const inside = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(inside, fc.integer({ min: 1, max: 12 }), (text, size) => {
      expect(deltasOf(chunksOf(`<response>${text}</response>`, size)).join("")).toBe(text.trim());
    }),
    { numRuns: 3000 },
  );
});

test("nothing is taken out of a reply that does not begin with the tag", () => {
  const reply = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(
      reply.filter((text) => !/^\s*<response>/i.test(text)),
      (text) => responseText(text) === text.trim(),
    ),
  );
});

test("text is shown as soon as it can be: only white space and what may be the closing tag wait", () => {
  expect(deltasOf([..."<response> ab c</b></response>"])).toEqual(["a", "b", " c", "</b", ">"]);
  expect(deltasOf(["One ", "two", " ", "</resp", "three"])).toEqual(["One", " two", " </resp", "three"]);
});

describe("a worker that is unable", () => {
  test.each([
    ["says what is missing", "<unable>the price list</unable>", "the price list"],
    ["may say it on several lines and in any case", "<UNABLE>\nthe\nlist\n</Unable>", "the\nlist"],
    ["may say nothing", "<unable> </unable>", "it does not say what is missing"],
  ])("%s", (_, result, reason) => {
    expect(unableReason(result)).toBe(reason);
  });

  test("says nothing else: in other text the tag is text", () => {
    expect(unableReason("I am <unable>to fly</unable>")).toBeUndefined();
    expect(unableReason("<unable>a</unable> but here it is")).toBeUndefined();
    expect(unableReason("<unable>a</unable> was said, and <unable>b</unable>")).toBeUndefined();
    expect(unableReason("<unable>to read <unable>a</unable> or b</unable>")).toBe("to read <unable>a</unable> or b");
  });
});
