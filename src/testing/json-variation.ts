import { isRecord } from "../json.ts";
import { arrange } from "./arrangement.ts";

type Item = Record<string, unknown> & { readonly id: string };

/**
 * JSON as another answer would write it, still of the same shape: lists of things with an id stand in another order and
 * have their ids and types with `suffix`, references included; prose is reworded.
 */
export function varyJson(value: unknown, turn: number, suffix: string, reword: (prose: string) => string): unknown {
  if (typeof value === "string") return isProse(value) ? reword(value) : value;
  if (Array.isArray(value)) {
    const items: unknown[] = value;
    if (items.length > 0 && items.every(isItem)) return varyItems(items, turn, suffix, reword);
    return items.map((item) => varyJson(item, turn, suffix, reword));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, varyJson(inner, turn, suffix, reword)]));
}

function varyItems(items: readonly Item[], turn: number, suffix: string, reword: (prose: string) => string): unknown[] {
  const known = new Set(items.map((item) => item.id));
  const rename = (ref: unknown): unknown => (typeof ref === "string" && known.has(ref) ? `${ref}${suffix}` : ref);
  const order = arrange(
    items.map((item) => ({ name: item.id, after: referencesOf(item) })),
    turn,
  );
  const reordered = order.flatMap((index) => items[index] ?? []);
  return reordered.map((item) => {
    const { id, type, after, ...rest } = item;
    return {
      id: rename(id),
      ...(type !== undefined && { type: typeof type === "string" ? `${type}${suffix}` : type }),
      ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, varyJson(value, turn, suffix, reword)])),
      ...(after !== undefined && { after: Array.isArray(after) ? after.map(rename) : rename(after) }),
    };
  });
}

function referencesOf(item: Item): string[] {
  const after = item["after"];
  const list: unknown[] = Array.isArray(after) ? after : [after];
  return list.filter((ref) => typeof ref === "string");
}

function isItem(value: unknown): value is Item {
  return isRecord(value) && typeof value["id"] === "string";
}

/** One word may be a name that something else refers to, or one of a fixed set: only several words are prose. */
function isProse(text: string): boolean {
  return /\S\s+\S/.test(text);
}
