import { DivvyError } from "./errors.ts";
import { isRecord } from "./json.ts";
import { isLanguageModelV4, unsupportedModel } from "./models/language-model.ts";
import { parseModelName } from "./models/model-name.ts";
import { keyOf } from "./names.ts";
import {
  aFunction,
  anyRecord,
  between,
  filled,
  flag,
  invalid,
  listOf,
  oneOf,
  over,
  recordOf,
  required,
  type Rule,
  type Shape,
  shape,
  shown,
  signal,
  text,
  whole,
} from "./option-rules.ts";
import { jsonSchemaOf } from "./output-schema.ts";
import { isFunctionKind } from "./role.ts";

/** The options' shape, checked at once where they come in: which there are, and what each may be. */

const prompt: Rule = (value, path) => {
  if (typeof value !== "function") filled(value, path);
};

const model: Rule = (value, path) => {
  if (isLanguageModelV4(value)) return;
  if (typeof value !== "string") throw unsupportedModel(value);
  filled(value, path);
  parseModelName(value);
};

const rate = between(0, 1e6);

const price = shape({ input: required(rate), output: required(rate), cacheRead: rate, cacheWrite: rate });

const roleKeys: Shape = {
  model,
  id: filled,
  prompt,
  maxOutputTokens: whole(1, 10_000_000),
  allowLength: flag,
  temperature: between(0, 2),
  reasoning: oneOf("provider-default", "none", "minimal", "low", "medium", "high", "xhigh", "max"),
  providerOptions: recordOf(anyRecord),
  price,
  baseURL: filled,
  apiKey: filled,
};

function roleOf(keys: Shape): Rule {
  const settings = shape(keys);
  return (value, path) => {
    if (typeof value === "string" || (isRecord(value) && "specificationVersion" in value)) model(value, path);
    else settings(value, path);
  };
}

const { prompt: _prompt, allowLength: _allowLength, ...evaluatorKeys } = roleKeys;

const evaluator = roleOf(evaluatorKeys);

const evaluateKeys = shape({
  criteria: filled,
  model: evaluator,
  judge: aFunction,
  threshold: required(between(0, 1), "the least score that is good enough, from 0 to 1"),
  maxAttempts: whole(1, 10),
});

const evaluate: Rule = (value, path) => {
  if (value === false) return;
  evaluateKeys(value, path);
  if (!isRecord(value)) return;
  const { criteria, judge, model: judging } = value;
  if ((criteria === undefined) === (judge === undefined)) throw invalid(path, "needs either criteria, for a model to judge by, or a function as judge.");
  if (judge !== undefined && judging !== undefined) throw invalid(path, "has a function as judge, and a model that would not be asked.");
};

const role = roleOf(roleKeys);

const output: Rule = (value, path) => void jsonSchemaOf(value, path);

const workerKeys: Shape = { ...roleKeys, evaluate, output, samples: whole(1, 10) };

const workerRole = roleOf(workerKeys);

/** What the general worker's results are, one kind's need not be. */
const kindOutput: Rule = (value, path) => {
  if (value !== false) output(value, path);
};

const modelWorker = roleOf({ ...workerKeys, output: kindOutput, description: filled, run: aFunction });

const functionWorker = shape({ description: filled, run: aFunction, output, idempotent: flag, evaluate });

const kind: Rule = (value, path) => (isFunctionKind(value) ? functionWorker : modelWorker)(value, path);

const synthesizerRole = roleOf({ ...roleKeys, evaluate, output, contextTokens: whole(2_000, 100_000_000) });

/** By the type of the subtasks that they are for, which is matched as ids are. */
const kinds: Rule = (value, path) => {
  recordOf(kind)(value, path);
  const known = new Map<string, string>();
  for (const type of isRecord(value) ? Object.keys(value) : []) {
    if (keyOf(type) === "default") throw invalid(path, `"${type}" names the general worker: what holds for it is said in \`worker\`.`);
    const same = known.get(keyOf(type));
    if (same !== undefined) throw invalid(path, `"${same}" and "${type}" are one type: case and punctuation do not tell types apart.`, [same, type]);
    known.set(keyOf(type), type);
  }
};

