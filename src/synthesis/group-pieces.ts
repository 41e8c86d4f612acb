import { type Piece, pieceText } from "./reduction-prompt.ts";
import { splitText } from "./split-text.ts";

/** Pieces that are reduced by one call. */
export interface Group {
  readonly pieces: readonly Piece[];
  /** Of all of them, in their frames. */
  readonly tokens: number;
}

/** Sums of estimates fall short of the estimate of the whole by a little. */
const rounding = 4;

/** A piece in its frame, in tokens. */
export function pieceTokens(piece: Piece, textTokens: (text: string) => number): number {
  return textTokens(pieceText(piece)) + rounding;
}

/**
 * Groups pieces, in their order, so that each group is within so many tokens. One that is longer by itself is divided. Every piece,
 * or every part of it, is in exactly one group.
 */
export function groupPieces(pieces: readonly Piece[], atMost: number, textTokens: (text: string) => number): Group[] {
  const groups: { pieces: Piece[]; tokens: number }[] = [];
  for (const piece of pieces.flatMap((whole) => partsOf(whole, atMost, textTokens))) {
    const tokens = pieceTokens(piece, textTokens);
    const last = groups.at(-1);
    if (last !== undefined && last.tokens + tokens <= atMost) {
      last.pieces.push(piece);
      last.tokens += tokens;
    } else groups.push({ pieces: [piece], tokens });
  }
  return groups;
}

function partsOf(piece: Piece, atMost: number, textTokens: (text: string) => number): Piece[] {
  const part = (text: string, name: string): Piece => ({ ...piece, text, description: `${name}${piece.description}` });
  // The longest name that a part can have: none has more parts than characters.
  const longestName = partName(piece.text.length, piece.text.length);
  const parts = splitText(piece.text, (text) => pieceTokens(part(text, longestName), textTokens) <= atMost);
  return parts.length === 1 ? [piece] : parts.map((text, index) => part(text, partName(index + 1, parts.length)));
}

function partName(number: number, of: number): string {
  return `Part ${number} of ${of} of the text. `;
}
