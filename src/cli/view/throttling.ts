import type { RunState } from "../../run-state.ts";
import { oneLine } from "../writing/clean-text.ts";
import { duration } from "../../quantity.ts";

type Throttled = NonNullable<RunState["throttled"]>;

/** Why a call waits, and for how long. */
export function whyItWaits({ reason, until }: Throttled, now: number): string {
  return until > now ? `${words(reason)}, goes on in ${duration(until - now)}` : "waits for its turn";
}

/** Throttling in words, once for all calls to a model that are sent back together, however many they are. */
export class ThrottlingWaves {
  /** By model, when the last wave is over. */
  readonly #endsAt = new Map<string, number>();

  /** Nothing where it belongs to a wave that was told of. Times in epoch milliseconds. */
  lineFor({ model, reason, until }: Throttled, at: number): string | undefined {
    if ((this.#endsAt.get(model) ?? 0) > at) return undefined;
    this.#endsAt.set(model, until);
    return `${oneLine(model)} is ${words(reason)}: calls to it go on${until > at ? ` in ${duration(until - at)}` : ""}`;
  }
}

function words(reason: Throttled["reason"]): string {
  return reason.replaceAll("_", " ");
}
