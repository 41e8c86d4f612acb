import { dateOf } from "../governor/rate-limits.ts";
import { isRecord } from "../json.ts";

/** What Google says in its error's data: `retryDelay: "34s"` of a `RetryInfo` (google.rpc, error_details.proto). */
export function retryInfoMs(data: unknown): number | undefined {
  const error = isRecord(data) ? data["error"] : undefined;
  const details: unknown = isRecord(error) ? error["details"] : undefined;
  if (!Array.isArray(details)) return undefined;
  for (const detail of details) {
    const delay: unknown = isRecord(detail) ? detail["retryDelay"] : undefined;
    const [, seconds] = typeof delay === "string" ? (/^(\d+(?:\.\d+)?)s$/.exec(delay) ?? []) : [];
    if (seconds !== undefined) return Number(seconds) * 1_000;
  }
  return undefined;
}

/**
 * How long a provider asks to wait, in milliseconds: `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, 10.2.3),
 * which counts from the response's own date. Nothing where it does not say, or says it in a way that cannot be read.
 *
 * @param now in epoch milliseconds, for a response without a date of its own
 */
export function retryAfterMs(headers: Readonly<Record<string, string>> | undefined, now: number): number | undefined {
  const ms = Number.parseFloat(headers?.["retry-after-ms"] ?? "");
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const text = headers?.["retry-after"]?.trim() ?? "";
  const wait = /^\d+(?:\.\d+)?$/.test(text) ? Number.parseFloat(text) * 1000 : Date.parse(text) - dateOf(headers, now);
  return Number.isFinite(wait) && wait >= 0 ? wait : undefined;
}
