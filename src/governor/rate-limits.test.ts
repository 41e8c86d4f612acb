import { describe, expect, test } from "vitest";
import { rateLimits, spentLimitMs } from "./rate-limits.ts";

describe("limits in headers", () => {
  test("as Anthropic sends them: dates, counted from the answer's own", () => {
    const headers = {
      date: "Mon, 23 Nov 2026 10:00:00 GMT",
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "49",
      "anthropic-ratelimit-requests-reset": "2026-11-23T10:00:01Z",
      "anthropic-ratelimit-input-tokens-limit": "30000",
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": "2026-11-23T10:01:00Z",
      "anthropic-ratelimit-output-tokens-limit": "8000",
      "anthropic-ratelimit-output-tokens-remaining": "8000",
      "anthropic-ratelimit-output-tokens-reset": "2026-11-23T10:00:00Z",
    };
    expect(rateLimits(headers)).toEqual([
      { counts: "requests", limit: 50, remaining: 49, resetMs: 1_000 },
      { counts: "inputTokens", limit: 30_000, remaining: 0, resetMs: 60_000 },
      { counts: "outputTokens", limit: 8_000, remaining: 8_000, resetMs: 0 },
    ]);
  });

  test.each([
    ["20ms", 20],
    ["1s", 1_000],
    ["7.66s", 7_660],
    ["6m0s", 360_000],
    ["1h2m3.5s", 3_723_500],
    ["2d", 172_800_000],
    ["12", 12_000],
    ["0", 0],
  ])("as OpenAI and compatible servers send them: reset in %s", (reset, resetMs) => {
    const headers = {
      "x-ratelimit-limit-requests": "10000",
      "x-ratelimit-remaining-requests": "9999",
      "x-ratelimit-reset-requests": reset,
      "x-ratelimit-limit-tokens": "200000",
      "x-ratelimit-remaining-tokens": "150000",
      "x-ratelimit-reset-tokens": reset,
    };
    expect(rateLimits(headers)).toEqual([
      { counts: "requests", limit: 10_000, remaining: 9_999, resetMs },
      { counts: "tokens", limit: 200_000, remaining: 150_000, resetMs },
    ]);
  });

  test.each([
    ["seconds since the epoch", String(Date.UTC(2026, 10, 23, 10, 0, 30) / 1_000)],
    ["milliseconds since the epoch", String(Date.UTC(2026, 10, 23, 10, 0, 30))],
  ])("as some servers send them: reset at %s", (_, reset) => {
    const headers = { date: "Mon, 23 Nov 2026 10:00:00 GMT", "x-ratelimit-limit": "20", "x-ratelimit-remaining": "3", "x-ratelimit-reset": reset };
    expect(rateLimits(headers)).toEqual([{ counts: "requests", limit: 20, remaining: 3, resetMs: 30_000 }]);
  });

  test.each([
    ["nothing", undefined],
    ["none", {}],
    ["no reset", { "x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "5" }],
    ["words", { "x-ratelimit-limit-requests": "many", "x-ratelimit-remaining-requests": "some", "x-ratelimit-reset-requests": "soon" }],
    ["a limit of nothing", { "x-ratelimit-limit-requests": "0", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s" }],
    [
      "a time that is over",
      { date: "Mon, 23 Nov 2026 10:00:00 GMT", "x-ratelimit-limit": "1", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-11-23T09:00:00Z" },
    ],
    ["a date without the answer's own", { "x-ratelimit-limit": "1", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-11-23T09:00:00Z" }],
  ])("are left out where they cannot be read: %s", (_, headers) => {
    expect(rateLimits(headers)).toEqual([]);
  });
});

describe("limits of which nothing is left", () => {
  const now = Date.UTC(2026, 10, 23, 10, 0, 20);

  test.each<[string, Record<string, string> | undefined, number | undefined]>([
    ["requests", { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12s" }, 12_000],
    ["tokens", { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s" }, 360_000],
    ["without a word for what is counted", { "ratelimit-remaining": "0", "ratelimit-reset": "5" }, 5_000],
    [
      "Anthropic's, counted from the answer's own date",
      {
        date: "Mon, 23 Nov 2026 10:00:00 GMT",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-11-23T10:01:00Z",
      },
      60_000,
    ],
    [
      "counted from now, where the answer has no date",
      { "anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2026-11-23T10:01:00Z" },
      40_000,
    ],
    [
      "of several the one that takes longest; what is left of others says nothing",
      {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-remaining-tokens": "0.0",
        "x-ratelimit-reset-tokens": "3s",
        "anthropic-ratelimit-requests-remaining": "5",
        "anthropic-ratelimit-requests-reset": "2026-11-23T11:00:00Z",
      },
      3_000,
    ],
    ["none", { "x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "12s" }, undefined],
    ["nobody says until when", { "x-ratelimit-remaining-requests": "0" }, undefined],
    ["nobody says how much", { "x-ratelimit-remaining-requests": "", "x-ratelimit-reset-requests": "12s" }, undefined],
    ["a time that is over", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-11-23T09:00:00Z" }, undefined],
    ["no headers", undefined, undefined],
  ])("are waited for until they are full: %s", (_, headers, ms) => {
    expect(spentLimitMs(headers, now)).toBe(ms);
  });
});
