import { arrange, nameFrom, type Tied } from "./arrangement.ts";

interface Block extends Tied {
  readonly text: string;
  readonly hasId: boolean;
}

const openTag = /<task\b[^>]*>/i;
const fieldTag = /<(id|type|after)>([^<]*)<\/\1>/gi;
const attribute = /\b(id|type|after)(\s*=\s*)("[^"]*"|'[^']*')/gi;

/**
 * The same plan as another answer would write it: its tasks in another order, their ids and types with `suffix`, every
 * reference kept right. Text outside of the tasks, and what a cut-off plan ends in, keep their place.
 */
export function varyXmlPlan(text: string, turn: number, suffix: string): string {
  const { gaps, blocks } = splitPlan(text);
  const renamed = new Map(blocks.map((block) => [block.name, `${block.name}${suffix}`]));
  const referred = new Set(blocks.flatMap((block) => block.after));
  const written = blocks.map((block) => {
    const body = rewrite(block.text, renamed, suffix);
    // A task without an id is called by its type, which now is another: it gets the id that the others call it by.
    const needsId = !block.hasId && referred.has(block.name);
    return needsId ? body.replace(/^<task\b/i, (tag) => `${tag} id="${renamed.get(block.name) ?? ""}"`) : body;
  });
  const order = arrange(blocks, turn);
  const [head = "", ...rest] = gaps;
  const tail = rest.pop();
  const between = rest.map((gap, place) => (written[order[place] ?? -1] ?? "") + gap).join("");
  const last = written[order.at(-1) ?? -1] ?? "";
  return tail === undefined ? rewrite(head, renamed, suffix) : head + between + last + rewrite(tail, renamed, suffix);
}

/** The closed tasks of a plan and the text around them: one gap more than blocks. */
function splitPlan(text: string): { readonly gaps: readonly string[]; readonly blocks: readonly Block[] } {
  const gaps: string[] = [];
  const blocks: Block[] = [];
  let from = 0;
  for (const match of text.matchAll(/<task\b[^>]*>[^]*?<\/task>/gi)) {
    gaps.push(text.slice(from, match.index));
    blocks.push(readBlock(match[0], blocks));
    from = match.index + match[0].length;
  }
  return { gaps: [...gaps, text.slice(from)], blocks };
}

function readBlock(text: string, earlier: readonly Block[]): Block {
  const fields = new Map<string, string>();
  const tag = openTag.exec(text)?.[0] ?? "";
  for (const [, name = "", , quoted = ""] of tag.matchAll(attribute)) fields.set(name.toLowerCase(), quoted.slice(1, -1));
  for (const [, name = "", value = ""] of text.matchAll(fieldTag)) fields.set(name.toLowerCase(), value);
  const id = fields.get("id")?.trim();
  const base = id || nameFrom(fields.get("type") ?? "") || "default";
  const taken = new Set(earlier.map((block) => block.name));
  let name = base;
  for (let n = 2; taken.has(name); n++) name = `${base}-${n}`;
  return { text, name, hasId: Boolean(id), after: splitNames(fields.get("after") ?? "") };
}

function splitNames(text: string): string[] {
  return text.split(/[\s,;]+/).filter((name) => name !== "");
}

function rewrite(text: string, renamed: ReadonlyMap<string, string>, suffix: string): string {
  const value = (name: string, old: string): string => {
    if (name.toLowerCase() === "after") return old.replace(/[^\s,;]+/g, (ref) => renamed.get(ref) ?? ref);
    return old.trim() === "" ? old : `${old.trimEnd()}${suffix}`;
  };
  return text
    .replace(new RegExp(openTag, "gi"), (tag) =>
      tag.replace(attribute, (_, name: string, equals: string, quoted: string) => {
        const quote = quoted.charAt(0);
        return `${name}${equals}${quote}${value(name, quoted.slice(1, -1))}${quote}`;
      }),
    )
    .replace(fieldTag, (_, name: string, old: string) => `<${name}>${value(name, old)}</${name}>`);
}
