import type { MarkedToken, Token } from "marked";
import type { Paint } from "../writing/paint.ts";

/** Tokens of marked's own; without extensions there are no others. */
export function known(tokens: readonly Token[]): readonly MarkedToken[] {
  return tokens.filter((token): token is MarkedToken => types.has(token.type));
}

const types: ReadonlySet<string> = new Set([
  "blockquote",
  "br",
  "checkbox",
  "code",
  "codespan",
  "def",
  "del",
  "em",
  "escape",
  "heading",
  "hr",
  "html",
  "image",
  "link",
  "list",
  "list_item",
  "paragraph",
  "space",
  "strong",
  "table",
  "text",
] satisfies MarkedToken["type"][]);

/** Words with their styles, as text for a terminal. */
export function inlineText(tokens: readonly Token[] | undefined, paint: Paint): string {
  return known(tokens ?? [])
    .map((token) => inlineToken(token, paint))
    .join("");
}

function inlineToken(token: MarkedToken, paint: Paint): string {
  switch (token.type) {
    case "strong":
      return paint("bold", inlineText(token.tokens, paint));
    case "em":
      return paint("italic", inlineText(token.tokens, paint));
    case "del":
      return paint("strikethrough", inlineText(token.tokens, paint));
    case "codespan":
      return paint("cyan", token.text);
    case "br":
      return "\n";
    case "link": {
      const text = inlineText(token.tokens, paint);
      // Said beside the words: a link that shows one address and opens another is an old trick.
      return token.href === token.text || token.href === `mailto:${token.text}` ? paint("underline", text) : `${text} (${paint("underline", token.href)})`;
    }
    case "image":
      return `${token.text} (${paint("underline", token.href)})`;
    case "text":
      return token.tokens === undefined ? decoded(token.text) : inlineText(token.tokens, paint);
    case "checkbox":
      return "";
    default:
      return "text" in token ? decoded(token.text) : token.raw;
  }
}

const entities: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": "\u00A0" };

function decoded(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|nbsp|#39);/g, (entity) => entities[entity] ?? entity);
}
