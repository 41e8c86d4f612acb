/** A text as a vector: of texts that mean the same, vectors point the same way. */
export interface Embedding {
  readonly vector: Float32Array;
  /** Tokens of the text, where the provider says. */
  readonly tokens?: number;
}

/** Makes a vector of a text. Rejects with a `DivvyError`; ends with the signal. */
export type Embed = (text: string, signal: AbortSignal) => Promise<Embedding>;
