import { describe, expect, test } from "vitest";
import { fitsAsItIs, fully, levelsAhead, roomsOf, usually } from "./rooms.ts";

const input = { contextTokens: 32_000, maxOutputTokens: 16_384, thinking: 0, remarks: [], answerFrame: 500, frame: 400 };

describe("a window is shared out", () => {
  test("so that prompt and reply stay within it, by an eighth less than it is said to be", () => {
    const rooms = roomsOf(input);
    expect(rooms).toMatchObject({ usable: 28_000, answerCap: 9_333 });
    expect((rooms?.answerReads ?? 0) + (rooms?.answerCap ?? 0) + input.answerFrame).toBe(28_000);
    expect((rooms?.reads ?? 0) + 2 * (rooms?.cap ?? 0) + input.frame).toBeLessThanOrEqual(28_000);
  });

  test("with room for what a judge says of an answer, and for the answer itself, which a further try reads", () => {
    const rooms = roomsOf({ ...input, remarks: [4_096] });
    expect(rooms?.answerReads).toBe(28_000 - 500 - 2 * 9_333 - 4_096);
    expect(fitsAsItIs({ ...input, maxOutputTokens: 5_000 }, 20_000)).toBe(true);
    expect(fitsAsItIs({ ...input, maxOutputTokens: 5_000, remarks: [4_096] }, 20_000)).toBe(false);
  });

  test("as if no answer was written again where there is no room for that", () => {
    const small = { ...input, contextTokens: 8_000, maxOutputTokens: 3_000 };
    expect(roomsOf({ ...small, remarks: [4_096, 1_000] })).toEqual(roomsOf(small));
  });

  test("with what a model may think on top of each reply", () => {
    const rooms = roomsOf({ ...input, thinking: 2_000 });
    expect((rooms?.reads ?? 0) + 2 * ((rooms?.cap ?? 0) + 2_000) + input.frame).toBeLessThanOrEqual(28_000);
    expect(roomsOf({ ...input, thinking: 12_000 })?.answerCap).toBe(13_024);
  });

  test("in a large one a reduction reads no more than eight times what it may write", () => {
    expect(roomsOf({ ...input, contextTokens: 1_000_000 })).toMatchObject({ cap: 16_384, reads: 8 * 16_384 });
  });

  test("not where what must be read in any case leaves no room", () => {
    expect(roomsOf({ ...input, answerFrame: 18_000 })).toBeUndefined();
    expect(roomsOf({ ...input, frame: 27_000 })).toBeUndefined();
  });
});

test("what reductions take ahead: none where all fits, else levels that end where the rest can be read", () => {
  const rooms = roomsOf(input) ?? expect.fail();
  expect(levelsAhead(rooms, rooms.answerReads, fully)).toEqual([]);
  const levels = levelsAhead(rooms, 2_000_000, fully);
  expect(levels.map(({ leaves }) => leaves)).toEqual([500_000, 125_000, 31_250, 7_813]);
  expect(levels[0]?.inputTokens).toBeGreaterThan(2_000_000);
  expect(levelsAhead(rooms, 2_000_000, usually).length).toBeLessThan(levels.length + 1);
});
