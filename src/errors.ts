/**
 * Every error that Divvy raises, in one family. An error says what happened (`message`), what to do (`hint`), and shows
 * what it saw (`evidence`). Tell errors apart by `code`: it is stable, the texts are not. docs/errors.md has a row for each.
 */

import type { Budget } from "./budget.ts";
import { sentence } from "./sentence.ts";

export type ErrorCode =
  | "invalid_option"
  | "invalid_plan"
  | "invalid_template"
  | "unknown_provider"
  | "missing_package"
  | "missing_key"
  | "no_model"
  | "unsupported_model"
  | "local_model"
  | "authentication"
  | "not_found"
  | "bad_request"
  | "too_large"
  | "quota_exhausted"
  | "rate_limited"
  | "overloaded"
  | "server_error"
  | "connection_failed"
  | "host_not_found"
  | "tls"
  | "stream_broken"
  | "invalid_response"
  | "idle_timeout"
  | "total_timeout"
  | "admission_timeout"
  | "run_timeout"
  | "budget_exhausted"
  | "unknown_price"
  | "empty_response"
  | "output_truncated"
  | "refused"
  | "content_filter"
  | "output_invalid"
  | "unable"
  | "worker_failed"
  | "not_repeatable"
  | "plan_failed"
  | "choice_failed"
  | "no_verdict"
  | "below_threshold"
  | "dependency_cycle"
  | "incomplete"
  | "nothing_done"
  | "aborted"
  | "plan_rejected"
  | "approval_failed"
  | "approval_needed"
  | "ledger_busy"
  | "ledger_failed"
  | "ledger_version"
  | "run_not_found"
  | "run_held"
  | "run_taken_over"
  | "run_drifted"
  | "internal";

