import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Planned } from "../subtask.ts";
import { type Blocked, ReadySet } from "./ready-set.ts";

let ordinal = 0;
function subtask(id: string, ...dependsOn: string[]): Planned {
  return { subtask: { id, type: "t", description: "d", dependsOn }, ordinal: ordinal++, sample: 0 };
}
const ids = (planned: readonly Planned[]): string[] => planned.map((one) => one.subtask.id);
const why = (blocked: readonly Blocked[]): [string, string][] => blocked.map(({ planned, because }) => [planned.subtask.id, because]);

describe("a subtask that is written anew", () => {
  test("starts, and what was blocked for its sake waits for it, but not what another one blocks", () => {
    const set = new ReadySet();
    for (const one of [subtask("a"), subtask("b"), subtask("c", "a"), subtask("d", "c"), subtask("e", "d", "b")]) set.add(one);
    set.settle("a", false);
    set.settle("b", false);
    const { ready, blocked, reopened } = set.replace(subtask("a"));
    expect([ids(ready), why(blocked), ids(reopened)]).toEqual([["a"], [["e", "b"]], ["c", "d"]]);
    expect(ids(set.settle("a", true).ready)).toEqual(["c"]);
    expect(ids(set.settle("c", true).ready)).toEqual(["d"]);
    expect(ids(set.settle("d", true).ready)).toEqual([]);
    expect(ids(set.replace(subtask("b")).reopened)).toEqual(["e"]);
    expect(ids(set.settle("b", true).ready)).toEqual(["e"]);
  });

  test("does not start what it replaces, which had been waiting for another one that is written anew", () => {
    const set = new ReadySet();
    for (const one of [subtask("a"), subtask("b", "a")]) set.add(one);
    set.settle("a", false);
    set.replace(subtask("a"));
    expect(ids(set.replace(subtask("b")).ready)).toEqual(["b"]);
    expect(ids(set.settle("a", true).ready)).toEqual([]);
  });

  test("in any order, until nothing fails any more, leaves everything done, and nothing started twice", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 9 }), fc.infiniteStream(fc.nat({ max: 9 })), (needs, chances) => {
        const all = needs.map((some, i) => subtask(`n${i}`, ...(i === 0 ? [] : some.map((n) => `n${n % i}`))));
        const set = new ReadySet();
        const running: string[] = [];
        const [done, started, lost] = [new Set<string>(), new Set<string>(), new Set<string>()];
        const take = ({ ready, blocked }: { ready: readonly Planned[]; blocked: readonly Blocked[] }): void => {
          for (const id of ids(ready)) {
            expect(started.has(id)).toBe(false);
            started.add(id);
            running.push(id);
          }
          for (const [id] of why(blocked)) lost.add(id);
        };
        const settle = (mayFail: boolean): void => {
          for (let id = running.pop(); id !== undefined; id = running.pop()) {
            const succeeded = !mayFail || chances.next().value < 6;
            (succeeded ? done : lost).add(id);
            take(set.settle(id, succeeded));
          }
        };
        for (const one of all) take(set.add(one));
        settle(true);
        for (let round = 0; lost.size > 0; round++) {
          for (const one of all.filter(({ subtask: { id } }) => lost.has(id) && (round > 3 || chances.next().value < 5))) {
            const {
              subtask: { id, dependsOn },
            } = one;
            if (!lost.delete(id)) continue;
            started.delete(id);
            const { reopened, ...rest } = set.replace(subtask(id, ...dependsOn));
            for (const again of ids(reopened)) lost.delete(again);
            take(rest);
          }
          settle(round < 3);
        }
        expect(done.size).toBe(all.length);
      }),
    );
  });
});

