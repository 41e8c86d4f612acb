import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyText } from "../../test/any-text.ts";
import { draft } from "../../test/plan-reading.ts";
import { PlanBuilder, type PlanBuilderOptions } from "./plan-builder.ts";
import type { Draft } from "./reading/reader.ts";

function built(drafts: readonly Draft[], options: Partial<PlanBuilderOptions> = {}): PlanBuilder {
  const builder = new PlanBuilder({ maxSubtasks: 100, ...options });
  for (const one of drafts) builder.add(one);
  return builder;
}
const idsOf = (builder: PlanBuilder): string[] => builder.planned.map(({ subtask }) => subtask.id);

describe("ids", () => {
  test("are as given where they can be, else made from what was given, else from the type", () => {
    expect(
      idsOf(
        built([
          draft("1", { id: "Step_1.a" }),
          draft("2", { id: "two words!" }),
          draft("3", { type: "Technical Specs / EU" }),
          draft("4", { id: "???", type: "über" }),
          draft("5"),
        ]),
      ),
    ).toEqual(["Step_1.a", "two-words", "technical-specs-eu", "über", "default"]);
  });

  test("fall back on a name where the type has no letter", () => {
    expect(idsOf(built([draft("1", { type: "***" }), draft("2", { type: "!!" })]))).toEqual(["subtask", "subtask-2"]);
  });

  test("get a number on a collision, whatever the case", () => {
    expect(
      idsOf(built([draft("1", { id: "a" }), draft("2", { id: "A" }), draft("3", { id: "a-2" }), draft("4", { id: "a" }), draft("5", { type: "a" })])),
    ).toEqual(["a", "A-2", "a-2-2", "a-3", "a-4"]);
  });

  test("are distinct in every spelling and at most 64 long, whatever planners give", () => {
    const anyName = fc.oneof(
      fc.constantFrom("a", "A", "a-2", "ﷺ", "𠀀", "-", "").map((part) => part.repeat(9)),
      fc.constant("x".repeat(90)),
      anyText(),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(fc.record({ id: anyName, type: anyName }), { maxLength: 15 }), (drafts) => {
        const ids = idsOf(built(drafts.map(({ id, type }, n) => draft(`${n}`, { id, type }))));
        expect(new Set(ids.map((id) => id.toLowerCase())).size).toBe(drafts.length);
        expect(ids.filter((id) => id.length > 64 || !/^[\p{L}\p{N}\p{M}._-]+$/u.test(id))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test("of a thousand subtasks of one type are numbered through", () => {
    const builder = built(
      Array.from({ length: 1000 }, (_, n) => draft(`${n}`, { type: "t" })),
      { maxSubtasks: 1000 },
    );
    expect(builder.planned.at(-1)?.subtask.id).toBe("t-1000");
  });
});

describe("types", () => {
  test("are one line of at most 100 characters, default where there is none", () => {
    const types = built([draft("1"), draft("2", { type: " a\n b\tc " }), draft("3", { type: `${"x".repeat(99)} and more` })]).planned.map(
      ({ subtask }) => subtask.type,
    );
    expect(types).toEqual(["default", "a b c", "x".repeat(99)]);
  });
});

describe("the limit", () => {
  test("drops the rest, says so, and counts on", () => {
    const builder = built([draft("1"), draft("2"), draft("3"), draft("4")], { maxSubtasks: 2 });
    expect(builder.planned).toHaveLength(2);
    expect(builder.dropped).toBe(2);
    expect(builder.finish().notices).toEqual([{ code: "subtasks_dropped", message: "The plan has 4 subtasks; the limit is 2, so the last 2 were dropped." }]);
  });

  test("makes a reference to what was dropped a reference to nothing", () => {
    const builder = built([draft("1", { id: "a", after: ["b"] }), draft("2", { id: "b" })], { maxSubtasks: 1 });
    expect(builder.finish().subtasks[0]?.dependsOn).toEqual([]);
    expect(builder.finish().notices.map(({ code }) => code)).toEqual(["dependency_unknown", "subtasks_dropped"]);
  });
});

describe("exact copies", () => {
  const copies = [
    draft("d", { type: "t" }),
    draft("d", { type: " t", id: "x" }),
    draft("d", { type: "t", after: ["x"] }),
    draft("D", { type: "t" }),
    draft("d", { type: "t" }),
  ];

  test("are samples of one subtask, numbered, where results are kept or chosen from", () => {
    for (const combine of ["keep", "choose"] as const) {
      const builder = built(copies, { combine });
      expect(builder.planned.map(({ subtask, sample }) => [subtask.id, sample])).toEqual([
        ["t", 0],
        ["x", 1],
        ["t-2", 0],
        ["t-3", 0],
        ["t-4", 2],
      ]);
      expect(builder.finish().notices).toEqual([]);
    }
  });

  test("are dropped where results are merged, which is said", () => {
    const builder = built(copies, { combine: "merge" });
    expect(idsOf(builder)).toEqual(["t", "t-2", "t-3"]);
    expect(builder.finish().notices.map(({ code, message }) => [code, message])).toContainEqual([
      "duplicate_dropped",
      'Exact copies of subtasks were dropped: "t".',
    ]);
  });

  const upstreamOf = (builder: PlanBuilder): [string, readonly string[]][] => builder.finish().subtasks.map(({ id, dependsOn }) => [id, dependsOn]);

  test("that were dropped leave nobody without what they would have given: the one that stands gives it", () => {
    const drafts = [draft("d", { id: "a" }), draft("d", { id: "b" }), draft("e", { id: "c", after: ["B", "a"] })];
    const builder = built(drafts, { combine: "merge" });
    expect(upstreamOf(builder)).toEqual([
      ["a", []],
      ["c", ["a"]],
    ]);
    expect(builder.finish().notices.map(({ code }) => code)).toEqual(["duplicate_dropped"]);
    expect(builder.copy().stands(draft("e", { id: "c", after: ["b", "a"] }))).toBe(true);
  });

  test("are copies as well that wait for a copy", () => {
    const drafts = [draft("d", { id: "a" }), draft("d", { id: "b" }), draft("e", { id: "c", after: ["a"] }), draft("e", { id: "f", after: ["b"] })];
    expect(idsOf(built(drafts, { combine: "merge" }))).toEqual(["a", "c"]);
  });

  test("stay where somebody waits for them already", () => {
    const builder = built([draft("d", { id: "a" }), draft("e", { id: "c", after: ["b"] }), draft("d", { id: "b" })], { combine: "merge" });
    expect(upstreamOf(builder)).toEqual([
      ["a", []],
      ["c", ["b"]],
      ["b", []],
    ]);
  });

  test("that were dropped give up their name to who comes with it", () => {
    const drafts = [draft("d", { id: "a" }), draft("d", { id: "b" }), draft("g", { id: "b" }), draft("e", { id: "c", after: ["b"] })];
    expect(upstreamOf(built(drafts, { combine: "merge" })).at(-1)).toEqual(["c", ["b"]]);
  });

  test("stay in a plan that somebody handed in", () => {
    expect(idsOf(built(copies, { combine: "merge", maxSubtasks: undefined }))).toHaveLength(copies.length);
  });

  test("that were dropped do not count towards the limit", () => {
    expect(built([draft("d"), draft("d"), draft("e")], { combine: "merge", maxSubtasks: 2 }).dropped).toBe(0);
  });
});

describe("combine", () => {
  test("is keep where nobody says, and the caller's word stands above the plan's", () => {
    expect(built([]).combine).toBe("keep");
    const builder = new PlanBuilder({ maxSubtasks: 5, combine: "choose" });
    builder.setCombine("merge");
    expect(builder.combine).toBe("choose");
  });

  test("cannot change any more once a subtask stands", () => {
    const builder = built([]);
    builder.setCombine("merge");
    builder.add(draft("d"));
    builder.setCombine("choose");
    expect(builder.combine).toBe("merge");
  });
});

describe("references", () => {
  test("are resolved at the end, forward ones too, in any case and spelling, each once", () => {
    const builder = built([draft("1", { id: "a", after: ["Step_Two", "step-two", "A"] }), draft("2", { id: "step-two", after: ["A", "a"] })]);
    expect(builder.planned.map(({ subtask }) => subtask.dependsOn.length)).toEqual([2, 1]);
    const { subtasks, notices } = builder.finish();
    expect(subtasks.map(({ dependsOn }) => dependsOn)).toEqual([["step-two", "a"], ["a"]]);
    expect(notices).toEqual([]);
  });

  test("to nothing are left out and named", () => {
    const { subtasks, notices } = built([draft("1", { id: "a", after: ["x", "b", "y"] }), draft("2", { id: "b" })]).finish();
    expect(subtasks[0]?.dependsOn).toEqual(["b"]);
    expect(notices).toEqual([
      { code: "dependency_unknown", message: '"a" waits for "x", "y", which the plan does not have; that was ignored.', subtaskIds: ["a"] },
    ]);
  });
});

describe("a further round", () => {
  const second = (replaceable: readonly string[] = [], maxSubtasks = 20): PlanBuilder => {
    const builder = built([draft("Find it.", { id: "a" }), draft("Use it.", { id: "b", after: ["a"] })]);
    builder.openRound({ number: 2, maxSubtasks, replaceable: new Set(replaceable) });
    return builder;
  };

  test("adds subtasks after those that stand, and says of which round they are", () => {
    expect(second().add(draft("More.", { id: "c" }))).toEqual({
      subtask: { id: "c", type: "default", description: "More.", dependsOn: [] },
      ordinal: 2,
      sample: 0,
      round: 2,
    });
  });

  test("puts one that is written anew in the place of what came to nothing, once; under the id of another it is a new one", () => {
    const builder = second(["a"]);
    expect(builder.add(draft("Find it elsewhere.", { id: "A" }))).toMatchObject({
      subtask: { id: "a", description: "Find it elsewhere." },
      ordinal: 0,
      round: 2,
    });
    expect(builder.add(draft("Find it at last.", { id: "a" }))).toMatchObject({ subtask: { id: "a-2" }, ordinal: 2 });
    expect(builder.add(draft("Use it well.", { id: "b" }))).toMatchObject({ subtask: { id: "b-2" }, ordinal: 3 });
    expect(builder.planned.map(({ subtask }) => subtask.id)).toEqual(["a", "b", "a-2", "b-2"]);
    expect([builder.added, builder.planned.length]).toEqual([5, 4]);
  });

  test.each([
    ["in other white space and case", draft(" find\n IT. ", { id: "z" }), [], false],
    ["of what failed, in the same words", draft("Find it.", { id: "a" }), ["a"], false],
    ["over less than what is done was given", draft("Use it."), [], false],
    ["over less than what failed was to be given", draft("Use it.", { id: "b" }), ["b"], true],
    ["over other results", draft("Use it.", { after: ["c"] }), [], true],
    ["by another kind of worker", draft("Find it.", { type: "code" }), [], true],
  ])("that asks again %s: is it new? %4$s", (_, again, replaceable, isNew) => {
    const builder = second(replaceable);
    expect(builder.add(again) !== undefined).toBe(isNew);
    expect(builder.finish().notices.map(({ code }) => code)).toEqual(again.after.includes("c") ? ["dependency_unknown"] : isNew ? [] : ["repeat_dropped"]);
  });

  test("may hold copies of its own, as any plan", () => {
    const builder = second();
    for (const id of ["x", "y"]) builder.add(draft("Try it.", { id }));
    expect(builder.planned.slice(2).map(({ sample }) => sample)).toEqual([0, 1]);
  });

  test("is told of what it asks beyond its limit, not of what the round before did", () => {
    const builder = second([], 1);
    for (const description of ["1", "2", "3"]) builder.add(draft(description));
    expect(builder.finish().notices).toEqual([{ code: "subtasks_dropped", message: "Round 2 has 3 subtasks; the limit is 1, so the last 2 were dropped." }]);
    builder.openRound({ number: 3, maxSubtasks: 1, replaceable: new Set() });
    expect(builder.finish().notices).toEqual([]);
    expect(builder.dropped).toBe(2);
  });

  test("is the same in a copy", () => {
    const builder = second(["a"], 2);
    builder.add(draft("Find it elsewhere.", { id: "a" }));
    const copy = builder.copy();
    for (const one of [builder, copy]) {
      expect(one.add(draft("Find it.", { id: "z" }))).toBeUndefined();
      expect(one.add(draft("More."))).toMatchObject({ round: 2 });
      expect(one.add(draft("Too much."))).toBeUndefined();
    }
    expect(copy.planned).toEqual(builder.planned);
  });
});

describe("what stands already", () => {
  test("is the same content under the same id, and nothing else", () => {
    const builder = built([draft("d", { id: "a", type: "t", after: ["B"] })]);
    expect(builder.stands(draft("d", { id: "A", type: " t ", after: ["b"] }))).toBe(true);
    expect(builder.stands(draft("d", { type: "t", after: ["b"] }))).toBe(false);
    expect(builder.stands(draft("d", { id: "c", type: "t", after: ["b"] }))).toBe(false);
    expect(builder.stands(draft("other", { id: "a", type: "t", after: ["b"] }))).toBe(false);
  });
});
