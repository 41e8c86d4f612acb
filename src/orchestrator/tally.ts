import type { FactBody } from "../events.ts";
import type { Notice } from "../notice.ts";
import type { Role } from "../role.ts";
import type { RunUsage } from "../outcome.ts";
import { addUsage, noUsage, type SpentUsage } from "../usage.ts";

/** What a run has used and noticed so far, added up from its events. */
export class Tally {
  readonly #byRole: Record<Role, SpentUsage> = { orchestrator: noUsage, worker: noUsage, synthesizer: noUsage };
  readonly #bySubtask = new Map<string, SpentUsage>();
  /** What was said on the way. */
  readonly notices: Notice[] = [];
  #cost: number | undefined = 0;
  #calls = 0;

  add(fact: FactBody): void {
    if (fact.type === "attempt.started" && fact.attempt === 1 && fact.requeues === 0) this.#calls++;
    if (fact.type === "run.noticed") this.notices.push(fact.notice);
    if (fact.type !== "attempt.settled") return;
    this.#byRole[fact.role] = addUsage(this.#byRole[fact.role], fact.usage);
    if (fact.subtaskId !== undefined) this.#bySubtask.set(fact.subtaskId, addUsage(this.ofSubtask(fact.subtaskId), fact.usage));
    this.#cost = this.#cost === undefined || fact.cost === undefined ? undefined : this.#cost + fact.cost;
  }

  /** Model calls that left, each counted once. */
  get calls(): number {
    return this.#calls;
  }

  /** US dollars; `undefined` once a price was not known. */
  get cost(): number | undefined {
    return this.#cost;
  }

  ofSubtask(id: string): SpentUsage {
    return this.#bySubtask.get(id) ?? noUsage;
  }

  get usage(): RunUsage {
    const { orchestrator, worker, synthesizer } = this.#byRole;
    return { ...addUsage(addUsage(orchestrator, worker), synthesizer), byRole: { ...this.#byRole } };
  }
}
