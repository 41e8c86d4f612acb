import { APICallError } from "@ai-sdk/provider";

/** More than this is not looked through, and so not kept. */
const mostValues = 500;
const longestText = 16_384;

/**
 * What was thrown, where it may be kept as an error's cause: loggers print causes. An `APICallError` holds the whole request with
 * the provider's options, and the response; what it says stands in the evidence. Anything else is kept unless it holds a secret.
 *
 * @param hide gives another text where it finds a secret
 */
export function keptCause(thrown: unknown, hide: (text: string) => string): { readonly cause?: unknown } {
  const left: unknown[] = [thrown];
  const seen = new Set<unknown>();
  for (let value = left.pop(); left.length > 0 || value !== undefined; value = left.pop()) {
    if (typeof value === "string" && (value.length > longestText || hide(value) !== value)) return {};
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    if (APICallError.isInstance(value) || seen.size >= mostValues) return {};
    seen.add(value);
    // An accessor, on newer engines.
    if (value instanceof Error) left.push(value.stack);
    for (const [name, { value: held }] of Object.entries(Object.getOwnPropertyDescriptors(value))) left.push(name, held);
  }
  return { cause: thrown };
}
