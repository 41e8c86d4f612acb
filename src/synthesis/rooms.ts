/** How a window is shared out, in tokens: what fits into one call. */
export interface Rooms {
  /** Of a prompt and the cap of its reply, together. */
  readonly usable: number;
  /** Cap of the answer. */
  readonly answerCap: number;
  /** Of the results in the prompt for the answer, each in its frame. */
  readonly answerReads: number;
  /** Of a reduction's prompt without a text in it. */
  readonly frame: number;
  /** Of the texts in it, each in its frame. */
  readonly reads: number;
  /** Cap of its reply, what the model may think by its own options left out. */
  readonly cap: number;
  /** Added to that cap for what the model may think. */
  readonly thinking: number;
}

export interface RoomsInput {
  /** Of the model's window. */
  readonly contextTokens: number;
  /** The role's own cap. */
  readonly maxOutputTokens: number;
  /** Of that, for thinking, where the role's options name it. */
  readonly thinking: number;
  /** What may be said of answers that are written again, of each: a verdict, or why one does not have its form. Whoever writes again reads that, and the answer. */
  readonly remarks: readonly number[];
  /** Of the prompt for the answer with a result that says nothing. */
  readonly answerFrame: number;
  /** Of a reduction's prompt without a text in it. */
  readonly frame: number;
}

/** Of a window: providers count otherwise than the estimate does. */
const usableShare = 7 / 8;
/** Of what is usable, for the answer's own text. */
const answerShare = 1 / 3;
/** A text is shortened to no less than this share of it in one step, where the model may write that much. */
const leastShare = 1 / 8;
/** With less room for texts than this, in tokens, their frames take most of it. */
const leastRoom = 1_000;
/** What a model that thinks needs beside that, in tokens. */
const leastReply = 1_024;
/** Of the reduction's cap, what it is asked for: models miscount. In words, of which a token is three quarters. */
const wordsShare = 1 / 2;

/** Does all of it fit as it is? */
export function fitsAsItIs({ contextTokens, maxOutputTokens, remarks }: RoomsInput, promptTokens: number): boolean {
  return promptTokens + maxOutputTokens + triesRead(maxOutputTokens, remarks) <= Math.floor(contextTokens * usableShare);
}

/**
 * How the window is shared out; nothing where it is too small for that, by what must be read whatever becomes of the results. One that
 * is too small for answers to be written again is shared out as if none was.
 */
export function roomsOf(input: RoomsInput): Rooms | undefined {
  return sharedOut(input) ?? sharedOut({ ...input, remarks: [] });
}

function sharedOut({ contextTokens, maxOutputTokens, thinking, remarks, answerFrame, frame }: RoomsInput): Rooms | undefined {
  const usable = Math.floor(contextTokens * usableShare);
  const answerCap = Math.min(maxOutputTokens, Math.max(Math.floor(usable * answerShare), thinking + leastReply));
  const answerReads = usable - answerFrame - answerCap - triesRead(answerCap, remarks);
  // A reply that is cut is asked for once more with double the cap: for that there is room, and even then it halves what it reads.
  const space = usable - frame - 2 * thinking;
  const cap = Math.min(maxOutputTokens, Math.floor(space / 6), Math.floor(answerReads / 2));
  const reads = Math.min(space - 2 * cap, Math.floor(cap / leastShare));
  if (answerReads < leastRoom || reads < leastRoom) return undefined;
  return { usable, answerCap, answerReads, frame, reads, cap, thinking };
}

function triesRead(answerCap: number, remarks: RoomsInput["remarks"]): number {
  return remarks.reduce((sum, remark) => sum + answerCap + remark, 0);
}

/** The cap of what stands in place of texts of so many tokens: a quarter of them at most. */
export function capFor({ cap }: Rooms, reads: number): number {
  return Math.min(cap, Math.ceil(reads / 4));
}

/** What is asked for under such a cap. */
export function wordsFor(cap: number): number {
  return Math.max(1, Math.floor(cap * wordsShare));
}

/** A tree has no more levels than this, whatever it is made of. */
export const mostLevels = 40;

/** What one level of reductions takes, all its calls together. */
export interface LevelAhead {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Tokens of texts that stand after it. */
  readonly leaves: number;
}

/** How far reductions fill their bounds. */
export interface Filling {
  /** Of each cap, the share that is written. */
  readonly written: number;
  /** Of the room of each call, the share that is filled: texts are kept whole where they can be. */
  readonly filled: number;
}

/** As they may at worst, and as they usually do. */
export const fully: Filling = { written: 1, filled: 1 / 2 };
export const usually: Filling = { written: 2 / 3, filled: 4 / 5 };

/** What reductions of so many tokens of results take before the rest can be read. */
export function levelsAhead({ answerReads, reads, frame, thinking, cap }: Rooms, tokens: number, { written, filled }: Filling): LevelAhead[] {
  const levels: LevelAhead[] = [];
  for (let left = tokens; left > answerReads && levels.length < mostLevels;) {
    const read = left;
    const calls = Math.ceil(left / (reads * filled));
    const capped = Math.min(calls * cap, Math.ceil(left / 4));
    const outputTokens = Math.ceil((capped + calls * thinking) * written);
    left = Math.ceil(capped * written);
    levels.push({ calls, inputTokens: read + calls * frame, outputTokens, leaves: left });
  }
  return levels;
}
