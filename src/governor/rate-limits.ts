/** What a provider may count. `tokens` are those of input and output together. */
export type Counted = "requests" | "tokens" | "inputTokens" | "outputTokens";

/** One limit, as the headers of an answer tell it. */
export interface Limit {
  readonly counts: Counted;
  readonly limit: number;
  readonly remaining: number;
  /** Until it is full again, in milliseconds. */
  readonly resetMs: number;
}

type Headers = Readonly<Record<string, string>>;
type Field = "limit" | "remaining" | "reset";

/**
 * The names of the headers: Anthropic's (docs.anthropic.com, "Rate limits"), and OpenAI's (platform.openai.com, "Rate limits"), which
 * compatible servers send too; without a word for what is counted they mean requests.
 */
const families: readonly { readonly counts: Counted; readonly name: (field: Field) => string }[] = [
  { counts: "requests", name: (field) => `anthropic-ratelimit-requests-${field}` },
  { counts: "inputTokens", name: (field) => `anthropic-ratelimit-input-tokens-${field}` },
  { counts: "outputTokens", name: (field) => `anthropic-ratelimit-output-tokens-${field}` },
  { counts: "requests", name: (field) => `x-ratelimit-${field}-requests` },
  { counts: "tokens", name: (field) => `x-ratelimit-${field}-tokens` },
  { counts: "requests", name: (field) => `x-ratelimit-${field}` },
  { counts: "requests", name: (field) => `ratelimit-${field}` },
];

/** The limits that an answer tells of; what cannot be read is left out. */
export function rateLimits(headers: Headers | undefined): readonly Limit[] {
  if (headers === undefined) return [];
  const date = dateOf(headers, Number.NaN);
  const found = new Map<Counted, Limit>();
  for (const { counts, name } of families) {
    const [limit, remaining] = [Number(headers[name("limit")] ?? Number.NaN), Number(headers[name("remaining")] ?? Number.NaN)];
    const resetMs = resetIn(headers[name("reset")], date);
    if (!(limit > 0) || !(remaining >= 0) || resetMs === undefined || found.has(counts)) continue;
    found.set(counts, { counts, limit, remaining, resetMs });
  }
  return [...found.values()];
}

/**
 * How long to wait for the limits of which nothing is left, in milliseconds: until the last of them is full again. Nothing where
 * there is no such limit, or nobody says until when.
 *
 * @param now in epoch milliseconds, for an answer without a date of its own
 */
export function spentLimitMs(headers: Headers | undefined, now: number): number | undefined {
  if (headers === undefined) return undefined;
  const spent = families.filter(({ name }) => /^0(?:\.0+)?$/.test(headers[name("remaining")]?.trim() ?? ""));
  const resets = spent.map(({ name }) => resetIn(headers[name("reset")], dateOf(headers, now))).filter((ms) => ms !== undefined);
  return resets.length === 0 ? undefined : Math.max(...resets);
}

/** When an answer was given, in epoch milliseconds: as it says itself, for its times count from there, else `now`. */
export function dateOf(headers: Headers | undefined, now: number): number {
  const date = Date.parse(headers?.["date"] ?? "");
  return Number.isNaN(date) ? now : date;
}

/** Numbers over these are no seconds from now, but a time: in seconds, or in milliseconds, since the Unix epoch. */
const epochSeconds = 1e9;
const epochMs = 1e12;

/** A time to come as a date (RFC 3339), as `6m0s` or `20ms`, in seconds, or as a Unix time. Dates count from the answer's own. */
function resetIn(text: string | undefined, date: number): number | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const number = Number(text);
  const until = number >= epochMs ? number : number >= epochSeconds ? number * 1_000 : Date.parse(text);
  const ms = number < epochSeconds ? number * 1_000 : (durationMs(text) ?? until - date);
  return ms >= 0 ? ms : undefined;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(text.trim())) return undefined;
  let ms = 0;
  for (const [, amount, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) ms += Number(amount) * (units[unit] ?? 0);
  return ms;
}
