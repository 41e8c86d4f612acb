/** What a terminal would obey even inside a JSON string; JSON itself escapes only the controls below U+0020. */
const dangerous = /[\u007F-\u009F\u202A-\u202E\u2066-\u2069\u2028\u2029]/g;

export function jsonText(value: unknown, indent?: number): string {
  return safeJson(JSON.stringify(value, null, indent));
}

/** JSON that is safe to show as it is, and says the same as before. */
export function safeJson(json: string): string {
  return json.replace(dangerous, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
