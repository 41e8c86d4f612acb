import { afterEach, describe, expect, test, vi } from "vitest";
import type { Best } from "../../src/evaluation/best-by-pairs.ts";
import type { Group } from "../../src/synthesis/group-pieces.ts";
import type { Rooms } from "../../src/synthesis/rooms.ts";
import { calm, changeEvent, type Sabotage, unsaid } from "./sabotage.ts";
import type { Schedule } from "./schedule.ts";

const choice = vi.hoisted(() => ({ ends: <T>(best: Best<T>): Best<T> => best }));
vi.mock(import("../../src/evaluation/best-by-pairs.ts"), async (original) => {
  const { bestByPairs } = await original();
  return { bestByPairs: async (of, compare) => choice.ends(await bestByPairs(of, compare)) };
});

const reduction = vi.hoisted(() => ({ groups: (groups: Group[]): Group[] => groups, rooms: (rooms: Rooms): Rooms => rooms }));
vi.mock(import("../../src/synthesis/group-pieces.ts"), async (original) => {
  const { groupPieces, ...rest } = await original();
  return { ...rest, groupPieces: (...asked) => reduction.groups(groupPieces(...asked)) };
});
vi.mock(import("../../src/synthesis/rooms.ts"), async (original) => {
  const { roomsOf, ...rest } = await original();
  return {
    ...rest,
    roomsOf: (input) => {
      const rooms = roomsOf(input);
      return rooms && reduction.rooms(rooms);
    },
  };
});

const undivided: Partial<Schedule> = { direct: "never", answers: 0, budgets: [], formed: false, rerun: false };
const choosing = (schedule: Schedule): Schedule => ({ ...calm(schedule), ...undivided, synthesis: "choose", compares: true, contextTokens: undefined });
const shortening = (schedule: Schedule): Schedule => ({ ...calm(schedule), ...undivided, synthesis: "merge", judge: "nobody", contextTokens: 4_000 });

const sabotages: readonly Sabotage[] = [
  {
    name: "is another than the one that its comparisons say",
    breaks: () => {
      choice.ends = ({ best, ties, ...rest }) => ({ ...rest, best: ties[0] ?? best, ties: [best] });
    },
    says: [/it chose .*, and by its comparisons the best is/],
    under: choosing,
  },
  {
    name: "is said to be chosen by nobody",
    breaks: () => changeEvent("synthesis.chosen", () => []),
    says: [/its answer is chosen, and its log does not say so/],
    under: choosing,
  },
  {
    name: "is said to be chosen without a comparison",
    breaks: () => changeEvent("synthesis.chosen", ({ ties: _, ...event }) => [event]),
    says: [/its answer is chosen without a comparison/],
    under: choosing,
  },
  {
    name: "is made of some of the results alone",
    breaks: () => {
      reduction.groups = (groups) => groups.slice(1);
    },
    says: [/was read by nobody who wrote the answer/],
    under: shortening,
  },
  {
    name: "is made of more than fits its window",
    breaks: () => {
      reduction.rooms = ({ reads, ...rooms }) => ({ ...rooms, reads: reads * 4 });
    },
    says: [/part 1\.\d+ may take \d+ tokens, its window has 4000/],
    under: shortening,
  },
  {
    name: "is said to be made of texts that were shortened again before they were",
    breaks: () => changeEvent("reduction.started", (event) => [{ ...event, level: event.level + 1 }]),
    says: [/level 2 of \d+ groups comes after level 0/, /part 1\.\d+ leaves in level 2/],
    under: shortening,
  },
  {
    name: "is said to be made of shortened texts where all of them fit",
    breaks: () => changeEvent("synthesis.started", (event) => [event, { type: "reduction.started", level: 1, texts: 2, groups: 1 }]),
    says: [/its results are shortened, though they fit/],
    under: (schedule) => ({ ...shortening(schedule), contextTokens: undefined }),
  },
];

describe("a simulation notices an answer that", () => {
  afterEach(() => {
    choice.ends = (best) => best;
    [reduction.groups, reduction.rooms] = [(groups) => groups, (rooms) => rooms];
    vi.restoreAllMocks();
  });
  test.for(sabotages.map((sabotage) => [sabotage.name, sabotage] as const))("%s", { timeout: 60_000 }, async ([, sabotage]) => {
    expect(await unsaid(sabotage)).toEqual([]);
  });
});