/** The longest that timers can run (2^31 - 1 ms). */
const ms = whole(1, 2 ** 31 - 1);

const concurrency = whole(1, 10_000);

const methods = [
  "commit",
  "readCall",
  "readFacts",
  "readRun",
  "listRuns",
  "removeRun",
  "readLease",
  "takeLease",
  "renewLease",
  "keepPlan",
  "readPlans",
  "close",
];

const ledger: Rule = (value, path) => {
  const missing = isRecord(value) ? methods.find((method) => typeof value[method] !== "function") : "commit";
  if (missing !== undefined) throw invalid(path, `must be a ledger, such as memoryLedger() or sqliteLedger(path), and has no method "${missing}".`);
};

const sharedCache = shape({ shared: required(filled, "the name of the cache") });

const cache: Rule = (value, path) => {
  if (value === "run") return;
  if (!isRecord(value)) throw invalid(path, `must be "run" or { shared: "name" }, and is ${shown(value)}.`);
  sharedCache(value, path);
};

const budgetKeys = shape({ usd: over(0, 1e6), tokens: whole(1, 1e12), calls: whole(1, 1e9), seconds: over(0, 2 ** 31 / 1_000) });

const budget: Rule = (value, path) => {
  budgetKeys(value, path);
  if (isRecord(value) && Object.values(value).every((given) => given === undefined))
    throw invalid(path, "bounds nothing: it has neither usd, tokens, calls nor seconds.");
};

const embeddingModel: Rule = (value, path) => {
  if (isRecord(value) && typeof value["doEmbed"] === "function" && value["specificationVersion"] === "v4") return;
  if (typeof value !== "string")
    throw invalid(path, `must be an embedding model, "provider:model" or an EmbeddingModelV4 of the AI SDK 7, and is ${shown(value)}.`);
  filled(value, path);
  parseModelName(value);
};

const planCache = shape({
  embed: required(embeddingModel, "the model that makes vectors of requests"),
  price,
  threshold: required(between(0, 1), "how alike two requests must be, from 0 to 1"),
  accept: aFunction,
});

const refused: Rule = (value, path) => {
  if (value !== false) throw invalid(path, `can only be false, which refuses it for this run, and is ${shown(value)}.`);
};

const orchestratorOptions = shape({
  model,
  orchestrator: role,
  worker: workerRole,
  synthesizer: synthesizerRole,
  workers: kinds,
  planFormat: oneOf("xml", "json"),
  direct: oneOf("auto", "never"),
  synthesis: oneOf("auto", "merge", "keep", "choose", "none"),
  concurrency,
  limits: shape({
    subtasks: whole(1, 10_000),
    workers: whole(1, 10_000),
    rounds: whole(1, 20),
    planCompletions: whole(0, 10),
    outputRepairs: whole(0, 10),
    upstreamBytes: whole(0, 2 ** 31 - 1),
  }),
  budget,
  retry: shape({ attempts: whole(1, 20), backoffMs: whole(0, 2 ** 31 - 1), maxBackoffMs: whole(0, 2 ** 31 - 1) }),
  timeout: shape({ workerMs: ms, orchestratorMs: ms, synthesizerMs: ms, idleMs: ms, runMs: ms, admissionMs: ms }),
  approvePlan: aFunction,
  ledger,
  cache,
  planCache,
  examples: listOf(shape({ task: required(filled), plan: required(anyRecord) })),
});

const runOptions = shape({ signal, concurrency, budget, plan: anyRecord, planCache: refused });

/** @throws DivvyError `invalid_option` */
export function checkOptions(options: unknown): void {
  orchestratorOptions(options, "options");
  if (isRecord(options) && isRecord(options["cache"])) checkSharing(options);
  if (isRecord(options)) checkAnswersForm(options);
}

