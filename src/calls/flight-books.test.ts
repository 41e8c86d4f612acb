import { describe, expect, test } from "vitest";
import { aContext, aRun } from "../../test/call-fixture.ts";
import { DivvyError } from "../errors.ts";
import { noUsage } from "../usage.ts";
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
    expect(first.events).toEqual([started, { type: "attempt.settled", role: "worker", subtaskId: "a", attempt: 2, usage: noUsage, cost: 0 }]);
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

  test("stay where they are when another leaves", () => {
    const [first, second] = [aRun(), aRun()];
    const begun = aContext({ run: first, subtaskId: "a" });
    const books = new FlightBooks(begun);
    books.emit(started);
    books.leave(aContext({ run: second }), begun);
    expect([first.events, second.events]).toEqual([[started], []]);
  });
});
