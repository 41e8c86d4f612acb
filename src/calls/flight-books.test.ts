import { describe, expect, test, vi } from "vitest";
import { aContext, aRun } from "../../test/call-fixture.ts";
import { DivvyError } from "../errors.ts";
import { BudgetPool } from "../governor/budget-pool.ts";
import { virtualClock } from "../testing/index.ts";
import { noUsage } from "../usage.ts";
import type { CallContext } from "./call.ts";
import { FlightBooks } from "./flight-books.ts";

const started = {
  type: "attempt.started",
  role: "worker",
  subtaskId: "a",
  attempt: 2,
  model: "m",
  requeues: 0,
  reserved: { inputTokens: 1, outputTokens: 2 },
} as const;
const settled = { type: "attempt.settled", role: "worker", subtaskId: "a", attempt: 2, usage: { ...noUsage, totalTokens: 3 } } as const;

describe("the books of a call for which two runs wait", () => {
  test("are kept by the one that began it", () => {
    const [first, second] = [aRun(), aRun()];
    const books = new FlightBooks(aContext({ run: first, subtaskId: "a" }));
    books.emit(started);
    books.emit(settled);
    expect([first.events, second.events]).toEqual([[started, settled], []]);
  });

  test("go to the other when the first has left, an attempt that is on its way with them, under its own subtask's name", () => {
    const [first, second] = [aRun(), aRun()];
    const begun = aContext({ run: first, subtaskId: "a" });
    const books = new FlightBooks(begun);
    books.emit(started);
    books.leave(begun, aContext({ run: second, subtaskId: "b" }));
    books.emit(settled);
    expect(first.events).toEqual([started, { type: "attempt.settled", role: "worker", subtaskId: "a", attempt: 2, usage: noUsage, cost: 0, calls: 0 }]);
    // It is neither a call of its own nor a new text: the same try goes on.
    expect(second.events).toEqual([
      { ...started, subtaskId: "b", requeues: 1 },
      { ...settled, subtaskId: "b" },
    ]);
  });

  test("are committed when that of the other is, if the first leaves meanwhile, whatever becomes of its log", async () => {
    const logs = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const [begun, other] = logs.map(({ promise }) => aContext({ run: { ...aRun(), committed: () => promise } }));
    if (begun === undefined || other === undefined) throw new Error("There are two.");
    const books = new FlightBooks(begun);
    let isCommitted = false;
    const committed = books.committed().then(() => {
      isCommitted = true;
    });
    books.leave(begun, other);
    logs[0]?.reject(new DivvyError("ledger_failed", "Its disk is full."));
    await new Promise(setImmediate);
    expect(isCommitted).toBe(false);
    logs[1]?.resolve();
    await committed;
  });

  test("cannot be committed where the log of the one who pays is broken", async () => {
    const error = new DivvyError("ledger_failed", "Its disk is full.");
    const books = new FlightBooks(aContext({ run: { ...aRun(), committed: () => Promise.reject(error) } }));
    await expect(books.committed()).rejects.toBe(error);
  });

  describe("and what is reserved for it", () => {
    const need = { role: "worker", reserved: { inputTokens: 1, outputTokens: 2 }, cost: 0 } as const;
    const bounded = (tokens: number): { readonly pool: BudgetPool; readonly ctx: CallContext } => {
      const pool = new BudgetPool({ budget: { tokens }, spent: { calls: 0, tokens: 0 }, activeMs: 0, clock: virtualClock(), emit: () => undefined });
      return { pool, ctx: aContext({ run: { ...aRun(), budget: pool } }) };
    };
    const hasRoom = (pool: BudgetPool): boolean => {
      const claim = pool.claim(need);
      const isReserved = claim.reserve() === "reserved";
      if (isReserved) claim.giveBack();
      return isReserved;
    };

    test("go to the budget of the one who pays from then on, and come back to it", () => {
      const [begun, other] = [bounded(5), bounded(5)];
      const books = new FlightBooks(begun.ctx);
      const claim = books.budget.claim(need);
      expect(claim.reserve()).toBe("reserved");
      expect([begun, other].map(({ pool }) => hasRoom(pool))).toEqual([false, true]);
      expect(books.leave(begun.ctx, other.ctx)).toBe(true);
      expect([begun, other].map(({ pool }) => hasRoom(pool))).toEqual([true, false]);
      claim.giveBack();
      books.budget.spend({ calls: 1, tokens: 4 });
      expect([begun, other].map(({ pool }) => hasRoom(pool))).toEqual([true, false]);
    });

    test("are reserved for its own subtask, under the name that it has in the plan of the one who pays", () => {
      const told: unknown[] = [];
      const [begun, other] = ["a", "b"].map((subtaskId): CallContext => {
        const { pool, ctx } = bounded(100);
        vi.spyOn(pool, "claim").mockImplementation((asked) => {
          told.push(asked.subtaskId);
          return { reserve: () => "reserved", giveBack: () => undefined };
        });
        vi.spyOn(pool, "answerReads").mockImplementation((_, of) => void told.push(of));
        return { ...ctx, subtaskId };
      });
      if (begun === undefined || other === undefined) throw new Error("There are two.");
      const books = new FlightBooks(begun);
      books.budget.claim(need).reserve();
      books.leave(begun, other);
      books.budget.answerReads(() => 1, "a");
      expect(told).toEqual(["a", "b", "b"]);
    });

    test("stay with the one who leaves where the other's budget does not allow it", () => {
      const [begun, other] = [bounded(5), bounded(2)];
      const books = new FlightBooks(begun.ctx);
      const claim = books.budget.claim(need);
      claim.reserve();
      expect(books.leave(begun.ctx, other.ctx)).toBe(false);
      expect(hasRoom(begun.pool)).toBe(false);
      claim.giveBack();
      expect(hasRoom(begun.pool)).toBe(true);
    });

    test("are taken of the other's when the next attempt begins", () => {
      const [begun, other] = [bounded(5), bounded(2)];
      const books = new FlightBooks(begun.ctx);
      const claim = books.budget.claim(need);
      expect(books.leave(begun.ctx, other.ctx)).toBe(true);
      expect(claim.reserve()).toMatchObject({ code: "budget_exhausted" });
    });
  });

  test("stay where they are when another leaves", () => {
    const [first, second] = [aRun(), aRun()];
    const begun = aContext({ run: first, subtaskId: "a" });
    const books = new FlightBooks(begun);
    books.emit(started);
    books.leave(aContext({ run: second }), begun);
    expect([first.events, second.events]).toEqual([[started], []]);
  });
});
