import { describe, expect, test } from "vitest";
import { readVerdict } from "./verdict.ts";

describe("a verdict", () => {
  test.each([
    ["as it was asked for", '{"reasons": "Short.", "score": 7}'],
    ["with prose and a code fence around it", 'Here it is:\n```json\n{"score": 7, "reasons": " Short. "}\n```\nThat is all.'],
    ["with braces in its reasons, and more keys", '{"reasons": "Short.", "score": 7, "more": {"x": 1}}'],
  ])("is read %s", (_, reply) => {
    expect(readVerdict(reply)).toEqual({ score: 0.7, reasons: "Short." });
  });

  test.each([
    ["", "nothing"],
    ["I would say 7.", "no JSON"],
    ['{"score": 7}', "no reasons"],
    ['{"reasons": "Short."}', "no score"],
    ['{"reasons": "Short.", "score": 11}', "a score that is too high"],
    ['{"reasons": "Short.", "score": -1}', "a score that is too low"],
    ['{"reasons": "Short.", "score": "7"}', "a score that is no number"],
    ['{"reasons": ["Short."], "score": 7}', "reasons that are no text"],
    ['{"reasons": "Short.", "score": 7', "JSON that is cut off"],
    ["[7]", "a list"],
    ["} {", "braces the wrong way round"],
  ])("is not read from %j: %s", (reply) => {
    expect(readVerdict(reply)).toBeUndefined();
  });
});
