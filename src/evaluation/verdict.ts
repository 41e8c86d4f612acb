import type { JSONSchema7 } from "@ai-sdk/provider";
import type { ErrorData } from "../errors.ts";
import { isRecord } from "../json.ts";
import { jsonIn } from "../output/json-in.ts";

/** What a judge says of one piece of work. */
export interface Verdict {
  /** How well it meets the criteria. From 0, not at all, to 1, in full. */
  readonly score: number;
  /** Why, and what would make it better: whoever writes it again is shown this. */
  readonly reasons: string;
}

/** What a judge says of one try. */
export interface TryVerdict extends Verdict {
  /** Its number, from 1. */
  readonly try: number;
  /** Did it reach the threshold? */
  readonly passed: boolean;
}

/** What became of judging one piece of work, over all its tries. */
export interface Evaluation {
  /** Of the try that was kept. Absent where none could be judged. */
  readonly score?: number;
  /** What was said of that try; why it could not be judged, where it could not. */
  readonly reasons: string;
  /** Did it reach the threshold? */
  readonly passed: boolean;
  /** Tries that were written. */
  readonly tries: number;
  /** What kept a try from being judged, or a further one from being written. */
  readonly error?: ErrorData;
}

/** Models score in whole numbers more steadily than in fractions. */
export const bestScore = 10;

/** Reasons come first: a model that has written them scores by them. */
export const verdictSchema: JSONSchema7 = {
  type: "object",
  properties: {
    reasons: { type: "string", description: "For each criterion, what meets it and what does not; then what has to change." },
    score: { type: "integer", minimum: 0, maximum: bestScore },
  },
  required: ["reasons", "score"],
  additionalProperties: false,
};

/** The verdict in a model's reply; nothing where there is none. Prose or a code fence around the JSON is passed over. */
export function readVerdict(reply: string): Verdict | undefined {
  const value = jsonIn(reply)?.value;
  if (!isRecord(value)) return undefined;
  const { score, reasons } = value;
  if (typeof score !== "number" || !(score >= 0 && score <= bestScore) || typeof reasons !== "string") return undefined;
  return { score: score / bestScore, reasons: reasons.trim() };
}