describe("a subtask", () => {
  test("starts when it comes, when it depends on nothing", () => {
    expect(ids(new ReadySet().add(subtask("a")).ready)).toEqual(["a"]);
  });

  test("starts when the last of what it depends on is done, named in any case and more than once", () => {
    const set = new ReadySet();
    expect(ids(set.add(subtask("c", "A", "a", "b", "B")).ready)).toEqual([]);
    set.add(subtask("a"));
    set.add(subtask("b"));
    expect(ids(set.settle("a", true).ready)).toEqual([]);
    expect(ids(set.settle("b", true).ready)).toEqual(["c"]);
    expect(ids(set.add(subtask("d", "a", "c")).ready)).toEqual([]);
    expect(ids(set.settle("c", true).ready)).toEqual(["d"]);
  });

  test("starts at once when what it depends on is done already", () => {
    const set = new ReadySet();
    set.add(subtask("a"));
    set.settle("a", true);
    expect(ids(set.add(subtask("b", "a")).ready)).toEqual(["b"]);
  });

  test("starts once when the plan is over, however many unknown names it waited for", () => {
    const set = new ReadySet();
    set.add(subtask("a", "x", "y", "z"));
    set.add(subtask("b", "x"));
    set.add(subtask("c", "a", "x"));
    expect(ids(set.close().ready)).toEqual(["a", "b"]);
    expect(ids(set.settle("a", true).ready)).toEqual(["c"]);
  });

  test("is blocked, with all behind it, when one that it needs fails; each names the one before it", () => {
    const set = new ReadySet();
    set.add(subtask("a"));
    set.add(subtask("b", "A"));
    set.add(subtask("c", "b"));
    set.add(subtask("d"));
    expect(why(set.settle("a", false).blocked)).toEqual([
      ["b", "a"],
      ["c", "b"],
    ]);
    expect(why(set.add(subtask("e", "d", "C")).blocked)).toEqual([["e", "c"]]);
  });
});

describe("a cycle", () => {
  test("is told when the plan is over; who waits behind it is blocked, and the rest goes on", () => {
    const set = new ReadySet();
    for (const one of [subtask("self", "self"), subtask("a", "b"), subtask("b", "a"), subtask("behind", "a"), subtask("free"), subtask("later", "free")])
      set.add(one);
    const { ready, cycle, blocked } = set.close();
    expect(ids(ready)).toEqual([]);
    expect(ids(cycle).toSorted()).toEqual(["a", "b", "self"]);
    expect(why(blocked)).toEqual([["behind", "a"]]);
    expect(ids(set.settle("free", true).ready)).toEqual(["later"]);
  });
});

test("long chains and wide fans take no recursion", () => {
  const set = new ReadySet();
  const count = 20_000;
  for (let n = count; n > 0; n--) set.add(subtask(`n${n}`, `n${n - 1}`));
  expect(set.add(subtask("n0")).ready).toHaveLength(1);
  expect(set.settle("n0", false).blocked).toHaveLength(count);

  const fan = new ReadySet();
  for (let n = 0; n < 150_000; n++) fan.add(subtask(`f${n}`, "unknown"));
  expect(fan.close().ready).toHaveLength(150_000);
});

/** A plan by numbers: whom each subtask depends on; numbers from `count` on are names that nobody has. */
const graph = fc.integer({ min: 1, max: 9 }).chain((count) =>
  fc.record({
    dependsOn: fc.array(fc.array(fc.nat(count + 1), { maxLength: 3 }), { minLength: count, maxLength: count }),
    order: fc.shuffledSubarray([...Array(count).keys()], { minLength: count, maxLength: count }),
    fails: fc.array(fc.boolean(), { minLength: count, maxLength: count }),
    /** Which of the running ones settles next, and when, told by chance. */
    chances: fc.array(fc.nat(9), { minLength: 3 * count, maxLength: 3 * count }),
    acyclic: fc.boolean(),
  }),
);

/** What the ready-set should say, looked up afresh each time in the slowest and plainest way. */
class Model {
  readonly arrived = new Set<number>();
  readonly started = new Set<number>();
  readonly done = new Set<number>();
  readonly lost = new Set<number>();
  readonly needs: readonly (readonly number[])[];
  over = false;

  constructor(needs: readonly (readonly number[])[]) {
    this.needs = needs;
  }

  needsOf(node: number): readonly number[] {
    const all = this.needs[node] ?? [];
    return this.over ? all.filter((other) => other < this.needs.length) : all;
  }

  waiting(): number[] {
    return [...this.arrived].filter((node) => !this.started.has(node) && !this.lost.has(node));
  }

