import type { Upstream } from "./worker-prompt.ts";

export interface BoundedUpstream {
  readonly upstream: readonly Upstream[];
  /** Ids of the results that were cut. */
  readonly cut: readonly string[];
}

/**
 * Keeps what goes upstream to a worker within a bound. Each result gets an equal share; what a short one leaves goes to the
 * longer ones. A cut says so at the place where it is.
 *
 * @param maxBytes of UTF-8, over all results together
 */
export function boundUpstream(results: readonly Upstream[], maxBytes: number): BoundedUpstream {
  const sizes = results.map(({ result }) => Buffer.byteLength(result));
  if (sizes.reduce((sum, size) => sum + size, 0) <= maxBytes) return { upstream: results, cut: [] };
  const share = fairShare(sizes, maxBytes);
  const cut = results.filter((_, index) => (sizes[index] ?? 0) > share).map(({ id }) => id);
  const upstream = results.map((entry, index) => ((sizes[index] ?? 0) > share ? { ...entry, result: cutTo(entry.result, share) } : entry));
  return { upstream, cut };
}

/** The largest share of which all together fit: short ones take less, and leave the rest to the others. */
function fairShare(sizes: readonly number[], maxBytes: number): number {
  const ascending = [...sizes].sort((a, b) => a - b);
  let left = maxBytes;
  for (const [index, size] of ascending.entries()) {
    const share = left / (ascending.length - index);
    if (size > share) return Math.floor(share);
    left -= size;
  }
  return maxBytes;
}

function cutTo(text: string, bytes: number): string {
  // As a stream that goes on: a character that is cut in half is left out.
  const kept = new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.from(text).subarray(0, bytes), { stream: true });
  return `${kept}\n[cut here: the first ${kept.length} of ${text.length} characters]`;
}
