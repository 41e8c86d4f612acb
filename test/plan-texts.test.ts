import { expect, test } from "vitest";
import { newReader } from "../src/plan/reading/new-reader.ts";
import type { PlanReader } from "../src/plan/reading/reader.ts";
import { seededRandom } from "../src/testing/random.ts";
import { readChunks } from "./plan-reading.ts";
import { randomChunks, randomPlanText } from "./plan-texts.ts";

/** A part of them is tried each time; `npm run test:long` (DIVVY_LONG) tries the whole million. */
const batches = process.env["DIVVY_LONG"] === undefined ? 20 : 1000;
const batch = 1000;

/** Characters looked at for one of the text, and for a text of none. */
const stepsEach = 16;
const stepsAtMost = (text: string): number => stepsEach * (text.length + 1);

const readers: readonly (() => PlanReader)[] = [
  () => newReader("xml"),
  () => newReader("json"),
  () => newReader("xml", "m4rk"),
  () => newReader("json", "m4rk"),
];

/** What is wrong with how a text is read, if anything is. */
function faultWith(text: string, chunks: readonly string[]): string | undefined {
  for (const [n, reader] of readers.entries()) {
    try {
      const whole = reader();
      const pieces = reader();
      const told = JSON.stringify(readChunks(whole, [text]));
      if (JSON.stringify(readChunks(pieces, chunks)) !== told) return `reader ${n} reads it otherwise in pieces`;
      if (Math.max(whole.steps, pieces.steps) > stepsAtMost(text)) return `reader ${n} takes ${whole.steps} and ${pieces.steps} steps`;
    } catch (thrown) {
      return `reader ${n} throws ${String(thrown)}`;
    }
  }
  return undefined;
}

test(
  `${batches * batch} random and mutated plans are read without a throw, alike however they are cut, in steps linear in their length`,
  { timeout: 30 * 60_000 },
  () => {
    const faults: string[] = [];
    for (let seed = 1; seed <= batches; seed++) {
      const random = seededRandom(seed);
      for (let n = 0; n < batch; n++) {
        const text = randomPlanText(random);
        const chunks = randomChunks(random, text);
        const fault = faultWith(text, chunks);
        if (fault !== undefined) faults.push(`seed ${seed}, text ${n}: ${fault}: ${JSON.stringify(chunks)}`);
      }
    }
    expect(faults.slice(0, 3)).toEqual([]);
  },
);

test.each(["xml", "json"] as const)("twice as many subtasks are twice the steps, in plans of 10,000 and of 20,000 (%s)", (format) => {
  const stepsFor = (count: number): number => {
    const parts = Array.from({ length: count }, () =>
      format === "xml" ? "<task><type>t</type><description>Do it.</description></task>" : '{"type":"t","description":"Do it."}',
    );
    const text = format === "xml" ? `<tasks>${parts.join("\n")}</tasks>` : `{"subtasks":[${parts.join(",\n")}]}`;
    const reader = newReader(format);
    for (let from = 0; from < text.length; from += 37) reader.push(text.slice(from, from + 37));
    expect(reader.end().state).toBe("closed");
    return reader.steps;
  };
  expect(stepsFor(20_000) / stepsFor(10_000)).toBeCloseTo(2, 1);
});
