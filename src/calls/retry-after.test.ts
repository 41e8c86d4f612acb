import { expect, test } from "vitest";
import { retryAfterMs, retryInfoMs } from "./retry-after.ts";

test.each<[string, Record<string, string> | undefined, number | undefined]>([
  ["no headers", undefined, undefined],
  ["no such header", { "content-type": "text/html" }, undefined],
  ["seconds", { "retry-after": "30" }, 30_000],
  ["seconds with a fraction", { "retry-after": " 0.5 " }, 500],
  ["milliseconds, before seconds", { "retry-after-ms": "1500.5", "retry-after": "30" }, 1500.5],
  ["milliseconds that cannot be read, then seconds", { "retry-after-ms": "soon", "retry-after": "2" }, 2_000],
  ["a date, counted from the response's own", { "retry-after": "Sun, 22 Nov 2026 20:00:30 GMT", date: "Sun, 22 Nov 2026 20:00:00 GMT" }, 30_000],
  ["a date that has passed", { "retry-after": "Sun, 22 Nov 2026 19:00:00 GMT", date: "Sun, 22 Nov 2026 20:00:00 GMT" }, undefined],
  ["a date without the response's own, counted from now", { "retry-after": "Sun, 22 Nov 2026 20:00:30 GMT" }, 20_000],
  ["a date beside one that cannot be read, counted from now", { "retry-after": "Sun, 22 Nov 2026 20:00:30 GMT", date: "today" }, 20_000],
  ["something else", { "retry-after": "later" }, undefined],
  ["a number below nothing", { "retry-after": "-5", "retry-after-ms": "-1" }, undefined],
  ["a number without end", { "retry-after": "9".repeat(400) }, undefined],
  ["no wait at all", { "retry-after": "0" }, 0],
])("%s", (_, headers, ms) => {
  expect(retryAfterMs(headers, Date.UTC(2026, 10, 22, 20, 0, 10))).toBe(ms);
});

const google = (...details: unknown[]): unknown => ({ error: { code: 429, status: "RESOURCE_EXHAUSTED", details } });
const info = "type.googleapis.com/google.rpc.RetryInfo";

test.each<[string, unknown, number | undefined]>([
  ["seconds", google({ "@type": info, retryDelay: "34s" }), 34_000],
  ["a fraction, among other details", google({ "@type": "type.googleapis.com/google.rpc.Help" }, { "@type": info, retryDelay: "0.250s" }), 250],
  ["no such detail", google({ reason: "RATE_LIMIT_EXCEEDED" }), undefined],
  ["a delay in other words", google({ retryDelay: "soon" }), undefined],
  ["an error of another shape", { error: "busy" }, undefined],
  ["nothing", undefined, undefined],
])("what Google's error data says: %s", (_, data, ms) => {
  expect(retryInfoMs(data)).toBe(ms);
});
