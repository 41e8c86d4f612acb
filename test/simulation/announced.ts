import { keyOf } from "../../src/names.ts";
import { type CallRef, lookupPart, refName, refOf } from "../../src/role.ts";
import type { SpentUsage } from "../../src/usage.ts";
import type { Asked } from "./double.ts";
import type { Kept } from "./store.ts";

/** An attempt of which a log says that it leaves. */
export interface Announced extends CallRef {
  readonly runId: string;
  readonly pid: number;
  readonly reserved: { readonly inputTokens: number; readonly outputTokens: number };
  /** Number of the question for a plan, which may be asked in the same words each time; 0 for other roles. */
  readonly round: number;
}

interface Standing {
  readonly task: string;
  round: number;
  /** Of subtasks, by the key of their id. */
  readonly descriptions: Map<string, string>;
}

/** What a request came to, as the log of its run has it. */
export interface Booked {
  readonly n: number;
  readonly usage: SpentUsage;
}

/** Attempts that were announced: each waits for its request, and then for what its own process books of it. */
export class AnnouncedAttempts {
  readonly booked: Booked[] = [];
  readonly #waiting: Announced[] = [];
  readonly #onTheirWay: { readonly announced: Announced; readonly n: number }[] = [];
  readonly #runs = new Map<string, Standing>();

  add({ fact, pid }: Kept): void {
    const run = this.#runs.get(fact.runId);
    switch (fact.type) {
      case "run.started":
        this.#runs.set(fact.runId, { task: fact.request.task, round: 0, descriptions: new Map() });
        break;
      case "round.started":
        if (run !== undefined) run.round = 0;
        break;
      case "plan.asked_again":
        if (run !== undefined) run.round = fact.round;
        break;
      case "approval.declined":
        if (run !== undefined) run.round = 0;
        run?.descriptions.clear();
        break;
      case "approval.given":
        if (fact.edited) run?.descriptions.clear();
        break;
      case "subtask.planned":
        run?.descriptions.set(keyOf(fact.subtask.id), fact.subtask.description);
        break;
      case "attempt.started": {
        const { runId, role, reserved } = fact;
        this.#waiting.push({ runId, pid, ...refOf(fact), reserved, round: role === "orchestrator" ? (run?.round ?? 0) : 0 });
        break;
      }
      case "attempt.settled": {
        const isIt = (one: Announced): boolean => one.pid === pid && one.runId === fact.runId && refName(one) === refName(fact);
        const unsent = this.#waiting.findIndex(isIt);
        if (unsent !== -1) this.#waiting.splice(unsent, 1);
        const sent = this.#onTheirWay.findIndex(({ announced }) => isIt(announced));
        for (const { n } of sent === -1 ? [] : this.#onTheirWay.splice(sent, 1)) this.booked.push({ n, usage: fact.usage });
        break;
      }
      default:
    }
  }

  /** Says whether a log says of a request for a vector that it leaves; each time that it says so counts once. */
  claimLookup(text: string, by: number): boolean {
    const index = this.#waiting.findIndex((one) => {
      const run = this.#runs.get(one.runId);
      return one.pid === by && one.part === lookupPart && run !== undefined && text.includes(run.task);
    });
    if (index !== -1) this.#waiting.splice(index, 1);
    return index !== -1;
  }

  /** The attempt that a request belongs to, which no other request has had; nothing where no log says that it leaves. */
  claim(asked: Asked): Announced | undefined {
    const index = this.#waiting.findIndex((one) => {
      const run = this.#runs.get(one.runId);
      if (one.pid !== asked.pid || one.role !== asked.role || one.part === lookupPart || run === undefined || !asked.question.includes(run.task)) return false;
      return one.subtaskId === undefined || run.descriptions.get(keyOf(one.subtaskId)) === asked.description;
    });
    const [announced] = index === -1 ? [] : this.#waiting.splice(index, 1);
    if (announced !== undefined) this.#onTheirWay.push({ announced, n: asked.n });
    return announced;
  }
}
