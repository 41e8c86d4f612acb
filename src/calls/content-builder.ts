import type { LanguageModelV4Content, LanguageModelV4StreamPart } from "@ai-sdk/provider";

type Piece = Extract<LanguageModelV4StreamPart, { type: `${string}-delta` }>;

/** Puts the parts of a stream together to the content that a call without a stream would have given. */
export class ContentBuilder {
  readonly parts: LanguageModelV4Content[] = [];
  /** Text and reasoning blocks that are open, by the provider's id, with their index in `parts`. */
  readonly #open = new Map<string, number>();

  add(part: LanguageModelV4StreamPart): void {
    switch (part.type) {
      case "text-start":
      case "reasoning-start":
        this.#begin(part.type === "text-start" ? "text" : "reasoning", part);
        break;
      case "text-delta":
      case "reasoning-delta":
        this.#extend(part);
        break;
      case "text-end":
      case "reasoning-end":
        this.#keepMetadata(part);
        this.#open.delete(part.id);
        break;
      case "tool-call":
      case "tool-result":
      case "tool-approval-request":
      case "source":
      case "file":
      case "reasoning-file":
        this.parts.push(part);
        break;
      case "custom":
        // Anthropic's package says the first usage so; no content of a reply is.
        if (part.kind !== "anthropic.message_start") this.parts.push(part);
        break;
      default:
        // About the stream, not in the reply.
        break;
    }
  }

  /** True until something was written: empty blocks are nothing. */
  get isEmpty(): boolean {
    return this.parts.every((part) => (part.type === "text" || part.type === "reasoning") && part.text === "");
  }

  /** All text so far, reasoning left out. */
  get text(): string {
    return this.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  }

  /** All text so far, reasoning included: what output tokens were used for. */
  get allText(): string {
    return this.parts.map((part) => (part.type === "text" || part.type === "reasoning" ? part.text : "")).join("");
  }

  #begin(type: "text" | "reasoning", { id, providerMetadata }: { id: string; providerMetadata?: Piece["providerMetadata"] }): number {
    const index = this.parts.push({ type, text: "", ...(providerMetadata && { providerMetadata }) }) - 1;
    this.#open.set(id, index);
    return index;
  }

  #extend(part: Piece): void {
    if (part.type === "tool-input-delta") return;
    const type = part.type === "text-delta" ? "text" : "reasoning";
    const known = this.parts[this.#open.get(part.id) ?? -1];
    // Some providers call a text and a reasoning block by one id.
    const open = known?.type === type ? known : this.parts[this.#begin(type, part)];
    if (open?.type !== "text" && open?.type !== "reasoning") return;
    open.text += part.delta;
    this.#keepMetadata(part);
  }

  #keepMetadata({ id, providerMetadata }: { id: string; providerMetadata?: Piece["providerMetadata"] }): void {
    const open = this.parts[this.#open.get(id) ?? -1];
    if (providerMetadata !== undefined && (open?.type === "text" || open?.type === "reasoning")) open.providerMetadata = providerMetadata;
  }
}
