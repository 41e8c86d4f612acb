import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { type VirtualClock, virtualClock } from "../testing/virtual-clock.ts";
import { type HeldRun, holdRun, type ProcessIdentity } from "./lease-keeper.ts";
import type { Ledger, LeaseOwner } from "./ledger.ts";
import { someone } from "./ledger-fixture.ts";
import { memoryLedger } from "./memory-ledger.ts";

const us: LeaseOwner = { ...someone, pid: 1 };
const them: LeaseOwner = { ...someone, pid: 2 };

function identity(owner: LeaseOwner, clock: VirtualClock, dead: readonly LeaseOwner[] = []): ProcessIdentity {
  return { owner, isDead: (other) => dead.includes(other), now: clock.now };
}

interface Held {
  readonly run: HeldRun;
  /** How often it was said to be lost. */
  lost(): number;
}

async function hold(ledger: Ledger, clock: VirtualClock, who: ProcessIdentity = identity(us, clock)): Promise<Held> {
  let lost = 0;
  const run = await holdRun(ledger, "r", who, clock, () => void lost++);
  return { run, lost: () => lost };
}

/** A ledger whose renewals go through the test's hands. */
function withRenewals(store: Ledger, renewLease: (renew: () => Promise<boolean>) => Promise<boolean>): Ledger {
  return { ...store, renewLease: (...lease) => renewLease(() => store.renewLease(...lease)) };
}

