/** A JSON value in a text, as it stands there and read. */
export interface JsonFound {
  readonly text: string;
  readonly value: unknown;
}

/** Prose that is full of brackets is not gone through for ever. */
const mostOpenings = 64;

/**
 * The JSON in a model's reply; nothing where there is none. A code fence around it is passed over, and so is prose around an object or a
 * list: of several, the longest counts.
 */
export function jsonIn(reply: string): JsonFound | undefined {
  const whole = reply.trim();
  const fenced = inFence(whole);
  return read(whole) ?? (fenced === undefined ? undefined : read(fenced)) ?? longestIn(whole);
}

/** What stands in a code fence that is all of the text; nothing where it is none. */
function inFence(text: string): string | undefined {
  const start = text.indexOf("\n") + 1;
  if (start === 0 || !/^```\w*$/.test(text.slice(0, start).trim()) || !text.endsWith("```")) return undefined;
  return text.slice(start, -3).trim();
}

function read(text: string): JsonFound | undefined {
  try {
    return { text, value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function longestIn(text: string): JsonFound | undefined {
  let longest: JsonFound | undefined;
  const opening = /[{[]/g;
  for (let tries = 0; tries < mostOpenings; tries++) {
    const start = opening.exec(text)?.index;
    if (start === undefined) break;
    const end = endOf(text, start);
    const found = end === undefined ? undefined : read(text.slice(start, end));
    if (found === undefined) continue;
    opening.lastIndex = start + found.text.length;
    if (longest === undefined || found.text.length > longest.text.length) longest = found;
  }
  return longest;
}

/** Where what opens there is closed again, brackets in strings left out; nothing where it never is. */
function endOf(text: string, start: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === "\\") at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "{" || char === "[") depth++;
    else if ((char === "}" || char === "]") && --depth === 0) return at + 1;
  }
  return undefined;
}
