import type { Simulated } from "../simulate.ts";
import { metInComparison } from "./comparison-coverage.ts";
import { comparisonFaults } from "./comparison-invariants.ts";
import { type Compared, ComparisonScene } from "./comparison-scene.ts";
import type { ComparisonSchedule } from "./comparison-schedule.ts";

/** Carries out one comparison to its end, and looks whether all that must hold does. */
export async function simulateComparison(schedule: ComparisonSchedule, trace?: (line: string) => void): Promise<Simulated> {
  const scene = new ComparisonScene(schedule, trace);
  const { seed } = schedule;
  let compared: Compared;
  try {
    compared = await scene.carryOut();
  } catch (thrown) {
    const fault = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return { seed, faults: [fault], calls: scene.calls.length, met: [], digest: "" };
  }
  trace?.(JSON.stringify("comparison" in compared ? compared.comparison : String(compared.thrown), undefined, 2));
  return {
    seed,
    faults: comparisonFaults(scene, compared),
    calls: scene.calls.length,
    met: metInComparison(scene, compared),
    digest: scene.digestOf(compared),
  };
}
