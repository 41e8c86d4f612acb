import { createHash } from "node:crypto";
import type { Budget } from "../../src/budget.ts";
import type { RunEvent } from "../../src/events.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { Run } from "../../src/orchestrator/run-handle.ts";
import type { Outcome } from "../../src/outcome.ts";
import type { ReplyOptions } from "../../src/testing/script.ts";
import { type Announced, AnnouncedAttempts } from "./announced.ts";
import type { CodeBegun } from "./code.ts";
import { codeBegunFaults } from "./code-invariants.ts";
import { type Asked, numberIn } from "./double.ts";
import { phaseOf } from "./phase.ts";
import type { LifePlan, Schedule } from "./schedule.ts";
import { SimProcess } from "./sim-process.ts";
import { Store, type StoreBreaker } from "./store.ts";
import { Timeline } from "./timeline.ts";
import { WatchedRun } from "./watched-run.ts";

/** A run that was started, over all lives. */
export interface Undertaking {
  readonly runId: string;
  /** Nobody knew of it when it was to be resumed: its first process had not yet kept anything. */
  isLost: boolean;
}

/** One process, and what is still open in it. */
export interface Life {
  readonly process: SimProcess;
  readonly controllers: AbortController[];
  /** Runs that it is about to go on with. */
  readonly pending: Set<Undertaking>;
  /** Another has taken over. */
  isLeft: boolean;
  failure: { readonly thrown: unknown } | undefined;
}

export interface SceneOptions {
  /** Told what happens, a line at a time. */
  readonly trace?: ((line: string) => void) | undefined;
  readonly breakStore?: StoreBreaker | undefined;
}

/** A model call that left, and what the log of its run said of it before. */
export interface Left extends Asked {
  readonly announced: Announced | undefined;
  /** Simulated time, in epoch milliseconds. */
  readonly at: number;
}

/** Everything that there is in one simulation. */
export class Scene {
  readonly schedule: Schedule;
  readonly timeline: Timeline = new Timeline();
  readonly store: Store;
  /** What must not be, and was. */
  readonly faults: string[] = [];
  readonly knownDead: Set<number> = new Set<number>();
  /** What befell its processes: what the coverage counts. */
  readonly incidents: Set<string> = new Set<string>();
  readonly lives: Life[] = [];
  readonly watched: WatchedRun[] = [];
  readonly runs: Undertaking[] = [];
  readonly asked: Left[] = [];
  /** What was said to each call, by its number. */
  readonly replies: Map<number, ReplyOptions> = new Map<number, ReplyOptions>();
  readonly announced: AnnouncedAttempts = new AnnouncedAttempts();
  readonly #budgets = new Map<string, Budget | undefined>();
  readonly #hash = createHash("sha256");
  readonly #trace: ((line: string) => void) | undefined;

  constructor(schedule: Schedule, open: () => Ledger, { trace, breakStore }: SceneOptions) {
    this.schedule = schedule;
    this.#trace = trace;
    this.store = new Store(open, this.timeline, { seed: schedule.seed, breakStore }, (kept) => {
      const { fact, pid } = kept;
      this.announced.add(kept);
      if (fact.type === "subtask.finished" && fact.attempts > 0) {
        const n = numberIn(fact.result);
        if (!this.store.answers.has(n)) this.faults.push(`${fact.runId}: ${fact.subtaskId} is done by call ${n}, whose answer is not kept yet`);
      }
      this.#hash.update(`${pid} ${JSON.stringify(fact)}\n`);
      const { type, seq, at: _at, runId, ...rest } = fact;
      this.say(pid, () => `${runId} ${seq} ${type} ${JSON.stringify(rest)}`);
    });
  }

  /** Of all that was logged, asked and read, in order. */
  get digest(): string {
    return this.#hash.copy().update(JSON.stringify(this.asked)).digest("hex");
  }

  begin(plan: LifePlan): Life {
    const { schedule, timeline, store, knownDead } = this;
    const process = new SimProcess(this.lives.length + 1, plan, {
      schedule,
      timeline,
      store,
      knownDead,
      onAsked: (asked, by) => this.#onAsked(asked, by),
      onEmbed: (text, by) => this.#onEmbed(text, by),
      onCode: (begun, by) => this.#onCode(begun, by),
      onReply: (n, reply) => void this.replies.set(n, reply),
      onFault: (fault) => void this.faults.push(fault),
    });
    const life: Life = { process, controllers: [], pending: new Set(), isLeft: false, failure: undefined };
    this.lives.push(life);
    this.say(process.pid, "begins");
    return life;
  }