describe("a lease", () => {
  test("is the run's first, and holds for thirty seconds", async () => {
    const [ledger, clock] = [memoryLedger(), virtualClock(50_000)];
    const { run } = await hold(ledger, clock);
    expect(run.epoch).toBe(1);
    expect(await ledger.readLease("r")).toEqual({ epoch: 1, owner: us, expiresAt: 80_000 });
  });

  test("goes to one of two that ask at once", async () => {
    const [ledger, clock] = [memoryLedger(), virtualClock()];
    const ends = await Promise.allSettled([us, them].map((owner) => hold(ledger, clock, identity(owner, clock))));
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(ends[1]).toMatchObject({ reason: { code: "run_held", message: "The run r is being carried out by process 1 on somewhere." } });
    expect(clock.pending).toBe(1);
  });

  test("is refused as long as it is renewed, however long that is", async () => {
    const [ledger, clock] = [memoryLedger(), virtualClock()];
    const { lost } = await hold(ledger, clock);
    for (let minute = 0; minute < 10; minute++) {
      await clock.advance(60_000);
      await expect(hold(ledger, clock, identity(them, clock))).rejects.toMatchObject({ code: "run_held" });
    }
    expect(lost()).toBe(0);
  });

  test("passes on at once when its owner is dead, and raises the epoch", async () => {
    const [ledger, clock] = [memoryLedger(), virtualClock()];
    await ledger.takeLease("r", { epoch: 1, owner: us, expiresAt: 30_000 });
    const { run } = await hold(ledger, clock, identity(them, clock, [us]));
    expect(run.epoch).toBe(2);
    expect(await ledger.readLease("r")).toEqual({ epoch: 2, owner: them, expiresAt: 30_000 });
  });

  test("passes on when it has ended, where nobody can tell whether its owner is dead", async () => {
    const [ledger, clock] = [memoryLedger(), virtualClock()];
    await ledger.takeLease("r", { epoch: 1, owner: us, expiresAt: 30_000 });
    await clock.advance(29_999);
    await expect(hold(ledger, clock, identity(them, clock))).rejects.toMatchObject({ code: "run_held" });
    await clock.advance(1);
    expect((await hold(ledger, clock, identity(them, clock))).run.epoch).toBe(2);
  });

  test("passes on at once when it is given back, and leaves no timer", async () => {
    const [ledger, clock] = [memoryLedger(), virtualClock()];
    const { run, lost } = await hold(ledger, clock);
    await run.release();
    expect(clock.pending).toBe(0);
    expect((await hold(ledger, clock, identity(them, clock))).run.epoch).toBe(2);
    await clock.advance(60_000);
    expect(lost()).toBe(0);
  });

  test("is said to be lost once, when another has taken the run over, and then asks no more", async () => {
    const [store, clock] = [memoryLedger(), virtualClock()];
    let renewals = 0;
    const ledger = withRenewals(store, (renew) => {
      renewals++;
      return renew();
    });
    const { lost } = await hold(ledger, clock);
    await store.takeLease("r", { epoch: 2, owner: them, expiresAt: 100_000 });
    await clock.advance(9_999);
    expect([lost(), renewals]).toEqual([0, 0]);
    await clock.advance(600_000);
    expect([lost(), renewals, clock.pending]).toEqual([1, 1, 0]);
    expect(await store.readLease("r")).toMatchObject({ epoch: 2, expiresAt: 100_000 });
  });

  test("holds through a store that is busy, or fails, for less than twenty seconds", async () => {
    const [store, clock] = [memoryLedger(), virtualClock()];
    const ledger = withRenewals(store, (renew) => {
      const now = clock.now();
      return now >= 10_000 && now < 28_500 ? Promise.reject(new DivvyError(now < 20_000 ? "ledger_busy" : "ledger_failed", "scripted")) : renew();
    });
    const { lost } = await hold(ledger, clock);
    await clock.advance(29_500);
    // It did not wait for the last moment.
    expect(await store.readLease("r")).toMatchObject({ expiresAt: 59_000 });
    await clock.advance(600_000);
    expect([lost(), (await store.readLease("r"))?.epoch]).toEqual([0, 1]);
  });

  test("waits for a busy store when it is taken", async () => {
    const [store, clock] = [memoryLedger(), virtualClock()];
    const busyUntil =
      <A extends unknown[], T>(ms: number, ask: (...args: A) => Promise<T>) =>
      (...args: A): Promise<T> =>
        clock.now() < ms ? Promise.reject(new DivvyError("ledger_busy", "scripted")) : ask(...args);
    const ledger = { ...store, readLease: busyUntil(3_000, store.readLease), takeLease: busyUntil(6_000, store.takeLease) };
    const held = hold(ledger, clock);
    await clock.advance(6_000);
    expect((await held).run.epoch).toBe(1);
    // Counted from when it was taken, not from when it was asked for.
    expect(await store.readLease("r")).toMatchObject({ expiresAt: 36_000 });
  });

  test("stays given back, though a renewal was on its way", async () => {
    const [store, clock] = [memoryLedger(), virtualClock()];
    const gate = Promise.withResolvers<void>();
    let renewals = 0;
    const ledger = withRenewals(store, async (renew) => {
      if (++renewals === 1) await gate.promise;
      return await renew();
    });
    const { run } = await hold(ledger, clock);
    await clock.advance(10_000);
    const released = run.release();
    await clock.advance(0);
    gate.resolve();
    await released;
    expect([renewals, await store.readLease("r")]).toMatchObject([2, { epoch: 1, expiresAt: 0 }]);
    expect(clock.pending).toBe(0);
  });

  test("is let go of where the store never answers, in bounded time, though a renewal is still waited for", async () => {
    const [store, clock] = [memoryLedger(), virtualClock()];
    const { run, lost } = await hold(
      withRenewals(store, () => new Promise<never>(() => undefined)),
      clock,
    );
    await clock.advance(10_000);
    let isReleased = false;
    const released = run.release().then(() => {
      isReleased = true;
    });
    await clock.advance(30_000);
    expect([isReleased, lost(), clock.pending]).toEqual([true, 0, 0]);
    await released;
  });

  test("counts as ours where the store does not answer whose it is, after bounded time: each write is checked against its epoch", async () => {
    const [store, clock] = [memoryLedger(), virtualClock()];
    const { run } = await hold(
      withRenewals(store, () => new Promise<never>(() => undefined)),
      clock,
      { ...identity(us, clock), now: () => clock.now() * 10 },
    );
    let isOurs: boolean | undefined;
    await clock.advance(5_000);
    void run.isOurs().then((ours) => {
      isOurs = ours;
    });
    await clock.advance(40_000);
    expect(isOurs).toBe(true);
  });

  test("is given back to a busy store as soon as that can be asked", async () => {
    const [store, clock] = [memoryLedger(), virtualClock()];
    const ledger = withRenewals(store, (renew) => (clock.now() < 2_000 ? Promise.reject(new DivvyError("ledger_busy", "scripted")) : renew()));
    const { run } = await hold(ledger, clock);
    const released = run.release();
    await clock.advance(2_000);
    await released;
    expect(await store.readLease("r")).toMatchObject({ expiresAt: 0 });
  });

  test("is let go of without a word where the store is closed", async () => {
    const [ledger, clock] = [memoryLedger(), virtualClock()];
    const { run } = await hold(ledger, clock);
    await ledger.close();
    await run.release();
    expect(clock.pending).toBe(0);
  });

  test("goes by the time of day, which moves while the machine sleeps and can be set", async () => {
    const [ledger, clock] = [memoryLedger(), virtualClock()];
    let ahead = 1_000_000;
    const now = (): number => clock.now() + ahead;
    await hold(ledger, clock, { ...identity(us, clock), now });
    expect(await ledger.readLease("r")).toMatchObject({ expiresAt: 1_030_000 });
    for (const slept of [3_600_000, -7_200_000]) {
      ahead += slept;
      await clock.advance(10_000);
      expect(await ledger.readLease("r")).toMatchObject({ epoch: 1, expiresAt: now() + 30_000 });
    }
    await expect(hold(ledger, clock, { ...identity(them, clock), now })).rejects.toMatchObject({ code: "run_held" });
    expect((await hold(ledger, clock, { ...identity(them, clock), now: () => now() + 30_000 })).run.epoch).toBe(2);
  });
});