/** Per code: may the same call succeed when it is sent again, and what a person does about it. */
export const errorCodes: Readonly<Record<ErrorCode, { readonly retryable: boolean; readonly hint: string }>> = {
  // What was asked for cannot be done as it stands.
  invalid_option: { retryable: false, hint: "Correct the option; docs/options.md lists them all." },
  invalid_plan: { retryable: false, hint: "Correct the plan: each subtask needs a description, and ids must be distinct." },
  invalid_template: { retryable: false, hint: "Use only the variables listed; write {{name}} for literal braces." },
  unknown_provider: { retryable: false, hint: 'Write the model as "provider:model"; `divvy models` lists what can be used here.' },
  missing_package: { retryable: false, hint: "Install the package that is named." },
  missing_key: { retryable: false, hint: "Set the environment variable that is named; `divvy models` shows what can be used here." },
  no_model: { retryable: false, hint: "Set a provider's key, start a local model server, or name a model file." },
  unsupported_model: { retryable: false, hint: "Pass a LanguageModelV4 (AI SDK 7)." },
  local_model: { retryable: false, hint: "Set a provider's key, start a local model server, or name a model file with local:/path/to/file.gguf." },
  // The provider said no.
  authentication: { retryable: false, hint: "Check the API key: it is wrong, expired, or lacks access to this model." },
  not_found: { retryable: false, hint: "Check the model's name and the base URL." },
  bad_request: { retryable: false, hint: "Change what the provider's own words name: often a setting that this model does not take." },
  too_large: { retryable: false, hint: "Shorten the request or the context, or use a model with a larger window." },
  quota_exhausted: { retryable: false, hint: "Raise the credit or the cap at the provider, or use another provider's model." },
  rate_limited: { retryable: true, hint: "Wait as long as it asks, or lower `concurrency`." },
  overloaded: { retryable: true, hint: "Try again in a few minutes, or use another model." },
  server_error: { retryable: true, hint: "Try again later; if it stays so, look at the provider's status page." },
  // The way there or back is broken.
  connection_failed: { retryable: true, hint: "Check the network and that the server is running." },
  host_not_found: { retryable: false, hint: "Check the base URL and the network." },
  tls: { retryable: false, hint: "Check certificates, proxy and the machine's clock." },
  stream_broken: { retryable: true, hint: "Try again; if it happens often, a proxy on the way may cut streams." },
  invalid_response: { retryable: true, hint: "What answered does not speak the provider's protocol; check the base URL." },
  idle_timeout: { retryable: true, hint: "Try again, or raise `timeout.idleMs`." },
  total_timeout: { retryable: false, hint: "Raise the role's own time (`workerMs`, `orchestratorMs` or `synthesizerMs` in `timeout`), or ask for less." },
  admission_timeout: { retryable: false, hint: "Run less at once, or raise `timeout.admissionMs`." },
  run_timeout: { retryable: false, hint: "Raise `timeout.runMs`, or ask for less." },
  budget_exhausted: { retryable: false, hint: "Raise `budget` and resume the run: what is done is not paid again." },
  unknown_price: {
    retryable: false,
    hint: "Give the role that has this model a `price: { input, output }`, in US dollars per million tokens, or bound the run by `budget.tokens` in place of `usd`.",
  },
  // The reply came, and is not what was asked for.
  empty_response: { retryable: true, hint: "Ask in other words, or use another model." },
  output_truncated: { retryable: false, hint: "Raise the role's `maxOutputTokens`, or ask for something shorter." },
  refused: { retryable: false, hint: "Rephrase the request, or use another model." },
  content_filter: { retryable: false, hint: "Rephrase what the filter may take amiss." },
  output_invalid: { retryable: false, hint: "Use a stronger model, a simpler schema, or more `limits.outputRepairs`; a resume asks anew." },
  unable: { retryable: false, hint: "Give the worker what it says is missing, in the context." },
  worker_failed: { retryable: false, hint: "Put right what the function says; `resume` runs it again where it is idempotent." },
  not_repeatable: { retryable: false, hint: "See what it has done; `rerun` of this subtask runs it again, or say `idempotent: true` of its kind." },
  plan_failed: { retryable: false, hint: "Use a stronger orchestrator model; the reply as it came is in the evidence." },
  no_verdict: { retryable: false, hint: "The work stands, unjudged; use a stronger model to judge, or a function." },
  choice_failed: { retryable: false, hint: 'Nothing is lost, the results are laid out; `synthesis: "keep"` does so from the start.' },
  // How a run ended.
  dependency_cycle: { retryable: false, hint: "Take one of the dependencies out of the plan." },
  incomplete: { retryable: false, hint: "What is missing is named in `coverage`; `resume` goes on with the rest." },
  below_threshold: { retryable: false, hint: "The best tries stand; raise `maxAttempts`, lower `threshold`, or use a stronger model." },
  nothing_done: { retryable: false, hint: "No subtask succeeded; each result says why." },
  aborted: { retryable: false, hint: "It was asked to stop; start it again for its answer." },
  plan_rejected: { retryable: false, hint: "Nothing was started; `resume` asks for approval of the same plan again." },
  approval_failed: { retryable: false, hint: "Nothing was started; put right what it says, then `resume` asks for approval of the same plan again." },
  approval_needed: { retryable: false, hint: "Pass `approvePlan` with the options, or to `resume`." },
  // What keeps the runs.
  ledger_busy: { retryable: false, hint: "Try again when the other process has finished writing." },
  ledger_failed: { retryable: false, hint: "What was written before is kept; put right what is named, then resume the run." },
  ledger_version: { retryable: false, hint: "Use the Divvy that wrote it, or name another file for the ledger." },
  run_not_found: { retryable: false, hint: "Check its id: `listRuns()` of the ledger gives those that are kept." },
  run_held: { retryable: false, hint: "Wait until it is done, or stop it there." },
  run_taken_over: { retryable: false, hint: "Nothing is lost: the other process goes on with it." },
  run_drifted: { retryable: false, hint: "Set back what has changed, or pass `acceptChanges` to go on under what holds now." },
  internal: { retryable: false, hint: "This is a fault in Divvy; please report it with what is shown." },
};

