/**
 * The text between the first `<tag>` and the `</tag>` that follows it, as it stands there; empty where there is none. Upper and
 * lower case are the same. Linear in the length of the text.
 *
 * @param tag the element's name, letters, digits, `-`, `_` and `.` only
 * @throws RangeError for another name
 */
export function extractXml(text: string, tag: string): string {
  if (!/^[\w.-]+$/.test(tag)) throw new RangeError(`extractXml: "${tag}" is not the name of a tag`);
  const open = new RegExp(`<${tag.replaceAll(".", "\\.")}(?:\\s[^<>]*)?>`, "i").exec(text);
  if (open === null) return "";
  const from = open.index + open[0].length;
  const length = text.slice(from).search(new RegExp(`</${tag.replaceAll(".", "\\.")}\\s*>`, "i"));
  return length === -1 ? "" : text.slice(from, from + length);
}
