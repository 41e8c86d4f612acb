import type { DoubleCall, ScriptRule } from "../src/testing/index.ts";
import { fencedParts } from "./fenced.ts";

/** Is this the question which of two texts is better? */
export function isComparison({ system }: Pick<DoubleCall, "system">): boolean {
  return system.startsWith("You compare two texts");
}

/** The two texts that are compared, in the order in which they are shown. */
export function comparedTexts({ prompt }: Pick<DoubleCall, "prompt">): readonly [first: string, second: string] {
  const { blocks } = fencedParts(prompt);
  const textOf = (place: string): string => blocks.find(({ label }) => label === place)?.text ?? "";
  return [textOf("first"), textOf("second")];
}

/** The verdict of a judge who goes by the text, wherever it stands: the one with the higher rank is better. */
export function verdictBy(call: Pick<DoubleCall, "prompt">, rankOf: (text: string) => number, reasons = "It is better."): string {
  const [first, second] = comparedTexts(call).map(rankOf);
  const ahead = (first ?? 0) - (second ?? 0);
  return JSON.stringify({ reasons, better: ahead === 0 ? "tie" : ahead > 0 ? "first" : "second" });
}

/** Compares, and finds that text better which has these words in it. */
export function preferring(words: string, reasons?: string): ScriptRule {
  return { when: "You compare two texts", reply: (call) => verdictBy(call, (text) => (text.includes(words) ? 1 : 0), reasons) };
}
