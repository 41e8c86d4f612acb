/**
 * Text of models, providers and files on its way to a terminal. A terminal obeys what it is sent: text could move the cursor,
 * rename the window, write the clipboard, or show itself in another order than it stands. None of that gets through.
 */

const esc = "\u001B";
/** Strings that a terminal takes for itself (window titles, links, the clipboard), up to their end or that of the line. */
const strings = String.raw`(?:${esc}[\]PX^_]|[\u0090\u0098\u009D-\u009F])\P{Cc}*(?:\u0007|${esc}\\|\u009C)?`;
const commands = String.raw`(?:${esc}\[|\u009B)[0-?]*[ -/]*[@-~]?`;
const shortCommands = String.raw`${esc}[ -/]*[0-~]?`;
const sequences = new RegExp(`${strings}|${commands}|${shortCommands}`, "gu");
const lineEnds = /\r\n?|[\u2028\u2029]/g;
const controls = /(?![\t\n])\p{Cc}/gu;
/** Overrides of the writing direction; the marks that right-to-left languages need stay. */
const bidi = /[\u202A-\u202E\u2066-\u2069]/g;

/** The text without anything but characters, tabs and line ends. */
export function cleanText(text: string): string {
  return text.replace(sequences, "").replace(lineEnds, "\n").replace(controls, "").replace(bidi, "").toWellFormed();
}

/** The same on one line. */
export function oneLine(text: string): string {
  return cleanText(text).replace(/\s+/g, " ").trim();
}

/** The end of a text, on one line. */
export function lastWords(text: string, length: number): string {
  return oneLine(text.slice(-length)).replace(/^\uFFFD/, "");
}

/** The beginning of a text, on one line. */
export function firstWords(text: string, length: number): string {
  return oneLine(text.slice(0, length)).replace(/\uFFFD$/, "");
}

/** The same, with a mark where there is more. */
export function beginning(text: string, length: number): string {
  const shown = firstWords(text, length);
  return text.trimEnd().length > length ? `${shown}…` : shown;
}
