import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { Fault } from "./fault.ts";
import type { DoubleReply } from "./script.ts";
import { type ScriptedModel, scriptedModel, type ScriptedModelOptions } from "./scripted-model.ts";

export function asking(text: string, more: Partial<LanguageModelV4CallOptions> = {}): LanguageModelV4CallOptions {
  return {
    prompt: [
      { role: "system", content: "You work." },
      { role: "user", content: [{ type: "text", text }] },
    ],
    ...more,
  };
}

export async function partsOf(model: ScriptedModel, options: LanguageModelV4CallOptions = asking("q")): Promise<LanguageModelV4StreamPart[]> {
  const { stream } = await model.doStream(options);
  const parts: LanguageModelV4StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

export const textOf = (parts: readonly LanguageModelV4StreamPart[]): string => parts.map((part) => (part.type === "text-delta" ? part.delta : "")).join("");
export const typesOf = (parts: readonly LanguageModelV4StreamPart[]): string[] => parts.map((part) => part.type);
export const saying = (reply: DoubleReply, options?: ScriptedModelOptions): ScriptedModel => scriptedModel(() => reply, options);
export const failing = (fault: Fault, options?: ScriptedModelOptions): ScriptedModel => saying({ text: "abcdef", chunkSize: 2, fault }, options);

export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It did not reject.");
}