  watch(run: Run, process: SimProcess, controller: AbortController): WatchedRun {
    const pastSeq = this.store.factsOf(run.runId).at(-1)?.seq ?? -1;
    const onEvent = (event: RunEvent): void => void this.#hash.update(`${process.pid} reads ${JSON.stringify(event)}\n`);
    const watched = new WatchedRun(run, process, { controller, pastSeq, timeline: this.timeline, seed: this.schedule.seed, onEvent });
    if (controller.signal.aborted) watched.abortedAt = this.timeline.now;
    this.watched.push(watched);
    return watched;
  }

  /** What a process says of a run's budget: the total that holds from then on; nothing where the one before is to. */
  nameBudget({ pid }: SimProcess, runId: string, budget: Budget | undefined): void {
    this.#budgets.set(`${pid} ${runId}`, budget);
  }

  namedBudget(pid: number, runId: string): Budget | undefined {
    return this.#budgets.get(`${pid} ${runId}`);
  }

  watchedIn(lives: readonly Life[]): WatchedRun[] {
    return this.watched.filter((watched) => lives.some(({ process }) => process === watched.process));
  }

  /** How a run ended, each time that it came to an end, as its log has it. */
  outcomesOf(runId: string): Outcome[] {
    return this.store.factsOf(runId).flatMap((fact) => (fact.type === "run.finished" ? [fact.outcome] : []));
  }

  /** Runs that are not done. */
  get left(): Undertaking[] {
    return this.runs.filter(({ runId, isLost }) => !isLost && this.outcomesOf(runId).at(-1)?.status !== "ok");
  }

  /** Lets time pass until a promise is settled. */
  async within<T>(work: Promise<T>, what: string): Promise<T> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    work.then(over, over);
    await this.timeline.pass(() => isOver, what);
    return await work;
  }

  add(runId: string, faults: readonly string[]): void {
    for (const fault of faults) this.faults.push(`${runId}: ${fault}`);
  }

  /** Something befalls a process: where its runs stand then, and whether they were begun before it. */
  befalls(kind: "abort" | "crash", { pid }: SimProcess): void {
    for (const { runId } of this.runs) {
      const log = this.store.factsOf(runId);
      this.incidents.add(`${kind}: ${phaseOf(log)}`);
      if (log.some(({ type }) => type === "run.resumed") && this.store.logs.get(runId)?.at(-1)?.pid === pid)
        this.incidents.add(`${kind}: in a run that goes on`);
    }
  }

  say(pid: number, what: string | (() => string)): void {
    this.#trace?.(`${(this.timeline.now - 1_000_000).toFixed(1).padStart(9)} ms  ${pid}  ${typeof what === "string" ? what : what()}`);
  }

  #onEmbed(text: string, by: SimProcess): void {
    this.say(by.pid, () => `asks for the vector of ${text}`);
    if (!this.announced.claimLookup(text, by.pid)) this.faults.push(`the vector of ${text} was asked for before a log said so`);
  }

  #onCode(begun: CodeBegun, by: SimProcess): number {
    const { id, description } = begun.subtask;
    const { codeRuns, logs } = this.store;
    // Written anew by a further round, it is another one under the same id.
    const name = `${id}: ${description}`;
    const times = (codeRuns.get(name) ?? 0) + 1;
    codeRuns.set(name, times);
    this.say(by.pid, () => `runs the code for ${name}, for the ${times}. time`);
    this.faults.push(...codeBegunFaults(begun, [...logs.values()], this.schedule));
    return times;
  }

  #onAsked(asked: Asked, by: SimProcess): void {
    const { n, role, description, question, maxOutputTokens } = asked;
    const { shared, concurrency, runs } = this.schedule;
    const announced = this.announced.claim(asked);
    this.asked.push({ ...asked, announced, at: this.timeline.now });
    this.say(by.pid, () => `asks #${n} ${role} ${description}`);
    if (by.inFlight > runs * (by.plan.concurrency ?? concurrency)) this.faults.push(`call ${n} is one too many at once`);
    if (announced === undefined) this.faults.push(`call ${n} left before a log said so`);
    else if (announced.reserved.outputTokens !== maxOutputTokens)
      this.faults.push(`call ${n} may write ${maxOutputTokens} tokens, and ${announced.reserved.outputTokens} were reserved`);
    const runId = announced?.runId ?? this.runs[Number(/Task (\d+)\./.exec(question)?.[1])]?.runId;
    // A call that several runs wait for is stopped by none of them alone.
    const those = this.watched.filter(({ process, run }) => process === by && (shared || run.runId === runId));
    if (those.length === 0) return;
    if (those.every(({ abortedAt }) => abortedAt !== undefined)) this.faults.push(`call ${n} left after its run was stopped`);
    if (those.every(({ outcome }) => outcome !== undefined)) this.faults.push(`call ${n} left after its run was over`);
  }
}
