import type { Admission } from "./governor.ts";
import type { Lane } from "./lane.ts";

/** An attempt that waits to be let out. */
export interface Waiting {
  readonly admission: Admission;
  readonly lane: Lane;
  /** Its number in the order of asking. */
  readonly order: number;
  readonly go: () => void;
  readonly fail: (reason: unknown) => void;
}

/** The attempts of one run: how many are in flight, and who waits, for each lane the best first. */
export class Line {
  inFlight = 0;
  readonly #waiting = new Map<Lane, Waiting[]>();

  get isEmpty(): boolean {
    return this.inFlight === 0 && this.#waiting.size === 0;
  }

  /** Who goes first for each lane. */
  *heads(): Iterable<Waiting> {
    for (const [head] of this.#waiting.values()) if (head !== undefined) yield head;
  }

  has({ lane, order }: Waiting): boolean {
    return this.#waiting.get(lane)?.some((other) => other.order === order) ?? false;
  }

  add(waiting: Waiting): void {
    const queue = this.#waiting.get(waiting.lane) ?? [];
    this.#waiting.set(waiting.lane, queue);
    let at = queue.length;
    for (let last = queue[at - 1]; last !== undefined && goesBefore(waiting, last); last = queue[at - 1]) at--;
    queue.splice(at, 0, waiting);
    waiting.lane.waiting++;
  }

  remove(waiting: Waiting): void {
    const queue = this.#waiting.get(waiting.lane) ?? [];
    const at = queue.indexOf(waiting);
    if (at === -1) return;
    queue.splice(at, 1);
    if (queue.length === 0) this.#waiting.delete(waiting.lane);
    waiting.lane.waiting--;
  }

  /** Those of whom it is true. */
  all(isWanted: (waiting: Waiting) => boolean): Waiting[] {
    return [...this.#waiting.values()].flat().filter(isWanted);
  }
}

/** By rank, then by age, then in the order of asking. */
export function goesBefore(a: Waiting, b: Waiting): boolean {
  return (a.admission.rank - b.admission.rank || a.admission.since - b.admission.since || a.order - b.order) < 0;
}
