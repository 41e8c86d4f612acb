/**
 * How long a provider asks to wait, in milliseconds: `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, 10.2.3),
 * which counts from the response's own date. Nothing where it does not say, or says it in a way that cannot be read.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>> | undefined): number | undefined {
  const ms = Number.parseFloat(headers?.["retry-after-ms"] ?? "");
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const text = headers?.["retry-after"]?.trim() ?? "";
  const wait = /^\d+(?:\.\d+)?$/.test(text) ? Number.parseFloat(text) * 1000 : Date.parse(text) - Date.parse(headers?.["date"] ?? "");
  return Number.isFinite(wait) && wait >= 0 ? wait : undefined;
}
