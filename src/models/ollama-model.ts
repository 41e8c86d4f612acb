import type { JSONObject, LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";

/**
 * Ollama cuts a prompt that does not fit its context silently, at a default of a few thousand tokens, and it reads
 * settings only from `options`, where its provider package does not put them. So each call says there how much
 * context it needs and how it is to be answered.
 */
export function ollamaModel(model: LanguageModelV4): LanguageModelV4 {
  // Another size makes Ollama load the model anew, so the window is made of coarse steps and never shrinks.
  let window = 0;

  async function prepared(options: LanguageModelV4CallOptions): Promise<LanguageModelV4CallOptions> {
    const { maxOutputTokens, temperature, topP, topK, seed, stopSequences, ...rest } = options;
    const needed = (await inputTokens(options)) + (maxOutputTokens ?? DEFAULT_OUTPUT);
    window = Math.max(window, contextStep(needed));
    const given = options.providerOptions?.["ollama"] ?? {};
    const settings: JSONObject = {
      num_ctx: window,
      num_predict: maxOutputTokens,
      temperature,
      top_p: topP,
      top_k: topK,
      seed,
      stop: stopSequences,
    };
    const own = given["options"];
    const ollama: JSONObject = { ...given, options: isJsonObject(own) ? { ...settings, ...own } : settings };
    return { ...rest, providerOptions: { ...options.providerOptions, ollama } };
  }

  return {
    specificationVersion: "v4",
    provider: model.provider,
    modelId: model.modelId,
    supportedUrls: model.supportedUrls,
    doGenerate: async (options) => model.doGenerate(await prepared(options)),
    doStream: async (options) => model.doStream(await prepared(options)),
  };
}

const DEFAULT_OUTPUT = 2_048;
const SMALLEST_WINDOW = 4_096;
/** Estimates are off by some, and the chat template adds its own. */
const MARGIN = 1.25;
const PER_MESSAGE = 16;
const PER_FILE = 1_024;

/** The next of 4096, 6144, 8192, 12288, 16384, ... that is not less than `tokens`. */
export function contextStep(tokens: number): number {
  let step = SMALLEST_WINDOW;
  while (step < tokens) step = Number.isInteger(Math.log2(step)) ? step * 1.5 : (step / 3) * 4;
  return step;
}

async function inputTokens({ prompt, tools }: LanguageModelV4CallOptions): Promise<number> {
  const { estimateTokenCount } = await import("tokenx");
  let files = 0;
  let text = tools ? JSON.stringify(tools) : "";
  for (const message of prompt) {
    if (message.role === "system") {
      text += message.content;
      continue;
    }
    for (const part of message.content) {
      if (part.type === "text" || part.type === "reasoning") text += part.text;
      else if (part.type === "tool-call" || part.type === "tool-result") text += JSON.stringify(part);
      else files += PER_FILE;
    }
  }
  return Math.ceil(estimateTokenCount(text) * MARGIN) + prompt.length * PER_MESSAGE + files;
}

function isJsonObject(value: JSONObject[string]): value is JSONObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
