/** Numbers as people read them. */
import type { Usage } from "./usage.ts";

export function tokens(count: number): string {
  if (count < 1000) return String(count);
  return count < 999_950 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1e6).toFixed(1)}M`;
}

/** What was used, with what of it came from providers' caches. @param mark before each count that is estimated */
export function usedTokens({ inputTokens = 0, inputTokenDetails, outputTokens = 0 }: Usage, mark = ""): string {
  const { cacheReadTokens = 0 } = inputTokenDetails;
  return `${mark}${tokens(inputTokens)} in${cacheReadTokens > 0 ? ` (${tokens(cacheReadTokens)} cached)` : ""}, ${mark}${tokens(outputTokens)} out`;
}

export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m ${pad(whole % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
}

/** Two figures that say something, however small. */
export function dollars(usd: number): string {
  if (usd === 0) return "$0";
  if (usd < 0.00005) return "<$0.0001";
  return `$${usd.toFixed(usd < 0.01 ? 4 : usd < 1 ? 3 : 2)}`;
}

export function count(n: number, one: string, many: string = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** "a", "a and b", "a, b and c". */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** How long ago, in two or three characters. */
export function age(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return `${Math.floor(Math.max(0, ms) / 1000)}s`;
  if (minutes < 60) return `${minutes}m`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)}h` : `${Math.floor(minutes / 1440)}d`;
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function pad(n: number): string {
  return String(n).padStart(2, "0");
}
