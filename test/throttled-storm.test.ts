import { expect, test } from "vitest";
import { FlexibleOrchestrator, type Outcome } from "../src/index.ts";
import { type Fault, scriptedModel, testRuntime, virtualClock } from "../src/testing/index.ts";

/** Twenty workers at a provider that never takes anything: how often it is asked until they give up. */

const workers = 20;

interface Siege {
  readonly outcome: Outcome;
  /** When each request came, in milliseconds. */
  readonly times: readonly number[];
}

async function besieged(fault: Fault): Promise<Siege> {
  const clock = virtualClock();
  const times: number[] = [];
  const model = scriptedModel(() => {
    times.push(clock.now());
    // Whoever storms it is not to go on for ever.
    return { fault: times.length > 1_000 ? { kind: "status", status: 400 } : fault };
  });
  const subtasks = Array.from({ length: workers }, (_, n) => ({ id: `part-${n}`, description: `Do part ${n}.` }));
  const run = new FlexibleOrchestrator({ model }, { runtime: testRuntime({ clock }) }).start("Do all.", "", { plan: { combine: "keep", subtasks } });
  const ended = run.outcome;
  await clock.runUntilIdle();
  return { outcome: await ended, times };
}

const mostPerMinute = (times: readonly number[]): number => Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length));

const failures = ({ results }: Outcome): Set<string> => new Set(results.map((result) => (result.status === "failed" ? result.error.code : result.status)));

/** Not more often than if each had asked once a minute, and then less and less. */
function expectNoStorm({ times }: Siege, most: number): void {
  expect(mostPerMinute(times)).toBeLessThanOrEqual(workers);
  expect(times.length).toBeLessThanOrEqual(most);
  // Nor did they give up without having asked.
  expect(times.length).toBeGreaterThan(workers);
}

test.each([503, 529])("a provider that is always overloaded (%i) is not stormed", async (status) => {
  const siege = await besieged({ kind: "status", status });
  expect(failures(siege.outcome)).toEqual(new Set(["overloaded", "admission_timeout"]));
  expectNoStorm(siege, 90);
});

test("a provider that always throttles, and does not say for how long, is not stormed in the ten minutes that calls wait", async () => {
  const siege = await besieged({ kind: "status", status: 429 });
  expect(failures(siege.outcome)).toEqual(new Set(["rate_limited", "admission_timeout"]));
  expectNoStorm(siege, 60);
});

test("a provider that always throttles, and names the time of a limit that is used up, is asked no sooner", async () => {
  const headers = { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2m30s" };
  const { times } = await besieged({ kind: "status", status: 429, headers });
  const waves = [...new Set(times)];
  expect(waves.length).toBeLessThanOrEqual(20);
  const [first = 0, second = 0] = waves;
  expect(second - first).toBeGreaterThanOrEqual(150_000);
});

test("a provider that always throttles, and asks for a moment's patience each time, is not stormed", async () => {
  const siege = await besieged({ kind: "status", status: 429, headers: { "retry-after-ms": "5" } });
  expect(failures(siege.outcome)).toEqual(new Set(["rate_limited", "admission_timeout"]));
  expectNoStorm(siege, 60);
});
