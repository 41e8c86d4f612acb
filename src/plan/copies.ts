import { keyOf } from "../names.ts";

/** Subtasks that ask for the same: how many there are of each, and who stands in for those that were dropped. */
export class Copies {
  /** How often each content stands, and the id under which it stood first. */
  readonly #standing: Map<string, { readonly count: number; readonly id: string }>;
  /** The id of the one that stands, by the key of a copy's. */
  readonly #standIns: Map<string, string>;

  constructor(of?: Copies) {
    this.#standing = new Map(of === undefined ? [] : of.#standing);
    this.#standIns = new Map(of === undefined ? [] : of.#standIns);
  }

  /** How many of that content stand already. */
  of(content: string): number {
    return this.#standing.get(content)?.count ?? 0;
  }

  /** One more stands. @param sample its number among those of its content */
  stands(id: string, content: string, sample: number): void {
    const before = this.#standing.get(content);
    this.#standing.set(content, { count: Math.max(before?.count ?? 0, sample + 1), id: before?.id ?? id });
    this.#standIns.delete(keyOf(id));
  }

  /** One is dropped, whose name nobody has: whoever comes to wait for it gets the result of the one that it copies. */
  drop(name: string, content: string): void {
    const original = this.#standing.get(content);
    if (original !== undefined) this.#standIns.set(keyOf(name), original.id);
  }

  /** Who gives the result that is waited for under that name. */
  standIn(name: string): string {
    return this.#standIns.get(keyOf(name)) ?? name;
  }
}
