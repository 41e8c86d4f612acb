import { DivvyError } from "../errors.ts";
import type { Cancel, Clock } from "../runtime.ts";
import type { Ledger, Lease, LeaseOwner } from "./ledger.ts";
import { answered, patiently } from "./patience.ts";

/** How long a lease holds without being renewed, in milliseconds; how often it is; and how soon again where that failed. */
const leaseMs = 30_000;
const renewMs = 10_000;
const renewAgainMs = 1_000;

/** Who takes leases, how it tells the time, and how it tells that another is dead. Tests put their own in. */
export interface ProcessIdentity {
  readonly owner: LeaseOwner;
  readonly isDead: (owner: LeaseOwner) => boolean;
  /** The time of day, in milliseconds since the Unix epoch. Not a run's clock: that one stands still while the machine sleeps, and no other process goes by it. */
  readonly now: () => number;
}

/** A run that is ours to carry out, until it is given back or lost. */
export interface HeldRun {
  readonly epoch: number;
  /**
   * Is it still ours? Where its lease has ended unrenewed, as it has when the process or the machine stood still, the ledger is
   * asked; else nobody can have taken it. Never rejects.
   */
  isOurs(): Promise<boolean>;
  /** Gives it back: another process may take it on at once. Never rejects. */
  release(): Promise<void>;
}

/**
 * Takes a run on, and keeps it.
 *
 * @param onLost called once, when another process has taken it over; must not throw
 * @throws DivvyError `run_held`, naming who has it, where its owner lives and its lease has not ended
 */
export async function holdRun(ledger: Ledger, runId: string, { owner, isDead, now }: ProcessIdentity, clock: Clock, onLost: () => void): Promise<HeldRun> {
  const before = await patiently(clock, () => ledger.readLease(runId));
  if (holderIn(before, { isDead, now }) !== undefined) throw held(runId, before);
  const epoch = (before?.epoch ?? 0) + 1;
  let expiresAt = 0;
  const taken = await patiently(clock, () => {
    expiresAt = now() + leaseMs;
    return ledger.takeLease(runId, { epoch, owner, expiresAt });
  });
  if (!taken) throw held(runId, await patiently(clock, () => ledger.readLease(runId)));

  let cancel: Cancel = () => undefined;
  let over = false;
  let isLost = false;
  let renewing: Promise<void> | undefined;
  const renew = async (): Promise<void> => {
    const until = now() + leaseMs;
    const ask = (): Promise<boolean> => ledger.renewLease(runId, epoch, until);
    // A store that cannot be asked now is asked again; what is written meanwhile is checked against the epoch in any case.
    const ours = await (now() < expiresAt ? answered(clock, ask) : patiently(clock, ask)).catch(() => undefined);
    if (ours === true) expiresAt = until;
    if (over || isLost) return;
    if (ours === false) {
      isLost = true;
      onLost();
    } else tick(ours === undefined ? renewAgainMs : renewMs);
  };
  const renewOnce = (): Promise<void> => {
    cancel();
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    return renewing;
  };
  const tick = (ms: number): void => {
    cancel = clock.setTimer(ms, () => void renewOnce());
  };
  tick(renewMs);
  return {
    epoch,
    isOurs: async () => {
      const isKnown = (): boolean => over || isLost || now() < expiresAt;
      if (!isKnown()) await renewOnce();
      // Once more: what was on its way already may have been answered before the standstill.
      if (!isKnown()) await renewOnce();
      return !isLost;
    },
    release: async () => {
      over = true;
      cancel();
      // One that is on its way would move the end on again.
      await renewing;
      await patiently(clock, () => ledger.renewLease(runId, epoch, 0)).catch(() => false);
    },
  };
}

/** Who carries a run out at present, by its lease; nothing where nobody does. */
export function holderIn(lease: Lease | undefined, { isDead, now }: Pick<ProcessIdentity, "isDead" | "now">): LeaseOwner | undefined {
  return lease !== undefined && lease.expiresAt > now() && !isDead(lease.owner) ? lease.owner : undefined;
}

/** Rejects with `run_held`, naming who has it, where a process that lives carries the run out. */
export async function mustBeFree(ledger: Ledger, runId: string, identity: ProcessIdentity, clock: Clock): Promise<void> {
  const lease = await patiently(clock, () => ledger.readLease(runId));
  if (holderIn(lease, identity) !== undefined) throw held(runId, lease);
}

function held(runId: string, lease: Lease | undefined): DivvyError {
  const who = lease === undefined ? "another process" : `process ${lease.owner.pid} on ${lease.owner.host}`;
  return new DivvyError("run_held", `The run ${runId} is being carried out by ${who}.`);
}
