import wrapAnsi from "wrap-ansi";

/** Text broken at its spaces to lines of so many columns; words that are longer are broken too. Styles are carried over. */
export function wrapped(text: string, columns: number): string {
  // A number stays with its unit.
  const tied = text.replace(/(?<=\d) (?=s\b)/g, "\u00A0");
  return wrapAnsi(tied, Math.max(1, columns), { hard: true }).replaceAll("\u00A0", " ");
}

/** As much of a line as so many columns hold. */
export function cutTo(line: string, columns: number): string {
  const [first = "", ...rest] = wrapAnsi(line, Math.max(1, columns), { hard: true, wordWrap: false, trim: false }).split("\n");
  if (rest.length === 0) return first;
  const [cut = ""] = wrapAnsi(line, Math.max(1, columns - 1), { hard: true, wordWrap: false, trim: false }).split("\n");
  return `${cut.trimEnd()}…`;
}
