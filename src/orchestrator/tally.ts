import { beginsCall, type Fact, type FactBody } from "../events.ts";
import type { Estimate, Spend } from "../estimate.ts";
import type { Notice } from "../notice.ts";
import { withoutPlanNotices } from "../plan-notices.ts";
import { functionModel, type Role } from "../role.ts";
import type { RunUsage } from "../outcome.ts";
import { addUsage, noUsage, type SpentUsage } from "../usage.ts";

/** What a run has used and noticed so far, added up from its facts. */
export class Tally {
  readonly #byRole: Record<Role, SpentUsage> = { orchestrator: noUsage, worker: noUsage, synthesizer: noUsage, evaluator: noUsage };
  readonly #bySubtask = new Map<string, SpentUsage>();
  /** When each subtask's first attempt left, and how long it then took to its end. */
  readonly #startedAt = new Map<string, number>();
  readonly #durations = new Map<string, number>();
  readonly #attempts = new Map<string, number>();
  /** What was said on the way. */
  notices: readonly Notice[] = [];
  /** What the run may use in all, as it looked when its plan was known. */
  estimate: Estimate | undefined;
  #cost: number | undefined = 0;
  #calls = 0;
  #attemptsMade = 0;
  /** Of earlier lives, and the life that is. */
  #pastMs = 0;
  #life: { readonly from: number; readonly to: number } | undefined;
  #isWaiting = false;

  add(fact: FactBody & Pick<Fact, "at">): void {
    if (fact.type === "run.resumed") this.#pastMs = this.activeMs;
    const isNewLife = this.#life === undefined || fact.type === "run.resumed";
    // While somebody was asked, nobody carried the run out.
    const waited = this.#isWaiting ? fact.at - (this.#life?.to ?? fact.at) : 0;
    this.#life = { from: isNewLife ? fact.at : (this.#life?.from ?? fact.at) + waited, to: fact.at };
    this.#isWaiting = fact.type === "approval.requested";
    switch (fact.type) {
      case "run.resumed":
        // What is begun anew takes its time from now on.
        this.#startedAt.clear();
        return;
      case "run.noticed":
        this.notices = [...this.notices, fact.notice];
        return;
      case "plan.finished":
      case "approval.requested":
        this.estimate = fact.estimate;
        return;
      case "approval.given":
        if (fact.edited) this.notices = withoutPlanNotices(this.notices);
        return;
      case "approval.declined":
        this.estimate = undefined;
        this.notices = withoutPlanNotices(this.notices);
        return;
      case "attempt.started":
        if (beginsCall(fact)) this.#calls++;
        if (fact.role === "worker" && fact.subtaskId !== undefined && fact.requeues === 0)
          this.#attempts.set(fact.subtaskId, this.attemptsOf(fact.subtaskId) + 1);
        if (fact.subtaskId !== undefined && !this.#startedAt.has(fact.subtaskId)) this.#startedAt.set(fact.subtaskId, fact.at);
        return;
      case "subtask.planned":
        // One that is written anew takes its own time.
        this.#startedAt.delete(fact.subtask.id);
        return;
      case "subtask.started":
        // No attempt of a function leaves: it takes its time from here on.
        if (fact.model === functionModel) this.#startedAt.set(fact.subtaskId, fact.at);
        return;
      case "attempt.settled":
        this.#attemptsMade += fact.calls ?? 1;
        this.#byRole[fact.role] = addUsage(this.#byRole[fact.role], fact.usage);
        if (fact.subtaskId !== undefined) this.#bySubtask.set(fact.subtaskId, addUsage(this.ofSubtask(fact.subtaskId), fact.usage));
        this.#cost = this.#cost === undefined || fact.cost === undefined ? undefined : this.#cost + fact.cost;
        return;
      case "subtask.finished":
      case "subtask.failed":
        this.#durations.set(fact.subtaskId, Math.round(fact.at - (this.#startedAt.get(fact.subtaskId) ?? fact.at)));
        return;
      default:
    }
  }

  /** Model calls that left, each counted once. */
  get calls(): number {
    return this.#calls;
  }

  /** US dollars; `undefined` once a price was not known. */
  get cost(): number | undefined {
    return this.#cost;
  }

  /** Tries that left for a model and are over, of all calls: what a budget counts as calls. */
  get attempts(): number {
    return this.#attemptsMade;
  }

  /** How long the run was carried out, in milliseconds: from the first fact of each life to its last, but while somebody was asked for approval. */
  get activeMs(): number {
    return this.#pastMs + (this.#life === undefined ? 0 : this.#life.to - this.#life.from);
  }

  get spent(): Spend {
    const { usage, cost } = this;
    return { calls: this.#calls, tokens: usage.totalTokens ?? 0, ...(cost !== undefined && { cost }) };
  }

  ofSubtask(id: string): SpentUsage {
    return this.#bySubtask.get(id) ?? noUsage;
  }

  /** Tries of a subtask that left. */
  attemptsOf(id: string): number {
    return this.#attempts.get(id) ?? 0;
  }

  /** Has an attempt of it left, since it was planned and since the run goes on? */
  isCalled(id: string): boolean {
    return this.#startedAt.has(id) && this.attemptsOf(id) > 0;
  }

  /** From its first attempt to its end, in milliseconds; 0 where none left, or it has not ended. */
  durationOf(id: string): number {
    return this.#durations.get(id) ?? 0;
  }

  get usage(): RunUsage {
    const { orchestrator, worker, synthesizer, evaluator } = this.#byRole;
    return { ...addUsage(addUsage(orchestrator, worker), addUsage(synthesizer, evaluator)), byRole: { ...this.#byRole } };
  }
}
