import type { EventBody } from "../events.ts";
import { refOf } from "../role.ts";
import { noUsage } from "../usage.ts";
import type { Books, CallContext } from "./call.ts";
import type { AttemptClaim, AttemptNeed, CallBudget } from "./run-budget.ts";

type Started = Extract<EventBody, { type: "attempt.started" }>;

/**
 * Books a call for which several wait: on the run that began it, and once that one has left, on another that still waits. An attempt
 * that is on its way then changes hands, so that it is booked once, and on a run that is not over.
 * What is reserved for it goes with it, from the one's budget to the other's.
 */
export class FlightBooks implements Books {
  #payer: CallContext;
  #open: Started | undefined;
  #reserved: { readonly need: AttemptNeed; readonly claim: AttemptClaim | undefined } | undefined;

  constructor(payer: CallContext) {
    this.#payer = payer;
  }

  readonly emit = (event: EventBody): void => {
    if (event.type === "attempt.started") this.#open = event;
    if (event.type === "attempt.settled") this.#open = undefined;
    this.#payer.run.emit(asOf(event, this.#payer));
  };

  readonly budget: CallBudget = this.#budgetOfPayer();

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

  /** Is it booked on this one's run? */
  areOf(waiter: CallContext): boolean {
    return waiter === this.#payer;
  }

  /** False where the next one's budget does not allow it now what is reserved for an attempt on its way: then nothing has changed. */
  leave(waiter: CallContext, next: CallContext): boolean {
    if (waiter !== this.#payer) return true;
    const reserved = this.#reserved;
    if (reserved !== undefined) {
      const claim = next.run.budget?.claim(needOf(reserved.need, next));
      if (claim !== undefined && claim.reserve() !== "reserved") return false;
      reserved.claim?.giveBack();
      this.#reserved = { need: reserved.need, claim };
    }
    const open = this.#open;
    if (open !== undefined) this.emit({ type: "attempt.settled", ...refOf(open), attempt: open.attempt, usage: noUsage, cost: 0, calls: 0 });
    this.#payer = next;
    // Not a call of its own, nor a new text: it goes on from where it is.
    if (open !== undefined) this.emit({ ...open, requeues: open.requeues + 1 });
    return true;
  }

  #budgetOfPayer(): CallBudget {
    const payer = (): CallContext["run"] => this.#payer.run;
    const claimNow = (need: AttemptNeed): AttemptClaim | undefined => payer().budget?.claim(needOf(need, this.#payer));
    return {
      // Whoever shares calls may come to pay for those of one who is not bounded in dollars.
      get inDollars() {
        return payer().budget?.inDollars === true || payer().cache !== payer().runId;
      },
      claim: (need) => ({
        get end() {
          return claimNow(need)?.end;
        },
        reserve: () => {
          const claim = claimNow(need);
          const said = claim?.reserve() ?? "reserved";
          if (said === "reserved") this.#reserved = { need, claim };
          return said;
        },
        giveBack: () => {
          this.#reserved?.claim?.giveBack();
          this.#reserved = undefined;
        },
      }),
      spend: (used, isBeyondCap) => payer().budget?.spend(used, isBeyondCap),
      answerReads: (tokens) => payer().budget?.answerReads(tokens, this.#payer.subtaskId),
    };
  }
}

function needOf({ reserved, cost }: AttemptNeed, payer: CallContext): AttemptNeed {
  return { ...refOf(payer), reserved, cost };
}

/** In the payer's plan, the subtask may go by another name, or the part of it. */
function asOf(event: EventBody, payer: CallContext): EventBody {
  return "role" in event ? { ...event, ...refOf(payer) } : event;
}
