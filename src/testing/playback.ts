import type { Json } from "../json.ts";
import { type Clock, sleep } from "../runtime.ts";
import type { Fault } from "./fault.ts";
import type { Reply, ReplyDelta } from "./reply.ts";

/** What happens next in a reply, whatever protocol it is then said in. When no beat follows, the stream is over. */
export type Beat =
  | Extract<Fault, { kind: "status" | "body" }>
  /** The connection breaks. No beat follows. */
  | { readonly kind: "reset" }
  /** The response begins. Every beat but `status`, `body` and an early `reset` comes after it. */
  | { readonly kind: "headers" }
  | { readonly kind: "ping" }
  /** What a protocol says before the first delta. */
  | { readonly kind: "start" }
  | ({ readonly kind: "delta" } & ReplyDelta)
  /** A byte of text that is none. */
  | { readonly kind: "bad-byte" }
  /** What a protocol says where there is nothing to choose from. The last beat. */
  | { readonly kind: "no-choices" }
  | { readonly kind: "error"; readonly data: Json | undefined; readonly finish: boolean }
  | { readonly kind: "finish" };

/** Between two signs of life. */
const SIGN_MS = 100;

/** Plays a reply in time, its fault included. Rejects with the signal's reason as soon as it aborts; leaves no timer. */
export async function* play(reply: Reply, clock: Clock, signal: AbortSignal): AsyncGenerator<Beat, void> {
  const { fault } = reply;
  const wait = async (ms: number): Promise<void> => {
    signal.throwIfAborted();
    if (ms > 0) await sleep(clock, ms, signal);
  };

  await wait(reply.firstMs);
  if (fault?.kind === "status" || fault?.kind === "body") {
    yield fault;
    return;
  }
  if (fault?.kind === "reset" && fault.afterChunks <= 0) {
    yield { kind: "reset" };
    return;
  }
  if (fault?.kind === "silence" && fault.afterChunks < 0) await untilAbort(signal);
  yield { kind: "headers" };

  if (fault?.kind === "no-choices") {
    yield { kind: "no-choices" };
    return;
  }

  const breaksAt = fault === undefined ? Number.POSITIVE_INFINITY : Math.min(Math.max(fault.afterChunks ?? 0, 0), reply.deltas.length);
  const isMended = fault?.kind === "invalid-utf8";
  for (const [said, delta] of reply.deltas.entries()) {
    if (said === breaksAt && !isMended) break;
    if (said === 0) yield { kind: "start" };
    else await wait(reply.chunkMs);
    if (said === breaksAt) yield { kind: "bad-byte" };
    yield { kind: "delta", ...delta };
  }
  // The break comes when the next delta would have.
  if (fault !== undefined && !isMended && breaksAt > 0) await wait(reply.chunkMs);

  switch (fault?.kind) {
    case undefined:
    case "invalid-utf8":
      if (reply.deltas.length === 0) yield { kind: "start" };
      if (isMended && breaksAt >= reply.deltas.length) yield { kind: "bad-byte" };
      if (reply.finish !== "none") yield { kind: "finish" };
      return;
    case "reset":
      yield { kind: "reset" };
      return;
    case "silence":
      await untilAbort(signal);
      return;
    case "pings":
      for (;;) {
        yield { kind: "ping" };
        await wait(fault.everyMs ?? SIGN_MS);
      }
    case "empty-deltas":
      if (breaksAt === 0) yield { kind: "start" };
      for (;;) {
        yield { kind: "delta", type: "text", delta: "" };
        await wait(fault.everyMs ?? SIGN_MS);
      }
    case "error-event":
      yield { kind: "error", data: fault.data, finish: fault.finish ?? false };
      return;
    case "cut":
      return;
  }
}

/** Never resolves; rejects with the signal's reason. */
export function untilAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
