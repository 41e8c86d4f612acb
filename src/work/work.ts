import { DivvyError } from "../errors.ts";
import type { FactBody, RunRequest } from "../events.ts";
import type { SkipReason } from "../outcome.ts";
import { keyOf } from "../names.ts";
import { functionModel, isFunctionKind } from "../role.ts";
import type { Planned } from "../subtask.ts";
import { type Blocked, ReadySet } from "./ready-set.ts";
import { boundUpstream } from "./upstream.ts";
import { FunctionSlots } from "./function-slots.ts";
import type { FunctionKind } from "./function-worker.ts";
import type { Before, Job, WorkerDeps } from "./job.ts";
import { carryOutSubtask, type JobEnd, type WorkerKind } from "./worker.ts";
import type { Upstream } from "./worker-prompt.ts";

/** What became of a subtask. */
export type WorkEnd = JobEnd | { readonly status: "skipped"; readonly reason: SkipReason; readonly because: string };

export interface WorkOptions extends WorkerDeps {
  readonly request: RunRequest;
  /** The kind of worker for a type of subtask. */
  readonly kindOf: (type: string) => WorkerKind | FunctionKind;
  /** How far its function had come in an earlier life of the run; nothing where it had not begun. */
  readonly before: (planned: Planned) => Before | undefined;
  /** Of upstream results that one worker gets, in bytes of UTF-8. */
  readonly upstreamBytes: number;
  /** How it ended before, where it need not be done again. */
  readonly kept: (planned: Planned) => JobEnd | undefined;
  /** Start workers while the plan is still being written; otherwise when it is over. */
  readonly early: boolean;
}

/**
 * Phase two: carries out subtasks as they come. Each starts the moment it is there and what it depends on is done; one that
 * fails takes its dependants with it, and the rest goes on.
 */
export class Work {
  /** By subtask id. */
  readonly ends: Map<string, WorkEnd> = new Map<string, WorkEnd>();
  readonly #options: WorkOptions;
  readonly #readySet = new ReadySet();
  /** By the key of their id, in plan order. */
  readonly #planned = new Map<string, Planned>();
  /** Ready before the plan is over, and not to start before that. */
  #early: Planned[] = [];
  /** Reopened by the round that is being planned, which may yet write them anew: they start when it is over. */
  readonly #reopened = new Set<Planned>();
  #settled: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #slots: FunctionSlots;
  #running = 0;
  #planOver = false;

  constructor(options: WorkOptions) {
    this.#options = options;
    this.#slots = new FunctionSlots(options.run.concurrency);
  }

