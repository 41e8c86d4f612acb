import type { RunEvent } from "../events.ts";
import type { Outcome } from "../outcome.ts";
import type { Run } from "../orchestrator/run-handle.ts";
import { reduce } from "../reduce.ts";
import { initialRunState, type RunState } from "../run-state.ts";
import { Analysis } from "./analysis.ts";
import { Block } from "./block.ts";
import { lazyStream } from "./lazy-stream.ts";
import { runFeed } from "./run-feed.ts";
import { checkStreamOptions } from "../options-check.ts";
import { sentence } from "../sentence.ts";
import { SubtaskParts } from "./subtask-parts.ts";
import { type DivvyUIMessageChunk, errorPart, type OutcomePart } from "./ui-message.ts";

export interface UIMessageStreamOptions {
  /**
   * Send what the workers write, while they write it and whole when they are done. Without, parts say how each subtask stands and no
   * more; a chat posts all parts of its messages back with every further one. @default true
   */
  readonly sendResults?: boolean | undefined;
  /**
   * What becomes of the run where the reader cancels the stream, as `stop()` of a chat and a closed page do. The AI SDK reads a model
   * no further whose reader is gone, and leaves it to an abort signal to end its call; a run would go on and be paid for, so it is
   * stopped. Under `leave` it goes on, and another stream of it can be opened. @default "stop"
   */
  readonly onCancel?: "stop" | "leave" | undefined;
}

/**
 * A run as a stream of the AI SDK's UI message chunks, for `createUIMessageStreamResponse` and `useChat<DivvyUIMessage>()`.
 *
 * - `start`, with the run's id as metadata
 * - reasoning: the plan's analysis, the orchestrator's own words on how it divides, one for each round and each plan that takes
 *   another's place. Open while the plan is written, filled when it is done; every chat shows it in the right place without knowing anything of Divvy
 * - a `data-subtask` part for each subtask, updated in place; see `SubtaskPart`. While it is written its text is sent again whenever
 *   it has grown by half, in all at most three times its length, and whole when it is done
 * - text: the answer, as it is written. What was sent is never taken back
 * - metadata: the outcome. A `partial` one is told by it alone; after a `failed` one comes an `error` with message and hint, after
 *   an `aborted` one an `abort`
 * - `finish`, but after an `abort`
 *
 * Each stream begins at the run's beginning, also where the run was resumed or is over. Nothing is read of the run before the
 * stream is, and a slow reader gets fewer, longer pieces. It never errors.
 *
 * @throws DivvyError `invalid_option` for options that do not exist, or are none of their values
 */
export function toUIMessageStream(run: Run, options: UIMessageStreamOptions = {}): ReadableStream<DivvyUIMessageChunk> {
  checkStreamOptions(options);
  const { sendResults = true, onCancel = "stop" } = options;
  const chunks = chunksOf(run, new SubtaskParts(sendResults));
  return lazyStream(chunks, async () => {
    const left = chunks.return();
    if (onCancel === "leave") return;
    run.abort();
    await left;
  });
}

async function* chunksOf(run: Run, parts: SubtaskParts): AsyncGenerator<DivvyUIMessageChunk, void, undefined> {
  yield { type: "start", messageMetadata: { runId: run.runId } };
  const analysis = new Analysis();
  const answer = new Block("text", "answer");
  let state = initialRunState;
  for await (const next of runFeed(run)) {
    if (typeof next === "string") {
      yield* answer.write(next);
      continue;
    }
    state = reduce(state, next);
    yield* analysis.on(next);
    yield* changedBy(next, state, parts);
  }
  yield* analysis.close();
  yield* answer.close();
  yield* ending(await run.outcome);
}

/** The subtask that an event is about; all of them where it says that what was not done is done anew. */
function* changedBy(event: RunEvent, { subtasks }: RunState, parts: SubtaskParts): Generator<DivvyUIMessageChunk, void, undefined> {
  if (event.type === "approval.declined" || (event.type === "approval.given" && event.edited)) yield* parts.void();
  const id = event.type === "subtask.planned" ? event.subtask.id : "subtaskId" in event ? event.subtaskId : undefined;
  if (id === undefined && event.type !== "run.resumed") return;
  for (const state of id === undefined ? subtasks : subtasks.filter(({ subtask }) => subtask.id === id)) {
    const chunk = parts.of(state);
    if (chunk !== undefined) yield chunk;
  }
}

function* ending(outcome: Outcome): Generator<DivvyUIMessageChunk, void, undefined> {
  const { runId } = outcome;
  yield { type: "message-metadata", messageMetadata: { runId, outcome: outcomePart(outcome) } };
  if (outcome.status === "aborted") {
    yield { type: "abort", reason: outcome.error.message };
    return;
  }
  if (outcome.status === "failed") yield { type: "error", errorText: `${sentence(outcome.error.message)} ${outcome.error.hint}` };
  yield { type: "finish", finishReason: outcome.status === "failed" ? "error" : "stop" };
}

function outcomePart(outcome: Outcome): OutcomePart {
  const { status, coverage, calls, usage, cost, durationMs } = outcome;
  return {
    ...{ status, coverage, calls, usage, durationMs },
    ...(cost !== undefined && { cost }),
    ...("error" in outcome && { error: errorPart(outcome.error) }),
  };
}
