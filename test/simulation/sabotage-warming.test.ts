import { afterEach, expect, test, vi } from "vitest";
import { calm, type Sabotage, unsaid } from "./sabotage.ts";

const waiting = vi.hoisted(() => ({ isOff: false }));
vi.mock(import("../../src/governor/warming-governor.ts"), async (original) => {
  const { warmingGovernor } = await original();
  return { warmingGovernor: (governor, clock) => (waiting.isOff ? governor : warmingGovernor(governor, clock)) };
});

afterEach(() => {
  waiting.isOff = false;
});

test("a simulation notices workers that do not wait for the first of them", { timeout: 60_000 }, async () => {
  const sabotage: Sabotage = {
    name: "do not wait",
    breaks: () => void (waiting.isOff = true),
    says: [/left while call \d+ was reading what both begin with/],
    under: (schedule) => ({ ...calm(schedule), warms: true, concurrency: 100, kinds: "none", direct: "never", answers: 0, budgets: [] }),
  };
  expect(await unsaid(sabotage)).toEqual([]);
});