/** An answer with a form is merged: results laid out, or one of them, do not have it. */
function checkAnswersForm({ synthesizer, synthesis }: Readonly<Record<string, unknown>>): void {
  if (!isRecord(synthesizer) || synthesizer["output"] === undefined) return;
  if (synthesis === undefined || synthesis === "auto" || synthesis === "merge") return;
  const error = invalid(
    "options.synthesis",
    `is ${shown(synthesis)}, and the answer is to have the form of \`synthesizer.output\`, which only a merge gives it.`,
  );
  throw new DivvyError(error.code, error.message, { hint: 'Leave `synthesis` out or say "merge"; or give the results a form, by `worker.output`.' });
}

/**
 * Two instances of one name may be two endpoints: their answers must not be mixed up in a shared cache.
 *
 * @throws DivvyError `invalid_option`
 */
export function checkSharing(options: { readonly [name in "model" | "orchestrator" | "worker" | "synthesizer" | "workers"]?: unknown }): void {
  const { model: general, orchestrator, worker, synthesizer, workers } = options;
  // A kind may be called as a role is.
  const kinds = isRecord(workers) ? Object.entries(workers).map(([type, choice]) => [`workers.${type}`, choice] as const) : [];
  const roles = [...Object.entries({ model: general, orchestrator, worker, synthesizer }), ...kinds];
  const judges = roles.flatMap(([name, choice]) =>
    isRecord(choice) && isRecord(choice["evaluate"]) ? [[`${name}.evaluate.model`, choice["evaluate"]["model"]] as const] : [],
  );
  for (const [name, choice] of [...roles, ...judges]) {
    const nameless = isLanguageModelV4(choice) || (isRecord(choice) && isLanguageModelV4(choice["model"]) && choice["id"] === undefined);
    if (!nameless) continue;
    const error = invalid("options.cache", `cannot be shared with a model instance that has no id ("${name}").`);
    throw new DivvyError(error.code, error.message, { hint: 'Give it one: { model: ..., id: "..." }.' });
  }
}

/** @throws DivvyError `invalid_option` */
export function checkRunOptions(options: unknown): void {
  runOptions(options, "options");
}

const judge: Rule = (value, path) => {
  if (typeof value !== "boolean") evaluator(value, path);
};

/** @throws DivvyError `invalid_option` */
export function checkCompareOptions(options: unknown): void {
  shape({ orchestrator: comparedOptions, context: () => undefined, judge, tries: whole(1, 1_000), budget, signal, onProgress: aFunction })(options, "options");
}

const comparedOptions: Rule = (value, path) => {
  orchestratorOptions(value, path);
  if (!isRecord(value) || value["synthesis"] !== "none") return;
  const { code, message } = invalid(`${path}.synthesis`, 'is "none": there would be no answer to compare.');
  throw new DivvyError(code, message, { hint: 'Leave `synthesis` out, or say how results become an answer: "merge", "keep" or "choose".' });
};

/** @throws DivvyError `invalid_option` */
export function checkPlanOptions(options: unknown): void {
  shape({ signal, budget, plan: anyRecord })(options, "options");
}

/** @throws DivvyError `invalid_option` */
export function checkResumeOptions(options: unknown): void {
  shape({ signal, concurrency, budget, acceptChanges: flag, approvePlan: aFunction })(options, "options");
}

/** @throws DivvyError `invalid_option` */
export function checkRerunOptions(options: unknown): void {
  shape({ signal, concurrency, budget, subtask: required(filled, "the id of the one to do anew"), description: filled, type: filled, approvePlan: aFunction })(
    options,
    "options",
  );
}

/** @throws DivvyError `invalid_option` */
export function checkWorkerOptions(options: unknown): void {
  shape({ context: () => undefined, upstream: listOf(shape({ id: required(filled), type: required(filled), result: required(text) })), budget, signal })(
    options,
    "options",
  );
}

/** Of `runAsModel`. @throws DivvyError `invalid_option` */
export function checkModelOptions(options: unknown): void {
  shape({ modelId: filled, budget, concurrency })(options, "options");
}

/** Of `toUIMessageStream`. @throws DivvyError `invalid_option` */
export function checkStreamOptions(options: unknown): void {
  shape({ sendResults: flag, onCancel: oneOf("stop", "leave") })(options, "options");
}

/** @throws DivvyError `invalid_option` */
export function checkTask(task: unknown): void {
  filled(task, "task");
}
