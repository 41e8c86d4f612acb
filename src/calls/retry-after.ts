/**
 * How long a provider asks to wait, in milliseconds: `retry-after-ms`, or `retry-after` in seconds (RFC 9110, 10.2.3).
 * Nothing where it does not say, or says it in a way that cannot be read.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>> | undefined): number | undefined {
  const ms = Number.parseFloat(headers?.["retry-after-ms"] ?? "");
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const text = headers?.["retry-after"]?.trim() ?? "";
  return /^\d+(?:\.\d+)?$/.test(text) ? Number.parseFloat(text) * 1000 : undefined;
}
