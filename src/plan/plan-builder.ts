import type { Notice } from "../notice.ts";
import { asId, keyOf, slug, withSuffix } from "../names.ts";
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
  readonly #byKey = new Map<string, Planned>();
  /** The number that made the last id out of a name which was taken. */
  readonly #numbers = new Map<string, number>();
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

  /** What the plan says; nothing, where what it said is void. Says whether it still counts: not once a subtask stands. */
  setCombine(combine: Combine | undefined): boolean {
    if (this.planned.length > 0) return false;
    this.#combine = combine;
    return true;
  }

  /** Does this very subtask stand already, under the same id? A planner that is asked for the rest may repeat the whole. */
  stands(draft: Draft): boolean {
    const standing = draft.id === undefined ? undefined : this.#byKey.get(keyOf(asId(draft.id)))?.subtask;
    return standing !== undefined && contentOf({ ...standing, after: standing.dependsOn }) === contentOf(draft);
  }

  /** The subtask that the draft becomes; nothing where it is over the limit, or a copy that adds nothing. */
  add(draft: Draft): Planned | undefined {
    const type = typeOf(draft);
    const content = contentOf(draft);
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
      dependsOn: [...new Map(draft.after.map((name) => [keyOf(name), name])).values()],
    };
    const planned: Planned = { subtask, ordinal: this.planned.length, sample };
    this.planned.push(planned);
    this.#byKey.set(keyOf(subtask.id), planned);
    return planned;
  }

  /** Another with the same in it. */
  copy(): PlanBuilder {
    const other = new PlanBuilder(this.#options);
    other.setCombine(this.#combine);
    other.restore(this.planned, this.#dropped);
    return other;
  }

  /** Takes in what stood before, of a run that goes on. */
  restore(before: readonly Planned[], dropped: number): void {
    this.#dropped = dropped;
    for (const planned of before) this.#restore(planned);
  }

  #restore(planned: Planned): void {
    const { subtask } = planned;
    const content = contentOf({ ...subtask, after: subtask.dependsOn });
    this.#copies.set(content, Math.max(this.#copies.get(content) ?? 0, planned.sample + 1));
    this.planned.push(planned);
    this.#byKey.set(keyOf(subtask.id), planned);
  }

  #freeId(wanted: string): string {
    const key = keyOf(wanted);
    let id = wanted;
    let number = this.#numbers.get(key) ?? 1;
    while (this.#byKey.has(keyOf(id))) id = withSuffix(wanted, `-${++number}`);
    this.#numbers.set(key, number);
    return id;
  }

  /** The plan's subtasks with every reference resolved. References to nothing are left out; they are in `notices`. */
  finish(): { subtasks: Subtask[]; notices: Notice[] } {
    const notices: Notice[] = [];
    const subtasks = this.planned.map(({ subtask }) => {
      const unknown = subtask.dependsOn.filter((name) => !this.#byKey.has(keyOf(name)));
      if (unknown.length > 0) {
        notices.push({
          code: "dependency_unknown",
          message: `"${subtask.id}" waits for ${quoted(unknown)}, which the plan does not have; that was ignored.`,
          subtaskIds: [subtask.id],
        });
      }
      const dependsOn = subtask.dependsOn.flatMap((name) => this.#byKey.get(keyOf(name))?.subtask.id ?? []);
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

/** One line of at most 100 characters. */
function typeOf({ type }: Draft): string {
  return type.replace(/\s+/g, " ").trim().slice(0, 100).trimEnd() || "default";
}

/** Two drafts of the same content are copies of one subtask, whatever their ids. */
function contentOf(draft: Draft): string {
  return JSON.stringify([typeOf(draft), draft.description, [...new Set(draft.after.map(keyOf))]]);
}
