import type { ErrorCode, ErrorData } from "./errors.ts";

/** The error of several that is there most often. */
export interface Commonest {
  /** The first of its code. */
  readonly error: ErrorData;
  readonly count: number;
  /** How many failed for each reason, the commonest first. */
  readonly causes: Readonly<Partial<Record<ErrorCode, number>>>;
}

/** Of several as often, the one whose like came first; nothing where there are none. */
export function commonest(errors: readonly ErrorData[]): Commonest | undefined {
  const byCode = [...Map.groupBy(errors, ({ code }) => code)].toSorted(([, a], [, b]) => b.length - a.length);
  const [error] = byCode[0]?.[1] ?? [];
  if (error === undefined) return undefined;
  const counts = byCode.map(([code, alike]) => [code, alike.length] as const);
  return { error, count: counts[0]?.[1] ?? 0, causes: Object.fromEntries(counts) };
}
