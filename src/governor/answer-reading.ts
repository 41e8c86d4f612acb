import { keyOf } from "../names.ts";

/** What is written for one subtask: tries, and what is written in their place. One of them is kept. */
interface Texts {
  /** Tokens of the longest that stands there. */
  longest: number;
  /** What those on their way may come to. */
  readonly open: number[];
}

/**
 * Tokens that a run's answer will have to read of what is, or may be, written. Of a subtask's texts the longest counts, since one of them
 * is kept: so it never grows by what comes of a text that was begun.
 */
export class AnswerReading {
  #tokens = 0;
  readonly #texts = new Map<string, Texts>();

  /** As it would be when one more is begun. */
  with(most: number, subtaskId: string | undefined): number {
    return this.#tokens + (subtaskId === undefined ? most : Math.max(0, most - longestOf(this.#textsOf(subtaskId))));
  }

  /** Tokens of the longest text of a subtask, as it would be. */
  longestWith(most: number, subtaskId: string | undefined): number {
    return [...this.#texts.values()].reduce((longest, texts) => Math.max(longest, longestOf(texts)), subtaskId === undefined ? 0 : most);
  }

  /** One is begun that will have so many tokens at most. */
  begin(most: number, subtaskId: string | undefined): void {
    if (subtaskId === undefined) this.#tokens += most;
    else this.#change(subtaskId, ({ open }) => void open.push(most));
  }

  /** It has ended; what came of it is added. */
  end(most: number, subtaskId: string | undefined): void {
    if (subtaskId === undefined) this.#tokens -= most;
    else this.#change(subtaskId, ({ open }) => void open.splice(open.indexOf(most), 1));
  }

  /** So many tokens stand there. */
  add(tokens: number, subtaskId: string | undefined): void {
    if (subtaskId === undefined) this.#tokens += tokens;
    else this.#change(subtaskId, (texts) => (texts.longest = Math.max(texts.longest, tokens)));
  }

  #change(subtaskId: string, change: (texts: Texts) => void): void {
    const texts = this.#textsOf(subtaskId);
    const before = longestOf(texts);
    change(texts);
    this.#tokens += longestOf(texts) - before;
  }

  #textsOf(subtaskId: string): Texts {
    const key = keyOf(subtaskId);
    const texts = this.#texts.get(key) ?? { longest: 0, open: [] };
    this.#texts.set(key, texts);
    return texts;
  }
}

function longestOf({ longest, open }: Texts): number {
  return Math.max(longest, ...open);
}
