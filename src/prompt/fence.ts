import { hash } from "node:crypto";

/** Puts text that is not ours between two lines that nothing in it can imitate. */
export type Fence = (label: string, text: string) => string;

/**
 * The fence's name holds 128 bits of sha256(text, counter), the counter raised until the name does not occur in the text.
 * So the same text always gets the same fence (call keys stay stable), and no text can hold its own closing line.
 *
 * @param label what the text is, in lower-case letters: `request`, `context`, `result`
 */
export const fence: Fence = (label, text) => {
  let counter = 0;
  let nonce = nonceOf(text, counter);
  while (text.includes(nonce)) nonce = nonceOf(text, ++counter);
  return `<${label}-${nonce}>\n${text}\n</${label}-${nonce}>`;
};

function nonceOf(text: string, counter: number): string {
  return hash("sha256", `${counter}\n${text}`, "hex").slice(0, 32);
}

/** A fence that remembers: what all workers of a run get is hashed once. */
export function fencing(): Fence {
  const known = new Map<string, string>();
  return (label, text) => {
    const key = `${label}\n${text}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const fenced = fence(label, text);
    known.set(key, fenced);
    return fenced;
  };
}
