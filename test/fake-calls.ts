import type { CallContext, CallPart, CallRequest, CallResult, Calls } from "../src/calls/call.ts";
import type { RunScope } from "../src/calls/run-scope.ts";
import { DivvyError, type ErrorCode } from "../src/errors.ts";
import type { EventBody } from "../src/events.ts";
import { noUsage } from "../src/usage.ts";

/** Text, another part, or something to look at or do at this point of the stream. */
export type FakePart = string | CallPart | (() => void | Promise<void>);

export interface FakeReply {
  readonly parts: readonly FakePart[];
  /** Thrown when the parts are out. */
  readonly error?: DivvyError;
  readonly finish?: CallResult["finishReason"]["unified"];
  readonly attempts?: number;
}

export interface FakeCalls {
  readonly calls: Calls;
  /** Every call that was made, in order. */
  readonly asked: { readonly request: CallRequest; readonly ctx: CallContext }[];
  /** All text that a call sent to the model. */
  prompt(index: number): string;
}

/** Calls that answer from a list, one entry a call, or as a function says; one call too many is an error that no reader overlooks. */
export function fakeCalls(replies: readonly (FakeReply | string)[] | ((request: CallRequest, ctx: CallContext) => FakeReply | string)): FakeCalls {
  const asked: { request: CallRequest; ctx: CallContext }[] = [];
  const calls: Calls = async (request, ctx) => {
    asked.push({ request, ctx });
    const scripted = typeof replies === "function" ? replies(request, ctx) : replies[asked.length - 1];
    if (scripted === undefined) throw new DivvyError("internal", `Unexpected call ${asked.length}.`);
    const reply: FakeReply = typeof scripted === "string" ? { parts: [scripted] } : scripted;
    let text = "";
    for (const part of reply.parts) {
      // A pause between any two, as on a wire.
      await Promise.resolve();
      if (typeof part === "function") await part();
      else if (typeof part !== "string" && part.type === "attempt") {
        text = "";
        ctx.onPart?.(part);
      } else {
        const sent = typeof part === "string" ? ({ type: "text", delta: part } as const) : part;
        if (sent.type === "text") text += sent.delta;
        ctx.onPart?.(sent);
      }
    }
    if (reply.error !== undefined) throw reply.error;
    const unified = reply.finish ?? "stop";
    return { content: [{ type: "text", text }], finishReason: { unified, raw: unified }, usage: noUsage, attempts: reply.attempts ?? 1, cached: false };
  };
  return { calls, asked, prompt: (index) => promptText(asked[index]?.request) };
}

export function promptText(request: CallRequest | undefined): string {
  const texts = (request?.messages ?? []).flatMap(({ content }) =>
    typeof content === "string" ? [content] : content.flatMap((part) => (part.type === "text" ? [part.text] : [])),
  );
  return texts.join("\n\n");
}

/** A run that only takes notes. */
export function notedRun(): { readonly run: RunScope; readonly events: EventBody[] } {
  const events: EventBody[] = [];
  return { events, run: { runId: "run", concurrency: 10, emit: (event) => void events.push(event), committed: () => Promise.resolve() } };
}

export function fault(code: ErrorCode, message = `scripted ${code}`): DivvyError {
  return new DivvyError(code, message);
}

export const anyRules: CallContext["rules"] = { totalMs: 1000, idleMs: 1000, allowLength: false, allowEmpty: false };
