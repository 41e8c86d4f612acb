import type { ChatHistoryItem, ChatWrapper, GbnfJsonSchema, Llama, LlamaContext, LlamaContextSequence, LlamaGrammar, LlamaModel } from "node-llama-cpp";
import { DivvyError } from "../../errors.ts";
import { isRecord } from "../../json.ts";
import { contextTokens, type Engine, type LoadEngine, type Shape, type Turn, type WritingJob, type Written } from "./engine.ts";
import { grammarSchema } from "./json-schema.ts";
import { Slots } from "./slots.ts";

type Library = typeof import("node-llama-cpp");

/** Calls that are written side by side, in one batch. A large model may leave memory for fewer. */
const SEQUENCES = [4, 2, 1] as const;

/** A small model gains nothing from more. */
const MOST_THREADS = 8;

/** How far back the repetition penalty looks, in tokens. */
const PENALTY_WINDOW = 64;

/** Loads a model file into this process, through node-llama-cpp, on the processor. */
export const loadLlamaEngine: LoadEngine = async (path) => {
  const library = await importLibrary();
  try {
    const llama = await library.getLlama({ gpu: false, build: "never", logLevel: library.LlamaLogLevel.disabled, progressLogs: false });
    const model = await llama.loadModel({ modelPath: path });
    return new LlamaEngine(library, llama, model, await openContext(llama, model));
  } catch (thrown) {
    throw loadFailure(library, path, thrown);
  }
};

async function openContext(llama: Llama, model: LlamaModel): Promise<LlamaContext> {
  // All cores at once is a trap: the threads wait for each other by spinning, so that one busy core elsewhere stalls them
  // all (measured on 2 cores: 0.3 tokens/s with 4 threads, 13 with 2 and a busy neighbour, 30 with 1).
  const threads = Math.min(Math.max(llama.cpuMathCores - 1, 1), MOST_THREADS);
  const contextSize = Math.min(contextTokens, model.trainContextSize);
  let failure: unknown;
  for (const sequences of SEQUENCES) {
    try {
      return await model.createContext({ contextSize, sequences, threads });
    } catch (thrown) {
      failure = thrown;
    }
  }
  throw failure;
}

class LlamaEngine implements Engine {
  readonly contextSize: number;
  readonly #library: Library;
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #template: ChatWrapper;
  readonly #sequences: Slots<LlamaContextSequence>;
  /** Few texts come again and again: the plan's grammar, above all. */
  readonly #grammars = new Map<string, Promise<LlamaGrammar>>();

  constructor(library: Library, llama: Llama, model: LlamaModel, context: LlamaContext) {
    this.#library = library;
    this.#llama = llama;
    this.#model = model;
    this.contextSize = context.contextSize;
    this.#template = library.resolveChatWrapper(model, { warningLogs: false });
    this.#sequences = new Slots(Array.from({ length: context.totalSequences }, () => context.getSequence()));
  }

  countTokens(turns: readonly Turn[]): number {
    const chatHistory: ChatHistoryItem[] = [...historyOf(turns), { type: "model", response: [] }];
    return this.#template.generateContextState({ chatHistory }).contextText.tokenize(this.#model.tokenizer).length;
  }

  async write(job: WritingJob): Promise<Written> {
    const grammar = job.shape && (await this.#grammarOf(job.shape));
    const sequence = await this.#sequences.take(job.signal);
    try {
      // What another call left is not taken up: the same call shall read the same way whatever ran before.
      await sequence.clearHistory();
      return await this.#writeIn(sequence, job, grammar);
    } finally {
      this.#sequences.give(sequence);
    }
  }

  async #writeIn(sequence: LlamaContextSequence, job: WritingJob, grammar: LlamaGrammar | undefined): Promise<Written> {
    const { temperature, seed, topP, topK, repeatPenalty, frequencyPenalty, presencePenalty } = job.sampling;
    using chat = new this.#library.LlamaChat({ contextSequence: sequence, chatWrapper: this.#template });
    const before = sequence.tokenMeter.getState();
    let reasoningTokens = 0;
    const { metadata } = await chat.generateResponse(historyOf(job.turns), {
      maxTokens: job.maxTokens,
      temperature,
      seed,
      ...(topP !== undefined && { topP }),
      ...(topK !== undefined && { topK }),
      repeatPenalty: {
        penalty: repeatPenalty,
        lastTokens: PENALTY_WINDOW,
        ...(frequencyPenalty !== undefined && { frequencyPenalty }),
        ...(presencePenalty !== undefined && { presencePenalty }),
      },
      ...(grammar && { grammar }),
      ...(job.stopSequences && { customStopTriggers: job.stopSequences }),
      ...(job.signal && { signal: job.signal }),
      onResponseChunk: (chunk) => {
        const reasoning = chunk.type === "segment";
        if (reasoning) reasoningTokens += chunk.tokens.length;
        if (chunk.text !== "" && (!reasoning || chunk.segmentType === "thought")) job.onText(reasoning ? "reasoning" : "text", chunk.text);
      },
    });
    const outputTokens = sequence.tokenMeter.diff(before).usedOutputTokens;
    const stop = metadata.stopReason === "maxTokens" ? "length" : metadata.stopReason === "customStopTrigger" ? "stop-sequence" : "end";
    return { stop, outputTokens, reasoningTokens };
  }

  #grammarOf(shape: Shape): Promise<LlamaGrammar> {
    const key = JSON.stringify(shape);
    const known = this.#grammars.get(key);
    if (known) return known;
    const made = this.#makeGrammar(shape);
    this.#grammars.set(key, made);
    return made;
  }

  async #makeGrammar(shape: Shape): Promise<LlamaGrammar> {
    try {
      if (shape.kind === "gbnf") return await this.#llama.createGrammar({ grammar: shape.grammar });
      const schema = shape.schema && grammarSchema(shape.schema);
      return schema ? await this.#llama.createGrammarForJsonSchema<GbnfJsonSchema>(schema) : await this.#llama.getGrammarFor("json");
    } catch (cause) {
      throw new DivvyError("bad_request", "The local model cannot follow this grammar.", {
        hint: "Correct `providerOptions.local.grammar` (GBNF) or the schema.",
        cause,
      });
    }
  }

  dispose(): Promise<void> {
    // Takes the context and its sequences along.
    return this.#model.dispose();
  }
}

/** Text of ours and of others alike stays text: only the template's own marks become special tokens. */
function historyOf(turns: readonly Turn[]): ChatHistoryItem[] {
  return turns.map(({ role, text }) => (role === "assistant" ? { type: "model", response: [text] } : { type: role, text }));
}

async function importLibrary(): Promise<Library> {
  try {
    return await import("node-llama-cpp");
  } catch (cause) {
    if (!isRecord(cause) || cause["code"] !== "ERR_MODULE_NOT_FOUND")
      throw new DivvyError("local_model", `node-llama-cpp is installed but cannot be loaded: ${reasonOf(cause)}`, { cause });
    throw new DivvyError("missing_package", "The local model needs the package node-llama-cpp, which is not installed.", {
      hint: "Run: npm install node-llama-cpp",
      cause,
    });
  }
}

function loadFailure(library: Library, path: string, cause: unknown): DivvyError {
  if (cause instanceof library.NoBinaryFoundError) return new DivvyError("local_model", "node-llama-cpp brings no binary for this machine.", { cause });
  if (cause instanceof library.InsufficientMemoryError) return new DivvyError("local_model", `There is not enough memory for the model in ${path}.`, { cause });
  return new DivvyError("local_model", `The model in ${path} cannot be loaded: ${reasonOf(cause)}`, { cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
