import { varyJson } from "./json-variation.ts";
import { pick, seededRandom, seedFor } from "./random.ts";
import { varyXmlPlan } from "./xml-variation.ts";

const words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jade", "larch", "maple"] as const;
const openings = ["Put another way:", "In other words:", "Once more:", "Again, then:", "To say it differently:"] as const;

/**
 * The text as a model would give it when asked once more: never the same twice, yet of the same shape. Deterministic.
 *
 * - A plan in XML: tasks in another order (prerequisites first), ids and types with a suffix, references kept right.
 * - JSON: still JSON of the same shape; lists of things with an id are treated as plans are, prose is reworded.
 * - Other text: the longest line outside of tags gets an opening and a closing word. Tags stay as they are. Where there
 *   is no such line (a lone name between tags), a line break is added at the end.
 * - Empty text stays empty.
 *
 * @param answer - Which answer to the same question this is. The first (1) is the text itself.
 */
export function vary(text: string, answer: number, seed = 1): string {
  if (answer <= 1 || text.trim() === "") return text;
  const random = seededRandom(seedFor(seed, `${answer}:${text}`));
  const word = pick(random, words);
  const opening = pick(random, openings);
  const suffix = `-${word}${answer}`;
  const reword = (prose: string): string | undefined => rewordLongestLine(prose, `${opening} `, ` (${word} ${answer})`);
  // Where no word may change, the white space at the end does.
  const respace = (): string => text + "\n".repeat(answer - 1);

  if (text.includes("<task")) {
    const varied = varyXmlPlan(text, answer - 1, suffix);
    if (varied !== text) return varied;
  }
  const json = parseJson(text);
  if (json !== undefined) {
    const varied = JSON.stringify(varyJson(json, answer - 1, suffix, (prose) => reword(prose) ?? prose));
    return varied === JSON.stringify(json) ? respace() : varied;
  }
  return reword(text) ?? respace();
}

function parseJson(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Words before and after the longest line of prose; `undefined` where there is none. */
function rewordLongestLine(text: string, before: string, after: string): string | undefined {
  const tagged = /<[^<>]*>/.test(text);
  let longest: { readonly at: number; readonly line: string } | undefined;
  for (const match of text.matchAll(/<[^<>]*>|([^<\n]+|<)/g)) {
    const line = match[1]?.trim() ?? "";
    // Between tags, one word may be a name or one of a fixed set.
    const isProse = line !== "" && (!tagged || /\s/.test(line));
    if (isProse && line.length > (longest?.line.length ?? 0)) longest = { at: match.index + match[0].indexOf(line), line };
  }
  if (longest === undefined) return undefined;
  const end = longest.at + longest.line.length;
  return text.slice(0, longest.at) + before + longest.line + after + text.slice(end);
}
