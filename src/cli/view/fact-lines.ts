import type { Fact } from "../../events.ts";
import { factDetail } from "../commands/fact-detail.ts";
import { duration } from "../../quantity.ts";
import type { Terminal } from "../terminal.ts";
import { wrapped } from "./wrapped.ts";

/** A line each: when, since the run began; what; and what matters of it. */
export function factLines(facts: readonly Fact[], { out, outPaint: paint }: Terminal): string {
  const begun = facts[0]?.at ?? 0;
  const rows = facts.map((fact) => ({ time: `+${duration(fact.at - begun)}`, type: fact.type, detail: factDetail(fact) }));
  const [timeWidth, typeWidth] = [widest(rows.map(({ time }) => time)), widest(rows.map(({ type }) => type))];
  const indent = timeWidth + typeWidth + 4;
  const lines = rows.map(({ time, type, detail }) => {
    // Beside the type where there is room for some words, else below it.
    const isNarrow = out.isTerminal && out.columns < indent + 20;
    const left = isNarrow ? 4 : indent;
    const text = (out.isTerminal ? wrapped(detail, out.columns - left) : detail).replaceAll("\n", `\n${" ".repeat(left)}`);
    const head = `${paint("dim", time.padStart(timeWidth))}  ${detail === "" ? type : type.padEnd(typeWidth)}`;
    return `${head}${detail === "" ? "" : isNarrow ? `\n${" ".repeat(left)}${text}` : `  ${text}`}\n`;
  });
  return lines.join("");
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most, { length }) => Math.max(most, length), 0);
}
