/** A subtask of a plan that is being varied, by what ties it to the others. */
export interface Tied {
  /** What the others may call it: its id, or what is made from its type. */
  readonly name: string;
  readonly after: readonly string[];
}

/** Ids as plans make them from types, so that a reference by such a name is found. */
export function nameFrom(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");
}

/**
 * Another order for these subtasks, as their indices: turned around, then each moved behind what it depends on. The
 * first turn from `turn` on that changes anything is taken; where nothing can change, the order stays.
 */
export function arrange(items: readonly Tied[], turn: number): number[] {
  const inOrder = items.map((_, index) => index);
  for (let tries = 0; tries < items.length; tries++) {
    const by = (turn + tries) % items.length;
    const order = prerequisitesFirst(items, [...inOrder.slice(by), ...inOrder.slice(0, by)]);
    if (order.some((index, place) => index !== place)) return order;
  }
  return inOrder;
}

function prerequisitesFirst(items: readonly Tied[], order: readonly number[]): number[] {
  const names = new Set(items.map((item) => item.name));
  const placed = new Set<string>();
  const result: number[] = [];
  let waiting = [...order];
  while (waiting.length > 0) {
    const ready = waiting.find((index) => items[index]?.after.every((name) => placed.has(name) || !names.has(name)));
    // A circle has no right order; it stays as it came.
    if (ready === undefined) return [...result, ...waiting];
    result.push(ready);
    placed.add(items[ready]?.name ?? "");
    waiting = waiting.filter((index) => index !== ready);
  }
  return result;
}
