import type { Notice } from "../notice.ts";
import { asId, keyOf, slug, withSuffix } from "../names.ts";
import type { Combine, Planned, Subtask } from "../subtask.ts";
import { Copies } from "./copies.ts";
import { contentOf, typeOf, wordsOf } from "./draft-words.ts";
import type { Draft } from "./reading/reader.ts";

export interface PlanBuilderOptions {
  /** Of its own round. Absent for a plan that somebody handed in: nothing of that is left out, be it too much or a copy. */
  readonly maxSubtasks?: number | undefined;
  /** Stands above what the plan says. */
  readonly combine?: Combine | undefined;
  /** Subtasks over the limit of the run from which the plan is taken. @default none */
  readonly dropped?: number | undefined;
}

/** A further round of the plan. */
export interface Round {
  /** 2 for the first of them. */
  readonly number: number;
  /** Subtasks that it may write. */
  readonly maxSubtasks: number;
  /** Keys of the ids of subtasks that came to nothing: they may be written anew. */
  readonly replaceable: ReadonlySet<string>;
}

/** Turns drafts into subtasks as they come: names them, counts copies, and keeps within the limit. */
export class PlanBuilder {
  /** What stands, each at its place in the plan. */
  readonly planned: Planned[] = [];
  readonly #options: PlanBuilderOptions;
  #combine: Combine | undefined;
  #round: Round;
  /** Subtasks that were added, those among them that others have replaced. */
  #added = 0;
  #addedBefore = 0;
  /** What was asked for so far, by its words. */
  readonly #asked = new Map<string, Planned[]>();
  readonly #repeated: string[] = [];
  readonly #byKey = new Map<string, Planned>();
  /** Names that subtasks of earlier rounds waited for, and that nobody had. */
  readonly #unknown = new Set<string>();
  /** The number that made the last id out of a name which was taken. */
  readonly #numbers = new Map<string, number>();
  #copies = new Copies();
  readonly #duplicates: string[] = [];
  #dropped: number;
  #droppedBefore: number;
  readonly #toldSamples = new Map<string, number>();

  constructor(options: PlanBuilderOptions = {}) {
    this.#options = options;
    this.#dropped = this.#droppedBefore = options.dropped ?? 0;
    this.#round = { number: 1, maxSubtasks: options.maxSubtasks ?? Number.POSITIVE_INFINITY, replaceable: new Set() };
  }

  /** The round that is being planned, or was last; 1 for the plan's own. */
  get round(): number {
    return this.#round.number;
  }

  /** Subtasks that were ever added: replacing one adds another. */
  get added(): number {
    return this.#added;
  }

