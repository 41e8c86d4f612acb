import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { DivvyError } from "../../errors.ts";
import type { Shape } from "./engine.ts";

/** What a call asks its reply to follow: `providerOptions.local.grammar` (GBNF), else its JSON schema. */
export function shapeOf({ providerOptions, responseFormat }: LanguageModelV4CallOptions): Shape | undefined {
  const grammar = providerOptions?.["local"]?.["grammar"];
  if (typeof grammar === "string") return { kind: "gbnf", grammar };
  if (grammar !== undefined) throw new DivvyError("bad_request", "`providerOptions.local.grammar` must be a string of GBNF.");
  if (responseFormat?.type !== "json") return undefined;
  return { kind: "json", ...(responseFormat.schema && { schema: responseFormat.schema }) };
}
