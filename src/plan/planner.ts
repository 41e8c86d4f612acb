import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { type CallContext, type CalledModel, type CallPart, type CallRequest, type Calls, type CallSettings, ranks } from "../calls/call.ts";
import type { RunScope } from "../calls/run-scope.ts";
import { abortReason, DivvyError, toDivvyError } from "../errors.ts";
import { textPart } from "../prompt/messages.ts";
import type { Combine, Planned } from "../subtask.ts";
import { completionMessage } from "./prompts/completion-prompt.ts";
import type { PlanFormat } from "./format-plan.ts";
import { newReader } from "./reading/new-reader.ts";
import type { PlanBuilder } from "./plan-builder.ts";
import { planJsonSchema } from "./plan-schema.ts";
import type { PlanEnd, PlanItem, PlanReader } from "./reading/reader.ts";

/** Where the plan goes while it is written. */
export interface PlanSink {
  /** The plan says how its results are to be combined. */
  onCombine(combine: Combine): void;
  /** The subtask stands from now on; it may start. */
  onSubtask(planned: Planned): void;
  /** More of a direct answer. */
  onAnswer(delta: string): void;
  /** What came of the answer is void: a new try begins, or subtasks came after it. Called only where `mayRestartAnswer` said yes. */
  restartAnswer(): void;
  /** False where some of a direct answer has left through a door that cannot take it back. */
  mayRestartAnswer(): boolean;
}

export interface Planner extends CalledModel {
  readonly calls: Calls;
  readonly run: RunScope;
  readonly signal: AbortSignal;
  /** For the planner's own format only: the grammar of a local model, for example. */
  readonly formatOptions: CallSettings["providerOptions"];
  readonly messages: LanguageModelV4Prompt;
  readonly format: PlanFormat;
  readonly direct: boolean;
  /** What the planner is asked to write into its plan, in each format: without it, what looks like a plan is a quote of the request. */
  readonly marks: Readonly<Partial<Record<PlanFormat, string>>>;
  /** The number that tells its first question apart from like ones of other planners; the next questions have the numbers after it. */
  readonly sample: number;
  /** How often the rest of a plan is asked for in the same format. */
  readonly completions: number;
  /** Subtasks that were added by rounds before this one; what follows is one of several. @default 0 */
  readonly addedBefore?: number;
  /** Where the planning of a run stands that goes on. */
  readonly from?: PlannedBefore;
  readonly builder: PlanBuilder;
  readonly sink: PlanSink;
}

/** How far the planning came: the question to begin with. */
export interface PlannedBefore {
  /** Its number; 0 for the first. */
  readonly number: number;
  readonly format: PlanFormat;
  /** It is a new one, for the rest of what stands; otherwise one that was asked before, in the same words. */
  readonly asksForRest: boolean;
  readonly analysis: string;
}

export type Planning =
  | { readonly kind: "direct"; readonly analysis: string; readonly answer: string }
  /** `error` where the plan's end could not be had; what was dispatched stands. `isWordless`: a further round came, and held no plan. */
  | { readonly kind: "subtasks"; readonly analysis: string; readonly error?: DivvyError; readonly isWordless?: true };

/** One reply of the orchestrator, read to its end. */
interface Reading {
  readonly end: PlanEnd;
  readonly raw: string;
  readonly answer: string;
  readonly error?: DivvyError;
}

/**
 * Phase one: asks the orchestrator for a plan and hands over each subtask as it closes. A plan that is cut off, empty or mere
 * prose is asked for again, what was dispatched standing: first in its own format, and at last as JSON.
 *
 * Rejects with a `DivvyError` where nothing at all could be had.
 */
export async function planRequest(planner: Planner): Promise<Planning> {
  const { builder, format, completions, run, signal, from, addedBefore } = planner;
  const formats: PlanFormat[] = [
    from?.format ?? format,
    ...Array.from({ length: completions }, () => format),
    ...(format === "xml" ? (["json"] as const) : []),
  ];
  const analyses: string[] = from === undefined || from.analysis === "" ? [] : [from.analysis];
  const raws: string[] = [];
  let last: DivvyError | undefined;

  for (const [index, asked] of formats.entries()) {
    const number = index + (from?.number ?? 0);
    const note = noteOf(planner, asked, number);
    if (index > 0 || from?.asksForRest === true) {
      const reason = last?.code ?? (builder.planned.length > 0 ? "cut" : "empty");
      run.emit({ type: "plan.asked_again", reason, format: asked, round: number, analysis: analyses.join("\n") });
    }
    const reading = await readReply(planner, asked, note, number);
    if (reading.end.analysis !== "") analyses.push(reading.end.analysis);
    const analysis = analyses.join("\n");
    raws.push(reading.raw);
    last = reading.error;

    if (reading.answer !== "" && (last === undefined || reading.end.state === "closed")) return { kind: "direct", analysis, answer: reading.answer };
    if (isComplete(reading, builder)) return { kind: "subtasks", analysis };
    if (signal.aborted) throw abortReason(signal);
    if (last !== undefined && !canBeCompleted(last, reading, planner)) {
      if (builder.planned.length === 0) throw last;
      return { kind: "subtasks", analysis, error: last };
    }
  }

  // Shown what there is, it asked for nothing more, in whatever words.
  if (addedBefore !== undefined && last === undefined && builder.added === addedBefore)
    return { kind: "subtasks", analysis: analyses.join("\n"), isWordless: true };
  const error = new DivvyError("plan_failed", `The orchestrator (${planner.model}) was asked ${formats.length} times and gave no complete plan.`, {
    evidence: { ...last?.evidence, partialText: raws.join("\n\n") },
    cause: last,
  });
  if (builder.planned.length === 0) throw error;
  return { kind: "subtasks", analysis: analyses.join("\n"), error };
}

