import fc from "fast-check";
import { expect, test } from "vitest";
import { estimateInput, estimateText } from "../calls/estimate.ts";
import { groupPieces, pieceTokens } from "./group-pieces.ts";
import { type Piece, reductionMessages } from "./reduction-prompt.ts";
import { capFor, roomsOf } from "./rooms.ts";

const words = (count: number): string => Array.from({ length: count }, (_, n) => (n % 17 === 16 ? "word\n" : `w${n}`)).join(" ");
const piece = (id: number, count: number): Piece => ({ ids: [`${id}`], type: "t", description: "d", text: words(count) });

const frame = estimateInput({ messages: reductionMessages("The task.", [], 1_000_000) });

test("every text is in exactly one group, in order and whole, and no prompt is over the window, its reply at double the cap included", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 9_000 })), { maxLength: 25 }),
      fc.integer({ min: 4_000, max: 20_000 }),
      (counts, contextTokens) => {
        const rooms = roomsOf({ contextTokens, maxOutputTokens: 16_384, thinking: 0, remarks: [], answerFrame: 300, frame });
        if (rooms === undefined) return;
        const pieces = counts.map((count, id) => piece(id, count));
        const groups = groupPieces(pieces, rooms.reads, estimateText);
        const texts = new Map<string, string>();
        const order: string[] = [];
        for (const { ids, text } of groups.flatMap((group) => group.pieces)) {
          const [id = ""] = ids;
          if (!texts.has(id)) order.push(id);
          else expect(order.at(-1)).toBe(id);
          texts.set(id, (texts.get(id) ?? "") + text);
        }
        expect(order).toEqual(pieces.flatMap(({ ids }) => ids));
        expect([...texts.values()]).toEqual(pieces.map(({ text }) => text));
        for (const group of groups) {
          const cap = capFor(rooms, group.tokens);
          expect(estimateInput({ messages: reductionMessages("The task.", group.pieces, cap) }) + 2 * cap).toBeLessThanOrEqual(rooms.usable);
          expect(2 * cap).toBeLessThanOrEqual(Math.ceil(group.tokens / 2) + 2);
        }
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);

test("what fits into one group is in one", () => {
  const pieces = [piece(1, 50), piece(2, 50)];
  const tokens = pieces.reduce((sum, one) => sum + pieceTokens(one, estimateText), 0);
  expect(groupPieces(pieces, tokens, estimateText)).toEqual([{ pieces, tokens }]);
  expect(groupPieces(pieces, tokens - 1, estimateText)).toHaveLength(2);
});

test("the parts of one that is too long say which they are", () => {
  const parts = groupPieces([piece(1, 2_000)], 1_000, estimateText).flatMap((group) => group.pieces);
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.map(({ description }) => description)).toEqual(parts.map((_, n) => `Part ${n + 1} of ${parts.length} of the text. d`));
});
