import type { EventBody } from "../events.ts";
import { noUsage } from "../usage.ts";
import type { Books, CallContext, RunBudget } from "./call.ts";

type Started = Extract<EventBody, { type: "attempt.started" }>;

/**
 * Books a call for which several wait: on the run that began it, and once that one has left, on another that still waits. An attempt
 * that is on its way then changes hands, so that it is booked once, and on a run that is not over.
 */
export class FlightBooks implements Books {
  #payer: CallContext;
  #open: Started | undefined;

  constructor(payer: CallContext) {
    this.#payer = payer;
  }

  readonly emit = (event: EventBody): void => {
    if (event.type === "attempt.started") this.#open = event;
    if (event.type === "attempt.settled") this.#open = undefined;
    this.#payer.run.emit(asOf(event, this.#payer));
  };

  get budget(): RunBudget | undefined {
    return this.#payer.run.budget;
  }

  /** Where the payer leaves meanwhile, what counts is the log of the one who pays from then on. */
  readonly committed = async (): Promise<void> => {
    let payer: CallContext;
    do {
      payer = this.#payer;
      try {
        await payer.run.committed();
      } catch (thrown) {
        if (payer === this.#payer) throw thrown;
      }
    } while (payer !== this.#payer);
  };

  leave(waiter: CallContext, next: CallContext): void {
    if (waiter !== this.#payer) return;
    const open = this.#open;
    if (open !== undefined) this.emit({ type: "attempt.settled", role: open.role, attempt: open.attempt, usage: noUsage, cost: 0 });
    this.#payer = next;
    // Not a call of its own, nor a new text: it goes on from where it is.
    if (open !== undefined) this.emit({ ...open, requeues: open.requeues + 1 });
  }
}

/** In the payer's plan, the subtask may go by another name. */
function asOf(event: EventBody, { subtaskId }: CallContext): EventBody {
  return "role" in event && subtaskId !== undefined ? { ...event, subtaskId } : event;
}