/** A fault after the plan's closing mark no longer matters; a missing closing mark does not matter where the model ended by itself. */
function isComplete({ end, error }: Reading, builder: PlanBuilder): boolean {
  const anything = builder.planned.length > 0;
  return anything && (end.state === "closed" || (end.state === "open" && error === undefined));
}

/**
 * Asking again helps where the plan was cut; not where it was refused, nor where half an answer has come. What broke before
 * anything stood was tried again in vain already; and whose cap went to reasoning alone, twice, wants a higher one.
 */
function canBeCompleted(error: DivvyError, { raw, answer }: Reading, { builder, addedBefore = 0 }: Planner): boolean {
  if (error.code === "output_truncated") return raw !== "" && answer === "";
  return builder.added > addedBefore && error.retryable;
}

async function readReply(planner: Planner, format: PlanFormat, note: string | undefined, number: number): Promise<Reading> {
  const { builder, sink, run } = planner;
  const stood = builder.added;
  let reader: PlanReader = newReader(format, planner.marks[format]);
  let raw = "";
  let answer = "";
  let attempt = 1;

  /** A plan that has subtasks is a plan: they void an answer, unless some of it has left. Then it stands, and they are not started. */
  const takesBackAnswer = (): boolean => {
    if (answer === "") return true;
    if (!sink.mayRestartAnswer()) return false;
    sink.restartAnswer();
    answer = "";
    return true;
  };
  const take = (items: readonly PlanItem[]): void => {
    for (const item of items) {
      if (item.type === "combine") {
        if (builder.setCombine(item.combine)) sink.onCombine(item.combine);
      } else if (item.type === "subtask") {
        // Who is asked for the rest may repeat what stands.
        if (!takesBackAnswer() || (note !== undefined && builder.stands(item.draft))) continue;
        const planned = builder.add(item.draft);
        if (planned !== undefined) sink.onSubtask(planned);
      } else if (planner.direct && builder.planned.length === 0) {
        answer += item.delta;
        sink.onAnswer(item.delta);
      }
    }
  };
  const onPart = (part: CallPart): void => {
    if (part.type === "attempt") {
      reader = newReader(format, planner.marks[format]);
      raw = "";
      if (answer !== "") sink.restartAnswer();
      answer = "";
      builder.setCombine(undefined);
      attempt = part.attempt;
    } else if (part.type === "text") {
      raw += part.delta;
      run.emit({ type: "plan.delta", attempt, text: part.delta });
      take(reader.push(part.delta));
    }
  };

  const request = planRequestCall(planner, format, note, number);
  const context: CallContext = {
    run,
    role: "orchestrator",
    rank: ranks.plan,
    signal: planner.signal,
    rules: planner.rules,
    onPart,
    mayRestart: () => builder.added === stood && (answer === "" || sink.mayRestartAnswer()),
  };
  const error = await planner.calls(request, context).then(
    () => undefined,
    (thrown: unknown) => toDivvyError(thrown),
  );
  const end = reader.end();
  take(end.items);
  return { end, raw, answer, ...(error && { error }) };
}

/** The call of a question for a plan, over what stands in the builder. */
export function planQuestion(planner: Planner, format: PlanFormat, number: number): CallRequest {
  return planRequestCall(planner, format, noteOf(planner, format, number), number);
}

function noteOf({ builder, direct, marks }: Planner, format: PlanFormat, number: number): string | undefined {
  return number === 0 ? undefined : completionMessage(builder, format, direct, marks[format]);
}

function planRequestCall(planner: Planner, format: PlanFormat, note: string | undefined, number: number): CallRequest {
  const { formatOptions, settings } = planner;
  const ownFormat = format === planner.format;
  const messages = note === undefined ? planner.messages : withNote(planner.messages, note);
  return {
    model: planner.model,
    messages,
    settings: ownFormat && formatOptions !== undefined ? { ...settings, providerOptions: { ...settings.providerOptions, ...formatOptions } } : settings,
    ...responseFormatOf(format, planner.direct, planner.marks.json),
    // Asking again in the same words asks for another answer, not for the recorded one.
    sample: planner.sample + number,
  };
}

/** The form that a reply is to have, said beside the messages. */
export function responseFormatOf(format: PlanFormat, direct: boolean, mark: string | undefined): Pick<CallRequest, "responseFormat"> {
  return format === "json" ? { responseFormat: { type: "json", schema: planJsonSchema(direct, mark), name: "plan" } } : {};
}

/** Adds to the last user message: several in a row are refused by some local models. */
export function withNote(messages: LanguageModelV4Prompt, note: string): LanguageModelV4Prompt {
  const text = textPart(note);
  const last = messages.at(-1);
  if (last?.role !== "user") return [...messages, { role: "user", content: [text] }];
  return [...messages.slice(0, -1), { ...last, content: [...last.content, text] }];
}