  /** What comes from now on belongs to a further round. What was asked for before is asked for: to ask again adds nothing. */
  openRound(round: Round): void {
    this.#round = round;
    // What nobody had was ignored; it does not come to mean something now.
    for (const { subtask } of this.planned) for (const name of subtask.dependsOn) if (!this.#byKey.has(keyOf(name))) this.#unknown.add(keyOf(name));
    this.#addedBefore = this.#added;
    this.#droppedBefore = this.#dropped;
    this.#duplicates.length = 0;
    this.#repeated.length = 0;
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
  stands(written: Draft): boolean {
    const draft = this.#withStandIns(written);
    const standing = draft.id === undefined ? undefined : this.#byKey.get(keyOf(asId(draft.id)))?.subtask;
    return standing !== undefined && contentOf({ ...standing, after: standing.dependsOn }) === contentOf(draft);
  }

  /** Numbers of tries that were told otherwise than they were counted here, by the key of the subtask's id. */
  get toldSamples(): ReadonlyMap<string, number> {
    return this.#toldSamples;
  }

  /** Takes one that stands as it was told: under another number, maybe. */
  tell(told: Planned): void {
    const { subtask, ordinal, sample } = told;
    if (this.planned[ordinal]?.sample === sample) return;
    const key = keyOf(subtask.id);
    this.#toldSamples.set(key, sample);
    this.planned[ordinal] = told;
    this.#byKey.set(key, told);
  }

  /** The subtask that the draft becomes; nothing where it is over the limit, or a copy that adds nothing. */
  add(written: Draft): Planned | undefined {
    const draft = this.#withStandIns(written);
    const type = typeOf(draft);
    const content = contentOf(draft);
    const sample = this.#copies.of(content);
    const wanted = asId(draft.id ?? "") || slug(type) || "subtask";
    const { number: round, maxSubtasks, replaceable } = this.#round;
    if (this.#asksAgain(draft)) {
      this.#repeated.push(wanted);
      return undefined;
    }
    if (sample > 0 && this.#options.maxSubtasks !== undefined && this.combine === "merge" && !this.#isAwaited(wanted)) {
      this.#duplicates.push(type);
      if (!this.#byKey.has(keyOf(wanted))) this.#copies.drop(wanted, content);
      return undefined;
    }
    if (this.#added - this.#addedBefore >= maxSubtasks) {
      this.#dropped++;
      return undefined;
    }
    const replaced = replaceable.has(keyOf(wanted)) ? this.#byKey.get(keyOf(wanted)) : undefined;
    const isOpen = replaced !== undefined && (replaced.round ?? 1) < round;
    const subtask: Subtask = {
      id: isOpen ? replaced.subtask.id : this.#freeId(wanted),
      type,
      description: draft.description,
      dependsOn: [...new Map(draft.after.map((name) => [keyOf(name), name])).values()],
    };
    const planned: Planned = { subtask, ordinal: isOpen ? replaced.ordinal : this.planned.length, sample, ...(round > 1 && { round }) };
    this.#put(planned);
    return planned;
  }

  /** The draft, waiting for what stands in place of copies. */
  #withStandIns(draft: Draft): Draft {
    return { ...draft, after: draft.after.map((name) => this.#copies.standIn(name)) };
  }

  /** Does one that stands wait for whoever takes that name? */
  #isAwaited(name: string): boolean {
    const key = keyOf(name);
    return !this.#byKey.has(key) && this.planned.some(({ subtask }) => subtask.dependsOn.some((other) => keyOf(other) === key));
  }

  /** In the same words, over the same results; or over some of them where it is done. What failed may be tried without what it needed. */
  #asksAgain(draft: Draft): boolean {
    const after = new Set(draft.after.map(keyOf));
    const asked = this.#asked.get(wordsOf(draft)) ?? [];
    // Of copies within a round there may be several, as in any plan.
    const earlier = asked.filter(({ round = 1 }) => round < this.round);
    return earlier.some(({ subtask }) => {
      const before = new Set(subtask.dependsOn.map(keyOf));
      const isDone = !this.#round.replaceable.has(keyOf(subtask.id));
      return [...after].every((key) => before.has(key)) && (isDone || before.size === after.size);
    });
  }

  #put(planned: Planned): void {
    const { subtask, ordinal, sample } = planned;
    const draft = { ...subtask, after: subtask.dependsOn };
    this.#copies.stands(subtask.id, contentOf(draft), sample);
    const alike = this.#asked.get(wordsOf(draft));
    if (alike === undefined) this.#asked.set(wordsOf(draft), [planned]);
    else alike.push(planned);
    this.#added++;
    this.planned[ordinal] = planned;
    this.#byKey.set(keyOf(subtask.id), planned);
  }

  /** Another with the same in it. */
  copy(): PlanBuilder {
    const other = new PlanBuilder(this.#options);
    other.setCombine(this.#combine);
    other.restore(this.planned, this.#dropped);
    for (const [words, asked] of this.#asked) other.#asked.set(words, asked.slice());
    other.#copies = new Copies(this.#copies);
    if (this.round > 1) other.openRound({ ...this.#round, maxSubtasks: this.#round.maxSubtasks - (this.#added - this.#addedBefore) });
    return other;
  }

  /** Takes in what stood before, of a run that goes on, in the order in which it was written. */
  restore(before: readonly Planned[], dropped: number): void {
    this.#dropped = dropped;
    for (const planned of before) this.#put(planned);
  }

  #freeId(wanted: string): string {
    const key = keyOf(wanted);
    let id = wanted;
    let number = this.#numbers.get(key) ?? 1;
    while (this.#byKey.has(keyOf(id)) || this.#unknown.has(keyOf(id))) id = withSuffix(wanted, `-${++number}`);
    this.#numbers.set(key, number);
    return id;
  }

  /**
   * The plan's subtasks with every reference resolved. References to nothing are left out; they are in `notices`, with what was
   * dropped in the last round.
   */
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
    const { number: round, maxSubtasks } = this.#round;
    const dropped = this.#dropped - this.#droppedBefore;
    if (dropped > 0) {
      const total = this.#added - this.#addedBefore + dropped;
      const whose = round === 1 ? "The plan" : `Round ${round}`;
      notices.push({ code: "subtasks_dropped", message: `${whose} has ${total} subtasks; the limit is ${maxSubtasks}, so the last ${dropped} were dropped.` });
    }
    if (this.#repeated.length > 0) {
      const message = `Round ${round} asks again for what was asked for before; that was dropped: ${quoted([...new Set(this.#repeated)])}.`;
      notices.push({ code: "repeat_dropped", message });
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
