import { estimateTokenCount } from "tokenx";

/** Counts the tokens of texts that grow, each piece once: a frame must not cost more the longer the texts are. */
export class TokenMeter {
  readonly #counted = new Map<string, { readonly attempt: number; readonly length: number; readonly tokens: number }>();

  /** An estimate, for as long as the provider has reported nothing. */
  count(id: string, { attempt, text }: { readonly attempt: number; readonly text: string }): number {
    const before = this.#counted.get(id);
    const goesOn = before?.attempt === attempt && before.length <= text.length;
    const from = goesOn ? before.length : 0;
    const tokens = (goesOn ? before.tokens : 0) + (from === text.length ? 0 : estimateTokenCount(text.slice(from)));
    this.#counted.set(id, { attempt, length: text.length, tokens });
    return tokens;
  }
}
