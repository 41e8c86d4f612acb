import { describe, expect, test } from "vitest";
import type { FactBody } from "../events.ts";
import { noUsage } from "../usage.ts";
import { Tally } from "./tally.ts";

const ref = { role: "worker", subtaskId: "a", attempt: 1, model: "m" } as const;
const left = (requeues: number, attempt = 1): FactBody => ({
  type: "attempt.started",
  ...ref,
  attempt,
  requeues,
  reserved: { inputTokens: 1, outputTokens: 1 },
});
const ended: FactBody = { type: "attempt.settled", role: "worker", subtaskId: "a", attempt: 1, usage: noUsage };
const notCounted: FactBody = { ...ended, calls: 0 };

describe("a tally's attempts", () => {
  test.each<[string, readonly FactBody[], number]>([
    ["each try that is over", [left(0), ended, left(0, 2), ended], 2],
    ["one that went back to the queue, and left again, once", [left(0), notCounted, left(1), notCounted, left(2), ended], 1],
    ["one that went back to the queue, and never left again, not at all", [left(0), notCounted], 0],
    ["one that was taken over from another run", [left(1), ended], 1],
    ["one that another run took over, not at all", [left(0), notCounted], 0],
    ["one that was throttled and gave up", [left(0), ended], 1],
  ])("count %s", (_, facts, attempts) => {
    const tally = new Tally();
    for (const fact of facts) tally.add({ ...fact, at: 0 });
    expect(tally.attempts).toBe(attempts);
  });
});

test("the time for which somebody was asked for approval is none in which the run was carried out", () => {
  const estimate = { expected: { calls: 1, tokens: 1 }, worst: { calls: 1, tokens: 1 } };
  const plan = { kind: "subtasks", analysis: "", combine: "keep", subtasks: [] } as const;
  const tally = new Tally();
  tally.add({ type: "plan.started", given: false, at: 0 });
  tally.add({ type: "approval.requested", plan, estimate, at: 100 });
  tally.add({ type: "approval.given", plan, edited: false, at: 50_000 });
  tally.add({ type: "plan.answered", analysis: "", at: 50_030 });
  expect(tally.activeMs).toBe(130);
  tally.add({ type: "approval.requested", plan, estimate, at: 50_040 });
  tally.add({ type: "run.resumed", at: 90_000 });
  expect(tally.activeMs).toBe(140);
});
