import type { RunScope } from "../calls/run-scope.ts";
import type { Cancel, Clock } from "../runtime.ts";
import type { Admission, Governor, Permit } from "./governor.ts";

/** Anthropic keeps the start of a prompt for 5 minutes after its last use. Less what a request may be on its way. */
const keptMs = 270_000;
/** A model that reads for longer than this is not waited for. */
const patienceMs = 15_000;
/** Starts of prompts that are remembered. */
const mostPrefixes = 1_000;

/**
 * Has prompts that start alike wait for the first of them, so that they find their start in the provider's cache: it can be read
 * from there once the model has read it. Who waits holds neither a slot nor a reservation, and asks to be let out as ever when the
 * first one's reply begins, when it fails, is sent back or stopped, or when it has been reading for too long. In each run one goes
 * first where nothing is cached, so that no run waits for another.
 */
export function warmingGovernor(governor: Governor, clock: Clock): Governor {
  const prefixes = new Map<string, Prefix>();

  const prefixOf = ({ lane, prefix }: Admission): Prefix => {
    const name = `${lane}\n${prefix}`;
    const known = prefixes.get(name);
    if (known !== undefined) return known;
    if (prefixes.size >= mostPrefixes)
      for (const [other, { leads, warmUntil }] of prefixes) if (leads.size === 0 && warmUntil <= clock.now()) prefixes.delete(other);
    const added = { leads: new Map<RunScope, Lead>(), warmUntil: Number.NEGATIVE_INFINITY };
    prefixes.set(name, added);
    return added;
  };

  /** Resolves when an attempt may ask to be let out; with the lead, where it goes first. */
  const turn = async (admission: Admission, prefix: Prefix): Promise<Lead | undefined> => {
    const { run, signal } = admission;
    while (prefix.warmUntil <= clock.now() && !signal.aborted) {
      const end = Math.min(admission.until, admission.claim?.end?.at ?? Number.POSITIVE_INFINITY);
      if (end <= clock.now()) return undefined;
      const lead = prefix.leads.get(run);
      if (lead === undefined) return new Lead(run, prefix, clock);
      if (lead.isOverdue) return undefined;
      await lead.change(signal, end);
    }
    return undefined;
  };

  return {
    async admit(admission) {
      if (admission.prefix === undefined) return await governor.admit(admission);
      const prefix = prefixOf(admission);
      const lead = await turn(admission, prefix);
      let permit: Permit;
      try {
        permit = await governor.admit(admission);
      } catch (thrown) {
        lead?.end();
        throw thrown;
      }
      lead?.letOut();
      return {
        accepted: (headers) => permit.accepted(headers),
        began: () => {
          prefix.warmUntil = clock.now() + keptMs;
          lead?.end();
          permit.began();
        },
        release: () => {
          lead?.end();
          permit.release();
        },
        throttled: (retryAfterMs, settle) => {
          lead?.end();
          return permit.throttled(retryAfterMs, settle);
        },
        refused: (error) => {
          lead?.end();
          permit.refused(error);
        },
      };
    },
  };
}

/** What is known of the start of some prompts, in one lane. */
interface Prefix {
  /** By the run whose first it is. */
  readonly leads: Map<RunScope, Lead>;
  /** In epoch milliseconds. */
  warmUntil: number;
}

/** The attempt that goes first. Until it ends, others of its run wait for it, but not when it is overdue. */
class Lead {
  isOverdue = false;
  readonly #run: RunScope;
  readonly #prefix: Prefix;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #cancel: Cancel | undefined;

  constructor(run: RunScope, prefix: Prefix, clock: Clock) {
    this.#run = run;
    this.#prefix = prefix;
    this.#clock = clock;
    prefix.leads.set(run, this);
  }

  /** It is on its way. Before that, whoever waits for it would stand behind it in any case. */
  letOut(): void {
    this.#cancel = this.#clock.setTimer(patienceMs, () => {
      this.isOverdue = true;
      this.#wake();
    });
  }

  /** Further calls do nothing. */
  end(): void {
    if (this.#prefix.leads.get(this.#run) !== this) return;
    this.#prefix.leads.delete(this.#run);
    this.#cancel?.();
    this.#wake();
  }

  /** Resolves when it has ended or is overdue; at the latest when the signal aborts, or at that time. */
  change(signal: AbortSignal, until: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        cancel();
        resolve();
      };
      const cancel = this.#clock.setTimer(until - this.#clock.now(), done);
      this.#waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
