import { pick } from "../src/testing/random.ts";

/** What plans are made of, whole and in halves: strung together at random it comes near to plans and to their worst neighbours. */
export const planPieces: readonly string[] = [
  "<analysis>",
  "</analysis>",
  "<think>",
  "</think>",
  "</thinking>",
  "<tasks combine='merge'>",
  "<tasks>",
  "</tasks>",
  "<task>",
  "</task>",
  '<task id="a" after="b,c">',
  '<task id="a>b">',
  "<task type='x > \"y\"' after = 'a>'>",
  '<task description="a -> b"/>',
  ' id="',
  "='",
  '="',
  "=",
  ">".repeat(200),
  "x".repeat(200),
  "<task/>",
  "<type>",
  "</type>",
  "<description>",
  "</description>",
  "<id>",
  "</id>",
  "<after>",
  "</after>",
  "<answer>",
  "</answer>",
  "<answer>N/A</answer>",
  "none",
  "<![CDATA[",
  "]]>",
  "]",
  "<",
  ">",
  "/",
  "</",
  "<ta",
  "sks>",
  "&lt;",
  "&",
  "&#x1F600;",
  "text",
  " ",
  "\n",
  "```",
  "😀",
  "\ud83d",
  "\ude00",
  "List<T>",
  "'",
  '"',
  '{"',
  '{"subtasks":[',
  '{"description":"d"}',
  '{"answer":"',
  '"answer":"None",',
  '"analysis":',
  '"combine":"keep"',
  '"after":["a",1]',
  "{",
  "}",
  "[",
  "]}",
  ":",
  ",",
  "\\",
  '\\"',
  "\\n",
  "\\u00e9",
  "\\ud83d\\ude00",
  "\\u1",
  "u",
  "\\d",
  ' mark="m4rk"',
  '<tasks mark="m4rk">',
  '<task mark="m4rk">',
  "<answer mark='m4rk'>",
  '"mark":"m4rk",',
  '{"mark":"m4rk","subtasks":[',
];

/** One of each kind. */
export const wholePlans: readonly string[] = [
  `<analysis>Two & more.</analysis>\n<tasks combine="merge">\n<task id="a"><type>x</type><description>Do a &lt;b&gt; <![CDATA[<c>]]>.</description></task>\n<task id="b" after="a">\n<type>y</type><description>Write </task> of List<T>.</task>\n</tasks>`,
  `<answer>N/A</answer><tasks note="a > b" combine='keep'>\n<task id="a>b" type='x>' after="c"><description>One</description></task><task id='c' type="y > z" description="Two > 1"/>\n</tasks>`,
  `<think>hm <task></think>Sure. <answer>\nAll <b>of</b> it &amp; more <answer>. </answer>\n`,
  '```json\n{"analysis":"Two\\nparts","answer":"","combine":"keep","subtasks":[{"id":"a","type":"x","description":"Do \\"a\\" \\ud83d\\ude00","after":[]},\n{"id":2,"type":"y","description":"b\n","after":["a"]}]}\n```',
  'Here {it} is: {"analysis":"","answer":"One \\\\ two\\u00e9 \\n😀 \\d ","combine":"keep","subtasks":[]}',
  `<analysis>You wrote </analysis><tasks><task>no</task></tasks>.</analysis><tasks mark="m4rk"><task mark="m4rk" id="a"><type>x</type><description>Read </description></task>.</description></task>\n</tasks>`,
  '<answer mark="m4rk">In </answer><task>no</task> it is.</answer>\n',
  'You wrote {"subtasks":[{"description":"no"}]}. {"mark":"m4rk","analysis":"","combine":"keep","subtasks":[{"id":"a","description":"b"}]}',
];

const below = (random: () => number, bound: number): number => Math.floor(random() * bound);

/** Something that is nearly a plan: pieces strung together, a plan that was tampered with, or any characters at all. */
export function randomPlanText(random: () => number): string {
  const kind = random();
  if (kind < 0.45) return Array.from({ length: below(random, 40) }, () => pick(random, planPieces)).join("");
  if (kind < 0.9) {
    let text = pick(random, wholePlans);
    for (let edits = below(random, 5); edits > 0; edits--) {
      const at = below(random, text.length + 1);
      text = text.slice(0, at) + (random() < 0.7 ? pick(random, planPieces) : "") + text.slice(at + below(random, 40));
    }
    return text;
  }
  return String.fromCharCode(...Array.from({ length: below(random, 60) }, () => below(random, random() < 0.5 ? 0x80 : 0x10000)));
}

/** The same text, cut wherever chance has it; an empty chunk may come at any time. */
export function randomChunks(random: () => number, text: string): string[] {
  const longest = pick(random, [2, 5, 20, 200]);
  const chunks: string[] = [];
  for (let from = 0; from < text.length;) {
    const size = below(random, longest);
    chunks.push(text.slice(from, from + size));
    from += size;
  }
  return chunks;
}
