import { keyOf } from "../names.ts";
import type { Planned } from "../subtask.ts";

/** A subtask that will not run, because one that it needs did not succeed. */
export interface Blocked {
  readonly planned: Planned;
  /** Id of the subtask that did not succeed. */
  readonly because: string;
}

interface Entry {
  readonly planned: Planned;
  /** Keys of what it still waits for. */
  readonly waitsFor: Set<string>;
  /** `lost`: it did not succeed; `blocked`: it never ran, since one that it needs did not. */
  state: "waiting" | "released" | "done" | "lost" | "blocked";
}

/**
 * Knows which subtasks may start. Subtasks come while the plan is being written, so one may wait for another that is not
 * there yet; only when the plan is over is a name that nobody has known to be unknown.
 *
 * Data and answers only: it starts nothing. The work over a whole run is linear in subtasks and dependencies.
 */
export class ReadySet {
  readonly #entries = new Map<string, Entry>();
  /** Who waits for a key, present or not. */
  readonly #waiting = new Map<string, Entry[]>();

  /** Takes a subtask in. What can start now: itself, or nothing; or it is blocked already. */
  add(planned: Planned): { ready: Planned[]; blocked: Blocked[] } {
    const key = keyOf(planned.subtask.id);
    const entry: Entry = { planned, waitsFor: new Set(), state: "waiting" };
    this.#entries.set(key, entry);
    for (const name of planned.subtask.dependsOn) {
      const needed = keyOf(name);
      const other = this.#entries.get(needed);
      if (other?.state === "done" || entry.waitsFor.has(needed)) continue;
      if (other?.state === "lost" || other?.state === "blocked") return { ready: [], blocked: this.#lose(entry, other.planned.subtask.id) };
      entry.waitsFor.add(needed);
      const others = this.#waiting.get(needed);
      if (others === undefined) this.#waiting.set(needed, [entry]);
      else others.push(entry);
    }
    return { ready: this.#release([entry]), blocked: [] };
  }

  /** Takes in a subtask that has ended before, whatever it had waited for. */
  addEnded(planned: Planned, succeeded: boolean): { ready: Planned[]; blocked: Blocked[] } {
    this.#entries.set(keyOf(planned.subtask.id), { planned, waitsFor: new Set(), state: "released" });
    return this.settle(planned.subtask.id, succeeded);
  }

  /**
   * One that had not succeeded is written anew: it waits again, and so do those that were blocked for its sake, unless another one
   * blocks them, too.
   */
  replace(planned: Planned): { ready: Planned[]; blocked: Blocked[]; reopened: Planned[] } {
    const before = this.#entries.get(keyOf(planned.subtask.id));
    // It may have been reopened, and wait for another one: that is over.
    if (before !== undefined) before.state = "lost";
    const reopened = this.#blockedBehind(keyOf(planned.subtask.id));
    for (const entry of reopened) this.#entries.delete(keyOf(entry.planned.subtask.id));
    const first = this.add(planned);
    const others = reopened.map((entry) => this.add(entry.planned));
    const blocked = [first, ...others].flatMap((one) => one.blocked);
    const lost = new Set(blocked.map((one) => one.planned));
    return { ready: [first, ...others].flatMap((one) => one.ready), blocked, reopened: reopened.map((one) => one.planned).filter((one) => !lost.has(one)) };
  }

  /** A released subtask has ended. Says who can start now, and who never will. */
  settle(id: string, succeeded: boolean): { ready: Planned[]; blocked: Blocked[] } {
    const entry = this.#entries.get(keyOf(id));
    if (entry === undefined) return { ready: [], blocked: [] };
    if (!succeeded) {
      entry.state = "lost";
      return { ready: [], blocked: this.#loseThoseAfter(entry) };
    }
    entry.state = "done";
    const waiting = this.#takeWaiting(keyOf(id));
    for (const other of waiting) other.waitsFor.delete(keyOf(id));
    return { ready: this.#release(waiting), blocked: [] };
  }

  /** The plan is over: unknown names are waited for no longer; who waits in a circle, or behind one, is told. */
  close(): { ready: Planned[]; cycle: Planned[]; blocked: Blocked[] } {
    const freed = new Set<Entry>();
    for (const key of [...this.#waiting.keys()]) {
      if (this.#entries.has(key)) continue;
      for (const entry of this.#takeWaiting(key)) {
        entry.waitsFor.delete(key);
        freed.add(entry);
      }
    }
    const ready = this.#release([...freed]);
    const cycle = this.#onCycles();
    for (const entry of cycle) entry.state = "lost";
    const blocked = cycle.flatMap((entry) => this.#loseThoseAfter(entry));
    return { ready, cycle: cycle.map((entry) => entry.planned), blocked };
  }

  #release(entries: readonly Entry[]): Planned[] {
    const ready = entries.filter((entry) => entry.state === "waiting" && entry.waitsFor.size === 0);
    for (const entry of ready) entry.state = "released";
    return ready.map((entry) => entry.planned);
  }

  #takeWaiting(key: string): Entry[] {
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    return waiting;
  }

  /** Those that were blocked for the sake of one, over others or directly. */
  #blockedBehind(key: string): Entry[] {
    const dependants = new Map<string, Entry[]>();
    for (const entry of this.#entries.values()) {
      if (entry.state !== "blocked") continue;
      for (const name of entry.planned.subtask.dependsOn) {
        const others = dependants.get(keyOf(name));
        if (others === undefined) dependants.set(keyOf(name), [entry]);
        else others.push(entry);
      }
    }
    const found = new Set<Entry>();
    const queue = [key];
    // The queue grows while it is gone through.
    for (const one of queue) {
      for (const entry of dependants.get(one) ?? []) {
        if (found.has(entry)) continue;
        found.add(entry);
        queue.push(keyOf(entry.planned.subtask.id));
      }
    }
    return [...found];
  }

  #lose(entry: Entry, because: string): Blocked[] {
    entry.state = "blocked";
    return [{ planned: entry.planned, because }, ...this.#loseThoseAfter(entry)];
  }

  #loseThoseAfter(first: Entry): Blocked[] {
    const blocked: Blocked[] = [];
    const queue = [first];
    // The queue grows while it is gone through.
    for (const entry of queue) {
      for (const other of this.#takeWaiting(keyOf(entry.planned.subtask.id))) {
        if (other.state !== "waiting") continue;
        other.state = "blocked";
        blocked.push({ planned: other.planned, because: entry.planned.subtask.id });
        queue.push(other);
      }
    }
    return blocked;
  }

  /**
   * Those that wait for themselves, over others or directly: they and nobody else of whom neither a predecessor nor a
   * successor can be taken away first (Kahn's algorithm, from both ends).
   */
  #onCycles(): Entry[] {
    const left = new Map([...this.#entries].filter(([, entry]) => entry.state === "waiting"));
    const dependants = new Map<string, string[]>();
    for (const [key, entry] of left) {
      for (const needed of entry.waitsFor) {
        const others = dependants.get(needed);
        if (others === undefined) dependants.set(needed, [key]);
        else others.push(key);
      }
    }
    // Whoever waits, at the end of the chain, for something that is still running waits in no circle.
    peel(left, (key) => [...(left.get(key)?.waitsFor ?? [])], dependants);
    const needs = new Map([...left].map(([key, entry]) => [key, [...entry.waitsFor]]));
    peel(left, (key) => dependants.get(key) ?? [], needs);
    return [...left.values()];
  }
}

/** Takes away, again and again, every key that has no edge out to one that is left. */
function peel(left: Map<string, unknown>, edgesOf: (key: string) => readonly string[], backwards: ReadonlyMap<string, readonly string[]>): void {
  const degree = new Map([...left.keys()].map((key) => [key, edgesOf(key).filter((other) => left.has(other)).length]));
  const free = [...degree].filter(([, count]) => count === 0).map(([key]) => key);
  for (let key = free.pop(); key !== undefined; key = free.pop()) {
    left.delete(key);
    for (const other of backwards.get(key) ?? []) {
      const count = degree.get(other);
      if (count === undefined || !left.has(other)) continue;
      degree.set(other, count - 1);
      if (count === 1) free.push(other);
    }
  }
}
