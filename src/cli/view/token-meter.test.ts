import { expect, test } from "vitest";
import { TokenMeter } from "./token-meter.ts";

test("counts what grows piece by piece, and begins anew with a new attempt", () => {
  const meter = new TokenMeter();
  const text = "The morning run, the desk, the trail: one bottle that goes along. ";
  const once = meter.count("a", { attempt: 1, text });
  expect(once).toBeGreaterThan(10);
  expect(meter.count("a", { attempt: 1, text: text.repeat(3) })).toBeGreaterThan(once * 2.5);
  expect(meter.count("a", { attempt: 1, text: text.repeat(3) })).toBeLessThan(once * 3.5);
  expect(meter.count("a", { attempt: 2, text })).toBe(once);
  expect(meter.count("b", { attempt: 1, text: "" })).toBe(0);
});
