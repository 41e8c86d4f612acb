/** The beginning of a text, of so many characters at most, none of them half a character. */
export function beginningOf(text: string, length: number): string {
  return text.length > length ? text.slice(0, length).replace(/[\ud800-\udbff]$/, "") : text;
}

/** A text within bounds: where it is longer, its beginning and "…". */
export function shortened(text: string, length: number): string {
  return text.length > length ? `${beginningOf(text, length)}…` : text;
}

/** Within bounds and on one line. */
export function shortLine(text: string, length: number): string {
  return shortened(text.replace(/\s+/g, " ").trim(), length);
}
