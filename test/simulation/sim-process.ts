import { FlexibleOrchestrator } from "../../src/flexible-orchestrator.ts";
import type { LeaseOwner } from "../../src/ledger/ledger.ts";
import type { DoubleCall, ReplyOptions } from "../../src/testing/script.ts";
import { approverOf } from "./approver.ts";
import { chance } from "./chance.ts";
import { type Asked, askedFrom, replyTo } from "./double.ts";
import { planCacheOf, withEarlierRun } from "./earlier-run.ts";
import { type CodeBegun, codeOf } from "./code.ts";
import type { LifePlan, Moment, Schedule } from "./schedule.ts";
import { type SimModels, simModels } from "./sim-models.ts";
import { optionsOf } from "./sim-options.ts";
import type { Asking, Store } from "./store.ts";
import type { Mortal, Timeline } from "./timeline.ts";

/** What all processes of one simulation live in. */
export interface Surroundings {
  readonly schedule: Schedule;
  readonly timeline: Timeline;
  readonly store: Store;
  /** Processes that are known to be dead, or taken for it. */
  readonly knownDead: ReadonlySet<number>;
  /** A model is asked. */
  readonly onAsked: (asked: Asked, by: SimProcess) => void;
  /** The vector of a text is asked for. */
  readonly onEmbed: (text: string, by: SimProcess) => void;
  /** Code begins: for the how many-th time. */
  readonly onCode: (begun: CodeBegun, by: SimProcess) => number;
  /** It is about to say this. */
  readonly onReply: (n: number, reply: ReplyOptions) => void;
  readonly onFault: (fault: string) => void;
}

/** One process in simulated time: an orchestrator with its own clock, chance, identity, governor and models, and its own view of the ledger. */
export class SimProcess implements Mortal {
  readonly pid: number;
  readonly plan: LifePlan;
  readonly orchestrator: FlexibleOrchestrator;
  isDead = false;
  isGone = false;
  frozenUntil = 0;
  readonly #timeline: Timeline;
  readonly #models: SimModels;
  readonly #moments: { readonly at: Moment; readonly act: () => void }[] = [];
  #touches = 0;
  /** What it died at, where it died of something that it asked of the ledger: `takeLease before`, for example. */
  diedAt: string | undefined;

  constructor(pid: number, plan: LifePlan, around: Surroundings) {
    const { schedule, timeline, store, knownDead } = around;
    const { seed } = schedule;
    this.pid = pid;
    this.plan = plan;
    this.#timeline = timeline;
    const clock = timeline.clockOf(this);
    const never = new Promise<never>(() => undefined);
    const answer = (call: DoubleCall): ReplyOptions | Promise<never> => {
      if (this.isDead) return never;
      const asked = askedFrom(++store.begun, pid, call);
      around.onAsked(asked, this);
      timeline.touch(this);
      if (this.isDead) return never;
      const reply = replyTo(asked, call, schedule, plan.weather, chance(seed, `call ${asked.n}`));
      around.onReply(asked.n, reply);
      return reply;
    };
    this.#models = simModels(schedule, answer, clock);
    const ledger = withEarlierRun(
      schedule,
      store.viewOf(this, plan, (asking, when) => this.#onAsk(asking, when)),
    );
    const owner: LeaseOwner = { pid, host: "here", space: "s", startTime: String(pid) };
    const code = codeOf(schedule, plan.weather, clock, (begun) => around.onCode(begun, this)).workers;
    const { random } = chance(seed, `runtime of ${pid}`);
    let ids = 0;
    const approvePlan = schedule.approves ? { approvePlan: approverOf(schedule, this, clock, store, around.onFault) } : {};
    this.orchestrator = new FlexibleOrchestrator(
      { ...optionsOf(schedule, plan, this.#models, ledger, code), ...planCacheOf(schedule, clock, pid, (text) => around.onEmbed(text, this)), ...approvePlan },
      {
        runtime: { clock, random, newId: () => `run-${pid}-${++ids}` },
        identity: { owner, isDead: (other) => knownDead.has(other.pid), now: () => timeline.now },
        models: { env: {} },
      },
    );
  }

  /**
   * Has something happen at a moment of its life, unless it is over by then: in the midst of things. What its user does must be put
   * off by a tick, since nobody calls a user's code from within a clock.
   */
  at(moment: Moment, act: () => void): void {
    if (moment.on === "time") this.#timeline.after(moment.ms, () => this.isDead || act());
    else this.#moments.push({ at: moment, act });
  }

  readonly onTouch = (): void => {
    this.#touches++;
    for (const { at, act } of this.#moments) if (at.on === "touch" && at.n === this.#touches) act();
  };

  /** Calls that are on their way. */
  get inFlight(): number {
    return this.#models.inFlight;
  }

  #onAsk({ what, n, nth }: Asking, when: "before" | "after"): void {
    for (const { at, act } of this.#moments) {
      if (at.on !== "ask" || at.done !== (when === "after")) continue;
      if (at.what === "anything" ? at.n !== n : at.what !== what || at.n !== nth) continue;
      act();
      if (this.isDead) this.diedAt ??= `${what} ${when}`;
    }
  }
}
