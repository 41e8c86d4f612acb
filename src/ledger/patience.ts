import { toDivvyError } from "../errors.ts";
import { type Clock, sleep } from "../runtime.ts";

/** How long a busy store is tried again, in milliseconds, and the pause between tries. */
const patienceMs = 10_000;
const pauseMs = 50;

/** Another process's write ends soon: a busy store is asked again for a while. Rejects with the store's `DivvyError`. */
export async function patiently<T>(clock: Clock, ask: () => Promise<T>): Promise<T> {
  const until = clock.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (thrown) {
      const error = toDivvyError(thrown);
      if (error.code !== "ledger_busy" || clock.now() >= until) throw error;
      await sleep(clock, pauseMs);
    }
  }
}
