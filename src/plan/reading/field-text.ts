const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Resolves XML's five named entities and numeric ones; any other `&` stands as it is. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot|apos));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return named[name.toLowerCase()] ?? whole;
    const code = hex === undefined ? Number.parseInt(decimal ?? "", 10) : Number.parseInt(hex, 16);
    const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : whole;
  });
}

/** The text of one field, gathered piece by piece: entities are resolved outside CDATA sections only. */
export class FieldText {
  #markup = "";
  #read = "";

  add(markup: string): void {
    this.#markup += markup;
  }

  addVerbatim(text: string): void {
    this.#read += decodeEntities(this.#markup) + text;
    this.#markup = "";
  }

  toString(): string {
    return (this.#read + decodeEntities(this.#markup)).trim();
  }
}