/** What was seen. Plain JSON; never a key, a header or a credential. */
export interface Evidence {
  /** HTTP status, where there was one. A stream that breaks half way has 200. */
  readonly status?: number;
  /** The operating system's code, such as `ECONNREFUSED`. */
  readonly systemCode?: string;
  /** The provider's own words, cut at 2,000 characters. */
  readonly providerMessage?: string;
  /** Text that had arrived when it failed; never a result. */
  readonly partialText?: string;
  /** The finish reason as the provider gave it. */
  readonly finishReason?: string;
  /** Output tokens that went to reasoning. */
  readonly reasoningTokens?: number;
  /** How long the provider asks to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Tries that were made before giving up. */
  readonly attempts?: number;
  /** Ids of the subtasks concerned. */
  readonly subtaskIds?: readonly string[];
  /** What could have been meant, or is allowed. */
  readonly known?: readonly string[];
  /**
   * What a budget would have to be for the call, or for one more try of it, that it did not allow; empty where its time was over. An
   * error that has it, whatever its code, would need a larger budget.
   */
  readonly budget?: Budget;
  /** Of subtasks that failed for several reasons: the codes, and how many failed so, the commonest first. */
  readonly causes?: Readonly<Partial<Record<ErrorCode, number>>>;
  /** What a schema finds wrong with a reply, a line for each thing: 20 at most, and one that counts the rest. */
  readonly issues?: readonly string[];
  /** The file concerned. */
  readonly path?: string;
  /** SQLite's result code, the extended one. */
  readonly sqliteCode?: number;
}

/** An error as it stands in outcomes and events: plain data that survives JSON. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly evidence?: Evidence;
}

export interface DivvyErrorOptions {
  /** What to do, where the code's own hint can be bettered. */
  readonly hint?: string | undefined;
  readonly evidence?: Evidence | undefined;
  /** Where this case differs from its code's rule. */
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

export class DivvyError extends Error {
  override readonly name = "DivvyError";
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryable: boolean;
  readonly evidence: Evidence | undefined;

  constructor(code: ErrorCode, message: string, options: DivvyErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? errorCodes[code].hint;
    this.retryable = options.retryable ?? errorCodes[code].retryable;
    this.evidence = options.evidence;
  }

  toJSON(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      retryable: this.retryable,
      ...(this.evidence && { evidence: this.evidence }),
    };
  }

  /** The same error with more to see. */
  with(evidence: Evidence): DivvyError {
    return new DivvyError(this.code, this.message, {
      hint: this.hint,
      retryable: this.retryable,
      evidence: { ...this.evidence, ...evidence },
      cause: this.cause,
    });
  }
}

/** Any thrown value as a `DivvyError`; what is not ours is a fault of our own. */
export function toDivvyError(thrown: unknown): DivvyError {
  if (thrown instanceof DivvyError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new DivvyError("internal", `Unexpected fault: ${message}`, { cause: thrown });
}

/** Did somebody stop it who wants no answer any more? A run that is out of time, or cannot be kept, still lays out what it has. */
export function isStop({ code }: DivvyError): boolean {
  return code === "aborted" || code === "run_taken_over" || code === "plan_rejected";
}

/** The reason of an abort, as an error of ours. */
export function abortReason(signal: AbortSignal): DivvyError {
  return signal.reason instanceof DivvyError ? signal.reason : stopped("call", signal.reason);
}

/** What somebody has stopped, in their words where they gave any; an `AbortError` is what an abort without a reason has in place of one. */
export function stopped(what: "call" | "run", reason: unknown): DivvyError {
  const words = reason instanceof Error ? (reason.name === "AbortError" ? "" : reason.message) : typeof reason === "string" ? reason : "";
  return new DivvyError("aborted", words === "" ? `The ${what} was stopped.` : `The ${what} was stopped: ${sentence(words)}`, { cause: reason });
}

/** Has somebody stopped it? Where its time is up, what is done by then counts. */
export function isStopped(signal: AbortSignal): boolean {
  return signal.aborted && isStop(abortReason(signal));
}
