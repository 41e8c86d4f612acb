import { aRun } from "../../test/call-fixture.ts";
import { ranks } from "../calls/call.ts";
import { testRuntime, type VirtualClock, virtualClock } from "../testing/virtual-clock.ts";
import { adaptiveGovernor } from "./adaptive-governor.ts";
import type { Admission, Governor, Permit } from "./governor.ts";

/** An attempt that asks to be let out. */
export function anAdmission(change: Partial<Admission> = {}): Admission {
  return {
    lane: "lane",
    maxConcurrency: undefined,
    run: aRun(),
    rank: ranks.work,
    since: 0,
    signal: new AbortController().signal,
    until: 600_000,
    credential: "credential",
    demand: { inputTokens: 10, outputTokens: 100 },
    model: "test:model",
    ...change,
  };
}

/** An attempt on stage, and what became of it. */
export interface Asked {
  readonly name: string;
  permit: Permit | undefined;
  error: unknown;
  at: number | undefined;
}

export interface Stage {
  readonly clock: VirtualClock;
  readonly governor: Governor;
  readonly ask: (name: string, change?: Partial<Admission>) => Asked;
  /** Names of those let out so far, in order. */
  readonly order: () => Promise<string[]>;
  readonly permit: (asked: Asked) => Promise<Permit>;
}

/** A governor under a virtual clock, with what is put around it, and who was let out of it, in order. */
export function stage(clock: VirtualClock = virtualClock(), around: (governor: Governor) => Governor = (governor) => governor): Stage {
  const governor = around(adaptiveGovernor(testRuntime({ clock })));
  const out: Asked[] = [];
  const ask = (name: string, change: Partial<Admission> = {}): Asked => {
    const asked: Asked = { name, permit: undefined, error: undefined, at: undefined };
    void governor.admit(anAdmission({ since: clock.now(), ...change })).then(
      (permit) => {
        asked.permit = permit;
        asked.at = clock.now();
        out.push(asked);
      },
      (error: unknown) => {
        asked.error = error;
        asked.at = clock.now();
      },
    );
    return asked;
  };
  return {
    clock,
    governor,
    ask,
    order: async (): Promise<string[]> => {
      await clock.advance(0);
      return out.map(({ name }) => name);
    },
    permit: async (asked: Asked): Promise<Permit> => {
      await clock.advance(0);
      if (asked.permit === undefined) throw new Error(`${asked.name} was not let out.`);
      return asked.permit;
    },
  };
}
