import { DivvyError, toDivvyError } from "../errors.ts";
import { type Cancel, type Clock, sleep } from "../runtime.ts";

/** How long a busy store is tried again, in milliseconds, and the pause between tries. */
const patienceMs = 10_000;
const pauseMs = 50;

/** How long one try may stay without an answer: several waits, so that a standstill of this process counts as one of them at most. */
const waitMs = 5_000;
const waits = 3;

/** Another process's write ends soon: a busy store is asked again for a while. Rejects with the store's `DivvyError`. */
export async function patiently<T>(clock: Clock, ask: () => Promise<T>): Promise<T> {
  const until = clock.now() + patienceMs;
  for (;;) {
    try {
      return await answered(clock, ask);
    } catch (thrown) {
      const error = toDivvyError(thrown);
      if (error.code !== "ledger_busy" || clock.now() >= until) throw error;
      await sleep(clock, pauseMs);
    }
  }
}

/** Asks once. A store that never answers must not keep a run from its end: rejects with `ledger_busy` after 15 s. */
export async function answered<T>(clock: Clock, ask: () => Promise<T>): Promise<T> {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  let cancel: Cancel = () => undefined;
  const wait = (left: number): void => {
    cancel = clock.setTimer(waitMs, () => {
      if (left > 1) wait(left - 1);
      else
        reject(new DivvyError("ledger_busy", `The ledger gave no answer for ${(waitMs * waits) / 1000} s.`, { hint: "Check its store; then resume the run." }));
    });
  };
  wait(waits);
  try {
    return await Promise.race([ask(), silence]);
  } finally {
    cancel();
  }
}
