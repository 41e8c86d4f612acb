import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Limit } from "./rate-limits.ts";
import { TokenBucket } from "./token-bucket.ts";

const said = (limit: number, remaining: number, resetMs: number): Limit => ({ counts: "requests", limit, remaining, resetMs });
const now = Number.NEGATIVE_INFINITY;

describe("a limit that a provider tells", () => {
  test("is taken from, and fills evenly until it is full again", () => {
    const bucket = new TokenBucket(10, 0);
    bucket.learn(said(10, 2, 8_000), 0, 0);
    bucket.take(2, 0);
    expect(bucket.opensAt(1, 0)).toBe(1_000);
    expect(bucket.opensAt(3, 1_500)).toBe(3_000);
    expect(bucket.opensAt(1, 1_500)).toBe(now);
    expect(bucket.opensAt(10, 60_000)).toBe(now);
  });

  test("counts what has gone out since the attempt that it is told for", () => {
    const bucket = new TokenBucket(10, 0);
    const first = bucket.take(1, 0);
    bucket.take(1, 10);
    bucket.take(1, 20);
    // As it was when the first one came: two more are on their way.
    bucket.learn(said(10, 3, 7_000), first, 100);
    expect(bucket.opensAt(1, 100)).toBe(now);
    bucket.take(1, 100);
    expect(bucket.opensAt(1, 100)).toBe(1_100);
  });

  test("that is less than what is needed is waited for until it is full", () => {
    const bucket = new TokenBucket(100, 0);
    bucket.learn(said(100, 0, 10_000), 0, 0);
    expect(bucket.opensAt(5_000, 0)).toBe(10_000);
  });

  test("of long ago holds nobody up: then the provider is asked", () => {
    const bucket = new TokenBucket(10, 0);
    bucket.learn(said(10, 0, 86_400_000), 0, 0);
    expect(bucket.opensAt(1, 0)).toBe(60_000);
    expect(bucket.opensAt(1, 60_001)).toBeLessThanOrEqual(60_001);
  });
});

test("never lets more out in any time than was there and came in meanwhile, and nobody waits for ever", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.nat({ max: 50 }),
      fc.integer({ min: 100, max: 20_000 }),
      fc.array(fc.nat({ max: 500 }), { maxLength: 60 }),
      (limit, left, resetMs, gaps) => {
        const remaining = Math.min(limit, left);
        const bucket = new TokenBucket(limit, 0);
        bucket.learn(said(limit, remaining, resetMs), 0, 0);
        const perMs = remaining < limit ? (limit - remaining) / resetMs : limit / 60_000;
        let [at, out] = [0, 0];
        for (const gap of gaps) {
          at += gap;
          const opensAt = bucket.opensAt(1, at);
          expect(opensAt).toBeLessThanOrEqual(at + 60_000);
          if (opensAt > at) continue;
          bucket.take(1, at);
          out++;
          expect(out).toBeLessThanOrEqual(remaining + at * perMs + 1e-6);
        }
      },
    ),
  );
});
