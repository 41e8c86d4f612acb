import { seededRandom, seedFor } from "./random.ts";
import type { ReplyOptions } from "./script.ts";

/** A lognormal distribution, which times of model calls follow: half of them take less than the median, a few far more. */
export interface Lognormal {
  readonly median: number;
  /** Spread of the logarithm: 0 for none; at 0.5 one in twenty takes more than 2.3 times the median. */
  readonly sigma: number;
}

export interface LatencyOptions {
  readonly seed: number;
  /** Milliseconds to the first token. */
  readonly firstTokenMs: Lognormal;
  /** Milliseconds for each further token. One draw for a whole reply, since a reply has one speed. @default none */
  readonly tokenMs?: Lognormal | undefined;
  /** Milliseconds for the whole reply, whatever its length; `tokenMs` then counts for nothing. */
  readonly totalMs?: Lognormal | undefined;
}

/** Times of replies that look like those of real models. What it gives depends on the seed and the key alone, never on order. */
export interface LatencyModel {
  /**
   * How long the reply under this key takes in all, in milliseconds.
   *
   * @param tokens - Length of the reply. Default: 1.
   */
  sample(key: string, tokens?: number): number;
  /** The same as times of a reply of this text, to be spread into a `DoubleReply`: its first delta to its last take `sample` together. */
  timing(key: string, text: string, chunkSize?: number): { readonly [Time in keyof Pick<ReplyOptions, "firstMs" | "chunkMs" | "chunkSize">]-?: number };
}

export function latencyModel({ seed, firstTokenMs, tokenMs, totalMs }: LatencyOptions): LatencyModel {
  const draw = ({ median, sigma }: Lognormal, name: string): number => median * Math.exp(sigma * normal(seedFor(seed, name)));
  const firstOf = (key: string): number => {
    const first = draw(firstTokenMs, `first:${key}`);
    return totalMs === undefined ? first : Math.min(first, draw(totalMs, `total:${key}`));
  };
  const sample = (key: string, tokens = 1): number => {
    if (totalMs !== undefined) return draw(totalMs, `total:${key}`);
    const further = tokenMs === undefined ? 0 : Math.max(0, tokens - 1) * draw(tokenMs, `token:${key}`);
    return firstOf(key) + further;
  };
  return {
    sample,
    timing(key, text, chunkSize = 16) {
      const gaps = Math.ceil(text.length / chunkSize) - 1;
      const firstMs = firstOf(key);
      const rest = sample(key, Math.ceil(text.length / 4)) - firstMs;
      return { firstMs, chunkMs: gaps > 0 ? rest / gaps : 0, chunkSize };
    },
  };
}

/** One draw from the standard normal distribution (Box-Muller). */
function normal(seed: number): number {
  const random = seededRandom(seed);
  // 1 - x, because the logarithm of 0 is none.
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
