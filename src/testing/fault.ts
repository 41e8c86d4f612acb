import type { Json } from "../json.ts";

/**
 * What goes wrong with a reply. `afterChunks` counts its deltas, reasoning first; a number beyond the last delta means
 * after the last one. Both doubles carry out all of these; where they differ it is said. "Model" is the scripted model,
 * "server" the provider server.
 */
export type Fault =
  /**
   * An HTTP error instead of a reply. Model: `doStream` rejects with an `APICallError`.
   * `body` default: the protocol's own error object for this status; `contentType` default: application/json.
   */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly body?: string | Json;
      readonly headers?: Readonly<Record<string, string>>;
      readonly contentType?: string;
    }
  /** The connection breaks. At 0 before any headers. Model: an `APICallError` as providers make it, from `doStream` or, later, from the stream. */
  | { readonly kind: "reset"; readonly afterChunks: number }
  /** Nothing more comes, and the connection stays open. At 0 only headers (model: a stream without a part), at -1 not even those. */
  | { readonly kind: "silence"; readonly afterChunks: number }
  /** The stream ends well, without a finish reason. At 0 there is nothing but headers (model: only `stream-start`). */
  | { readonly kind: "cut"; readonly afterChunks: number }
  /**
   * An error inside the stream, which then ends. At 0 it is the first thing in it.
   * `data` is the protocol's own event (model: the `error` of an error part), default: "overloaded" in its shape.
   * `finish`, model only: a finish part with reason `error` follows, as openai-compatible does. Default: false, as Anthropic does.
   */
  | { readonly kind: "error-event"; readonly afterChunks: number; readonly data?: Json; readonly finish?: boolean }
  /** A 200 that is no stream: a proxy's HTML, an error as JSON. Model: only `stream-start`, as Anthropic's provider makes of it. */
  | { readonly kind: "body"; readonly body: string; readonly contentType: string }
  /**
   * Signs of life for ever, and nothing more. `everyMs` default: 100; `afterChunks` default: 0, right after the headers, where
   * Anthropic's provider does not yet show them. OpenAI's protocol has only comments for it, which no client sees.
   */
  | { readonly kind: "pings"; readonly everyMs?: number; readonly afterChunks?: number }
  /** Deltas of text with nothing in them, for ever. `everyMs` default: 100; `afterChunks` default: 0. OpenAI's clients do not show them. */
  | { readonly kind: "empty-deltas"; readonly everyMs?: number; readonly afterChunks?: number }
  /** A reply that ends well and holds no choice: OpenAI's `choices: []`, Anthropic's message without a block. Model: no text, and "stop". */
  | { readonly kind: "no-choices" }
  /** A byte that is no UTF-8 stands in the text, which goes on and ends well; clients read U+FFFD. Only a stream has it. */
  | { readonly kind: "invalid-utf8"; readonly afterChunks: number };

/** True where the fault leaves nothing of the reply's text. */
export function isWordless(fault: Fault): boolean {
  switch (fault.kind) {
    case "status":
    case "body":
    case "no-choices":
      return true;
    case "invalid-utf8":
      return false;
    default:
      return (fault.afterChunks ?? 0) <= 0;
  }
}
