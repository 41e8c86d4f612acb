import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { Clock } from "../../src/runtime.ts";
import { scriptedModel, type ScriptedModel } from "../../src/testing/scripted-model.ts";
import type { ReplyFunction } from "../../src/testing/script.ts";
import { refusalMark } from "./double.ts";
import type { Schedule } from "./schedule.ts";

/** The models of one process. */
export interface SimModels {
  readonly strong: LanguageModelV4;
  readonly quick: LanguageModelV4;
  readonly own: LanguageModelV4;
  /** Calls that are on their way. */
  readonly inFlight: number;
}

export function simModels({ warms, twoModels, areDeaf }: Schedule, answer: ReplyFunction, clock: Clock): SimModels {
  const all: ScriptedModel[] = [];
  const model = (id: string): LanguageModelV4 => {
    const scripted = scriptedModel(answer, { vary: false, clock, id, ...(warms && { provider: "anthropic.messages" }) });
    all.push(scripted);
    return refusing(areDeaf ? deaf(scripted) : scripted);
  };
  const strong = model("strong");
  return {
    strong,
    quick: twoModels ? model("quick") : strong,
    own: model("own"),
    get inFlight() {
      return all.reduce((sum, { inFlight }) => sum + inFlight, 0);
    },
  };
}

/** One that never looks at the signal: whoever has enough of it must close its stream. */
function deaf(model: ScriptedModel): LanguageModelV4 {
  const { specificationVersion, provider, modelId, supportedUrls } = model;
  const unheard = ({ abortSignal: _, ...options }: LanguageModelV4CallOptions): LanguageModelV4CallOptions => options;
  return {
    specificationVersion,
    provider,
    modelId,
    supportedUrls,
    doStream: (options) => model.doStream(unheard(options)),
    doGenerate: (options) => model.doGenerate(unheard(options)),
  };
}

/** Says of replies that bear the mark of a refusal, in the words of a provider, that the model itself refused. */
function refusing(model: LanguageModelV4): LanguageModelV4 {
  const { specificationVersion, provider, modelId, supportedUrls } = model;
  const refusal = (): TransformStream<LanguageModelV4StreamPart, LanguageModelV4StreamPart> =>
    new TransformStream({
      transform: (part, out) => out.enqueue(part.type === "finish" ? { ...part, finishReason: { unified: "content-filter", raw: "refusal" } } : part),
    });
  return {
    specificationVersion,
    provider,
    modelId,
    supportedUrls,
    doStream: async (options) => {
      const { stream, ...rest } = await model.doStream(options);
      return { ...rest, stream: rest.response?.headers?.[refusalMark] === undefined ? stream : stream.pipeThrough(refusal()) };
    },
    doGenerate: (options) => model.doGenerate(options),
  };
}
