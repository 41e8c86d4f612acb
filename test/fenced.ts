/** A prompt taken apart by its fences alone, knowing nothing of how they are made. */
export interface Fenced {
  readonly blocks: readonly { readonly label: string; readonly text: string }[];
  /** What stands in no fence. */
  readonly outside: string;
}

/** Reads from the top, as a reader would: a line that opens a fence, and all up to the first line that closes it. */
export function fencedParts(prompt: string): Fenced {
  const blocks: { label: string; text: string }[] = [];
  const names = new Map<string, string>();
  let outside = "";
  let rest = prompt;
  for (;;) {
    const open = /(?:^|\n)<([a-z]+)-([0-9a-f]{32})>\n/.exec(rest);
    if (open === null) return { blocks, outside: outside + rest };
    const [whole, label = "", nonce = ""] = open;
    outside += rest.slice(0, open.index);
    rest = rest.slice(open.index + whole.length);
    const close = `\n</${label}-${nonce}>`;
    const end = rest.indexOf(close);
    if (end === -1) throw new Error(`The fence ${label}-${nonce} is never closed.`);
    const text = rest.slice(0, end);
    if (text.includes(nonce)) throw new Error(`The text in the fence ${label}-${nonce} knows its name.`);
    // The same text may stand in two fences; another one must not bear its name.
    if ((names.get(nonce) ?? text) !== text) throw new Error(`Two texts stand in fences named ${nonce}.`);
    names.set(nonce, text);
    blocks.push({ label, text });
    rest = rest.slice(end + close.length);
    if (rest !== "" && !rest.startsWith("\n")) throw new Error(`The line that closes the fence ${label}-${nonce} goes on.`);
  }
}
