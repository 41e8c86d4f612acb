import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { type OwnedRun, ownRun } from "./keep-run.ts";
import type { Ledger } from "./ledger.ts";
import { factOf, leaseOf, someone } from "./ledger-fixture.ts";
import { memoryLedger } from "./memory-ledger.ts";

interface Stage {
  readonly ledger: Ledger;
  own(): Promise<OwnedRun>;
  /** Lets time go by in which this process does nothing. */
  standStill(ms: number): void;
}

function stage(change: (ledger: Ledger) => Partial<Ledger> = () => ({})): Stage {
  const kept = memoryLedger();
  const ledger: Ledger = { ...kept, ...change(kept) };
  let timeOfDay = 1_000;
  const identity = { owner: someone, isDead: () => true, now: () => timeOfDay };
  return {
    ledger,
    own: () => ownRun({ ledger, identity, clock: virtualClock() }, "r"),
    standStill: (ms) => {
      timeOfDay += ms;
    },
  };
}

describe("what was committed", () => {
  test("before a standstill counts as committed only if nobody has taken the run over meanwhile", async () => {
    const { ledger, own, standStill } = stage();
    const errors: DivvyError[] = [];
    const log = (await own()).open((error) => errors.push(error));
    log.append(factOf("r", 0));
    await log.committed();
    standStill(40_000);
    await ledger.takeLease("r", leaseOf(2));
    await expect(log.committed()).rejects.toMatchObject({ code: "run_taken_over" });
    expect(errors).toMatchObject([{ code: "run_taken_over" }]);
    await log.close();
  });

  test("before a standstill counts where the run is still ours, which then is ours for as long again", async () => {
    const { ledger, own, standStill } = stage();
    const log = (await own()).open(() => undefined);
    log.append(factOf("r", 0));
    standStill(40_000);
    await log.committed();
    expect(await ledger.readLease("r")).toMatchObject({ epoch: 1, expiresAt: 71_000 });
    await log.close();
  });

  test("needs no question while the lease holds", async () => {
    let renewals = 0;
    const { own, standStill } = stage((kept) => ({
      renewLease: (...lease) => {
        renewals++;
        return kept.renewLease(...lease);
      },
    }));
    const log = (await own()).open(() => undefined);
    log.append(factOf("r", 0));
    standStill(29_000);
    await log.committed();
    expect(renewals).toBe(0);
    await log.close();
  });
});

test("a store that is busy when the log is read is asked again", async () => {
  const answers = [Promise.reject(new DivvyError("ledger_busy", "Busy.")), Promise.resolve([factOf("r", 0)])];
  const kept = memoryLedger();
  await kept.takeLease("r", leaseOf(1, 0));
  const clock = virtualClock();
  const ledger: Ledger = { ...kept, readFacts: () => answers.shift() ?? Promise.resolve([]) };
  const owned = ownRun({ ledger, identity: { owner: someone, isDead: () => true, now: () => 1_000 }, clock }, "r");
  await clock.advance(50);
  const { past, release } = await owned;
  expect(past).toEqual([factOf("r", 0)]);
  await release();
});

describe("a run that is given back for a while", () => {
  test("is free meanwhile, takes nothing down, and goes on where it stood", async () => {
    const { ledger, own } = stage();
    const log = (await own()).open(() => undefined);
    log.append(factOf("r", 0));
    await log.committed();
    await log.rest();
    expect(await ledger.readLease("r")).toMatchObject({ epoch: 1, expiresAt: 0 });
    log.append(factOf("r", 1));
    await log.committed();
    expect(await ledger.readFacts("r")).toHaveLength(1);
    await log.takeOn();
    log.append(factOf("r", 2));
    await log.committed();
    expect((await ledger.readFacts("r")).map(({ seq }) => seq)).toEqual([0, 2]);
    expect(await ledger.readLease("r")).toMatchObject({ epoch: 2 });
    await log.close();
    expect(await ledger.readLease("r")).toMatchObject({ epoch: 2, expiresAt: 0 });
  });

  test("is taken on again where another has had it and written nothing, and not where it has written", async () => {
    const { ledger, own } = stage();
    const log = (await own()).open(() => undefined);
    log.append(factOf("r", 0));
    await log.committed();
    await log.rest();
    await (await own()).release();
    await log.takeOn();
    await log.rest();
    const other = (await own()).open(() => undefined);
    other.append(factOf("r", 1));
    await other.committed();
    await other.close();
    const lease = await ledger.readLease("r");
    await expect(log.takeOn()).rejects.toMatchObject({ code: "run_taken_over" });
    // Whoever has it now was not held up.
    expect(await ledger.readLease("r")).toEqual(lease);
    await log.close();
    expect(await ledger.readFacts("r")).toHaveLength(2);
  });
});
