import type { Notice } from "../events.ts";
import { asId, keyOf, slug } from "../names.ts";
import type { Combine, Planned, Subtask } from "../subtask.ts";
import type { Draft } from "./reader.ts";

export interface PlanBuilderOptions {
  readonly maxSubtasks: number;
  /** Stands above what the plan says. */
  readonly combine?: Combine | undefined;
}

/** Turns drafts into subtasks as they come: names them, counts copies, and keeps within the limit. */
export class PlanBuilder {
  readonly planned: Planned[] = [];
  readonly #options: PlanBuilderOptions;
  #combine: Combine | undefined;
  readonly #keys = new Set<string>();
  readonly #copies = new Map<string, number>();
  readonly #duplicates: string[] = [];
  #dropped = 0;

  constructor(options: PlanBuilderOptions) {
    this.#options = options;
  }

  /** How the results become the answer. A plan that does not say: `keep`. */
  get combine(): Combine {
    return this.#options.combine ?? this.#combine ?? "keep";
  }

  /** Subtasks over the limit. */
  get dropped(): number {
    return this.#dropped;
  }

  setCombine(combine: Combine): void {
    if (this.planned.length === 0) this.#combine = combine;
  }

  /** The subtask that the draft becomes; nothing where it is over the limit, or a copy that adds nothing. */
  add(draft: Draft): Planned | undefined {
    const type = draft.type.replace(/\s+/g, " ").trim().slice(0, 100) || "default";
    const content = JSON.stringify([type, draft.description, draft.after.map(keyOf)]);
    const sample = this.#copies.get(content) ?? 0;
    if (sample > 0 && this.combine === "merge") {
      this.#duplicates.push(type);
      return undefined;
    }
    if (this.planned.length >= this.#options.maxSubtasks) {
      this.#dropped++;
      return undefined;
    }
    this.#copies.set(content, sample + 1);
    const subtask: Subtask = {
      id: this.#freeId(asId(draft.id ?? "") || slug(type) || "subtask"),
      type,
      description: draft.description,
      dependsOn: [...new Set(draft.after)],
    };
    const planned: Planned = { subtask, ordinal: this.planned.length, sample };
    this.planned.push(planned);
    return planned;
  }

  #freeId(wanted: string): string {
    let id = wanted;
    for (let n = 2; this.#keys.has(keyOf(id)); n++) id = `${wanted}-${n}`;
    this.#keys.add(keyOf(id));
    return id;
  }

  /** The plan's subtasks with every reference resolved. References to nothing are left out; they are in `notices`. */
  finish(): { subtasks: Subtask[]; notices: Notice[] } {
    const idByKey = new Map(this.planned.map(({ subtask }) => [keyOf(subtask.id), subtask.id]));
    const notices: Notice[] = [];
    const subtasks = this.planned.map(({ subtask }) => {
      const unknown = subtask.dependsOn.filter((name) => !idByKey.has(keyOf(name)));
      if (unknown.length > 0) {
        notices.push({
          code: "dependency_unknown",
          message: `"${subtask.id}" waits for ${quoted(unknown)}, which the plan does not have; that was ignored.`,
          subtaskIds: [subtask.id],
        });
      }
      const dependsOn = subtask.dependsOn.flatMap((name) => idByKey.get(keyOf(name)) ?? []);
      return { ...subtask, dependsOn: [...new Set(dependsOn)] };
    });
    if (this.#dropped > 0) {
      const total = this.planned.length + this.#dropped;
      notices.push({
        code: "subtasks_dropped",
        message: `The plan has ${total} subtasks; the limit is ${this.#options.maxSubtasks}, so the last ${this.#dropped} were dropped.`,
      });
    }
    if (this.#duplicates.length > 0) {
      notices.push({ code: "duplicate_dropped", message: `Exact copies of subtasks were dropped: ${quoted([...new Set(this.#duplicates)])}.` });
    }
    return { subtasks, notices };
  }
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