  /** Resolves when the plan is over and every subtask has ended. Never rejects. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  add(planned: Planned): void {
    const key = keyOf(planned.subtask.id);
    if (this.#planned.has(key)) return this.#replace(planned);
    this.#planned.set(key, planned);
    const end = this.#options.kept(planned);
    if (end !== undefined) this.ends.set(planned.subtask.id, end);
    const { ready, blocked } = end === undefined ? this.#readySet.add(planned) : this.#readySet.addEnded(planned, end.status === "done");
    this.#release(ready, blocked);
  }

  /** One that came to nothing is to be done after all, in another way; those that waited for it wait again. */
  #replace(planned: Planned): void {
    const key = keyOf(planned.subtask.id);
    this.#planned.set(key, planned);
    const { ready, blocked, reopened } = this.#readySet.replace(planned);
    this.#early = this.#early.filter(({ subtask }) => keyOf(subtask.id) !== key);
    for (const { subtask } of [planned, ...reopened]) this.ends.delete(subtask.id);
    for (const one of reopened) this.#reopened.add(one);
    // Who is blocked by another one, too, stays so: that is said where another one was named.
    this.#release(
      ready,
      blocked.filter(({ planned: { subtask }, because }) => !this.#isSkippedFor(subtask.id, because)),
    );
  }

  #isSkippedFor(id: string, because: string): boolean {
    const end = this.ends.get(id);
    return end?.status === "skipped" && end.because === because;
  }

  #release(ready: readonly Planned[], blocked: readonly Blocked[]): void {
    this.#skip(blocked);
    const mayStart = (one: Planned): boolean => this.#planOver || (this.#options.early && !this.#reopened.has(one));
    this.#early.push(...ready.filter((one) => !mayStart(one)));
    this.#startAll(ready.filter(mayStart));
  }

  /** Another round is planned: more may come. */
  planGoesOn(): void {
    this.#planOver = false;
    this.#settled = Promise.withResolvers();
  }

  /** No more subtasks will come. Those that wait in a circle are told apart now. */
  planEnded(): void {
    this.#planOver = true;
    this.#reopened.clear();
    const { ready, cycle, blocked } = this.#readySet.close();
    if (cycle.length > 0) this.#breakOff(cycle);
    this.#skip(blocked);
    this.#startAll(this.#early.splice(0));
    this.#startAll(ready);
    this.#settleIfOver();
  }

  /** Nothing of the plan may start: what has not ended is left out. In place of `planEnded`. */
  leaveOut(): void {
    this.#planOver = true;
    this.#skipAll("approval");
    this.#settled.resolve();
  }

  #breakOff(cycle: readonly Planned[]): void {
    const subtaskIds = cycle.map(({ subtask }) => subtask.id);
    const names = subtaskIds.map((id) => `"${id}"`).join(", ");
    const message = `These subtasks wait for each other in a circle and cannot start: ${names}.`;
    this.#options.run.emit({ type: "run.noticed", notice: { code: "dependency_cycle", message, subtaskIds } });
    const error = new DivvyError("dependency_cycle", message, { evidence: { subtaskIds } });
    for (const planned of cycle) this.#end(planned, { status: "failed", error, attempts: 0 });
  }

  #startAll(planned: readonly Planned[]): void {
    for (const one of planned) void this.#carryOut(one);
  }

  /** Never rejects: how a worker ends is data. */
  async #carryOut(planned: Planned): Promise<void> {
    const { signal, kindOf, request } = this.#options;
    if (signal.aborted) return this.#settleIfOver();
    const { subtask, sample } = planned;
    const kind = kindOf(subtask.type);
    const job = { request, subtask, upstream: this.#upstreamOf(planned), sample };
    this.#running++;
    const end = isFunctionKind(kind) ? await this.#slots.hold(() => this.#runFunction(kind, job, planned)) : await this.#askModel(kind, job);
    this.#running--;
    if (end !== undefined) this.#end(planned, end);
    // Who waits for a subtask that was stopped is stopped too, and not left out for its sake.
    if (end === undefined || signal.aborted) return this.#settleIfOver();
    const { ready, blocked } = this.#readySet.settle(subtask.id, end.status === "done");
    this.#release(ready, blocked);
    this.#settleIfOver();
  }

  async #askModel(kind: WorkerKind, job: Job): Promise<WorkEnd> {
    this.#options.run.emit({ type: "subtask.started", subtaskId: job.subtask.id, model: kind.model });
    return withoutBudget(await carryOutSubtask(kind, job, this.#options));
  }

  /** Said to have started when its turn has come, since it may not be run twice; nothing where the run was stopped before that. */
  async #runFunction(kind: FunctionKind, job: Job, planned: Planned): Promise<WorkEnd | undefined> {
    const { run, signal } = this.#options;
    if (signal.aborted) return undefined;
    const before = this.#options.before(planned);
    // What it has delivered is there, whatever time is left.
    const isThere = before !== undefined && before.results.length > 0;
    if (run.budget?.outOfTime !== undefined && !isThere) return { status: "skipped", reason: "budget", because: "" };
    run.emit({ type: "subtask.started", subtaskId: job.subtask.id, model: functionModel });
    return await carryOutSubtask(kind, { ...job, ...(before && { before }) }, this.#options);
  }

  #upstreamOf({ subtask }: Planned): readonly Upstream[] {
    const results = subtask.dependsOn.flatMap((name): Upstream[] => {
      const needed = this.#planned.get(keyOf(name))?.subtask;
      const end = needed && this.ends.get(needed.id);
      return needed && end?.status === "done" ? [{ id: needed.id, type: needed.type, result: end.result }] : [];
    });
    const { upstream, cut } = boundUpstream(results, this.#options.upstreamBytes);
    if (cut.length > 0) {
      const message = `"${subtask.id}" got only the beginnings of ${cut.map((id) => `"${id}"`).join(", ")}: together they are over ${this.#options.upstreamBytes} bytes.`;
      this.#options.run.emit({ type: "run.noticed", notice: { code: "upstream_cut", message, subtaskIds: [subtask.id] } });
    }
    return upstream;
  }

  #skip(blocked: readonly Blocked[]): void {
    for (const { planned, because } of blocked) this.#end(planned, { status: "skipped", reason: "upstream", because });
  }

  #end({ subtask: { id: subtaskId } }: Planned, end: WorkEnd): void {
    this.ends.set(subtaskId, end);
    this.#options.run.emit(endOf(subtaskId, end));
  }

  /** Once stopped, nothing starts any more: what never ran is skipped. */
  #settleIfOver(): void {
    const { signal } = this.#options;
    if (!this.#planOver || this.#running > 0) return;
    const isOver = [...this.#planned.values()].every(({ subtask }) => this.ends.has(subtask.id));
    if (!isOver && !signal.aborted) return;
    this.#skipAll(signal.reason instanceof DivvyError && signal.reason.code === "run_timeout" ? "timeout" : "aborted");
    this.#settled.resolve();
  }

  #skipAll(reason: SkipReason): void {
    for (const planned of this.#planned.values()) if (!this.ends.has(planned.subtask.id)) this.#end(planned, { status: "skipped", reason, because: "" });
  }
}

/** What the budget did not allow was never begun. */
function withoutBudget(end: JobEnd): WorkEnd {
  return end.status === "failed" && end.error.code === "budget_exhausted" ? { status: "skipped", reason: "budget", because: "" } : end;
}

/** The fact that a subtask has ended. */
export function endOf(subtaskId: string, end: WorkEnd): FactBody {
  switch (end.status) {
    case "done":
      return {
        type: "subtask.finished",
        subtaskId,
        result: end.result,
        truncated: end.truncated,
        attempts: end.attempts,
        ...(end.evaluation && { evaluation: end.evaluation }),
        ...(end.chosen && { chosen: end.chosen }),
      };
    case "failed":
      return { type: "subtask.failed", subtaskId, error: end.error.toJSON(), attempts: end.attempts };
    case "skipped":
      return { type: "subtask.skipped", subtaskId, reason: end.reason, because: end.because };
  }
}
