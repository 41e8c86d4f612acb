import type { LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider";
import { DivvyError } from "../../errors.ts";
import type { Turn } from "./engine.ts";

/** A prompt as turns of plain text. */
export function turnsOf(prompt: LanguageModelV4Prompt): readonly Turn[] {
  return prompt.map(turnOf);
}

function turnOf(message: LanguageModelV4Message): Turn {
  if (message.role === "system") return { role: "system", text: message.content };
  if (message.role === "tool") throw textOnly("results of tools");
  const texts: string[] = [];
  for (const part of message.content) {
    if (part.type === "text") texts.push(part.text);
    // What a model thought earlier is not part of what it said.
    else if (part.type !== "reasoning") throw textOnly(`parts of type "${part.type}"`);
  }
  return { role: message.role, text: texts.join("\n\n") };
}

function textOnly(what: string): DivvyError {
  return new DivvyError("bad_request", `The local model reads text alone, not ${what}.`, { hint: "Use another model for this call." });
}
