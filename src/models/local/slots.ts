/** A fixed number of things, handed out one to a taker; who finds none waits, first come, first served. */
export class Slots<T> {
  readonly #free: T[];
  readonly #waiting: { readonly give: (slot: T) => void }[] = [];

  constructor(slots: Iterable<T>) {
    this.#free = [...slots];
  }

  /** Rejects with the signal's reason as soon as it aborts; a slot is never lost on the way. */
  take(signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const slot = this.#free.pop();
    if (slot !== undefined) return Promise.resolve(slot);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal?.reason);
      };
      const waiter = {
        give: (given: T): void => {
          signal?.removeEventListener("abort", onAbort);
          resolve(given);
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  give(slot: T): void {
    const next = this.#waiting.shift();
    if (next) next.give(slot);
    else this.#free.push(slot);
  }
}