  mayStart(node: number): boolean {
    return this.needsOf(node).every((other) => this.done.has(other));
  }

  isLost(node: number): boolean {
    return this.needsOf(node).some((other) => this.lost.has(other));
  }

  /** All that a waiting subtask waits for, directly or over others. */
  private reached(node: number): Set<number> {
    const found = new Set<number>();
    const waiting = new Set(this.waiting());
    const look = (from: number): void => {
      for (const other of this.needsOf(from)) {
        if (!waiting.has(other) || found.has(other)) continue;
        found.add(other);
        look(other);
      }
    };
    look(node);
    return found;
  }

  /** Who waits for itself, or stands between two that do. */
  cycle(): number[] {
    const circular = new Set(this.waiting().filter((node) => this.reached(node).has(node)));
    return this.waiting().filter(
      (node) =>
        circular.has(node) || ([...this.reached(node)].some((other) => circular.has(other)) && [...circular].some((other) => this.reached(other).has(node))),
    );
  }
}

describe("over any plan, in any order of arrival and of ends", () => {
  test("every subtask starts, is blocked or is in a cycle, exactly once and as early as can be, and none before all it depends on is done", () => {
    fc.assert(
      fc.property(graph, ({ dependsOn, order, fails, chances, acyclic }) => {
        const needs = dependsOn.map((all, node) => (acyclic ? all.filter((other) => other < node || other >= dependsOn.length) : all));
        const model = new Model(needs);
        const set = new ReadySet();
        const name = (node: number, of = 0): string => ((node + of) % 2 === 0 ? `n${node}` : `N${node}`);
        const running: number[] = [];
        const numberOf = ({ subtask: { id } }: Planned): number => Number(id.slice(1));

        const start = (ready: readonly Planned[]): void => {
          for (const node of ready.map(numberOf)) {
            expect(model.started.has(node) || model.lost.has(node), `n${node} ended or started before`).toBe(false);
            expect(model.mayStart(node), `n${node} has all it needs`).toBe(true);
            model.started.add(node);
            running.push(node);
          }
        };
        const block = (blocked: readonly Blocked[]): void => {
          for (const { planned, because } of blocked) {
            const node = numberOf(planned);
            expect(model.started.has(node) || model.lost.has(node)).toBe(false);
            const other = Number(because.slice(1));
            expect(because).toBe(`n${other}`);
            expect(model.needsOf(node)).toContain(other);
            expect(model.lost.has(other), `n${other} is lost`).toBe(true);
            model.lost.add(node);
          }
        };
        const settleOne = (chance: number): void => {
          const [node] = running.splice(chance % running.length, 1);
          if (node === undefined) return;
          const succeeded = fails[node] !== true;
          (succeeded ? model.done : model.lost).add(node);
          const { ready, blocked } = set.settle(name(node, 1), succeeded);
          block(blocked);
          start(ready);
        };
        const nothingIsLate = (): void => {
          expect(model.waiting().filter((node) => model.mayStart(node) || model.isLost(node))).toEqual([]);
        };

        let turn = 0;
        for (const node of order) {
          model.arrived.add(node);
          const planned = subtask(`n${node}`, ...(needs[node] ?? []).map((other) => name(other, node)));
          const { ready, blocked } = set.add(planned);
          block(blocked);
          start(ready);
          nothingIsLate();
          for (let chance = chances[turn++] ?? 0; chance > 6 && running.length > 0; chance = chances[turn++] ?? 0) {
            settleOne(chance);
            nothingIsLate();
          }
        }
        model.over = true;
        const atClose = set.close();
        start(atClose.ready);
        expect(new Set(atClose.cycle.map(numberOf))).toEqual(new Set(model.cycle()));
        if (acyclic) expect(atClose.cycle).toEqual([]);
        for (const planned of atClose.cycle) model.lost.add(numberOf(planned));
        block(atClose.blocked);
        nothingIsLate();
        while (running.length > 0) {
          settleOne(chances[turn++] ?? 0);
          nothingIsLate();
        }
        expect(model.waiting()).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});
