import { aContext, aRequest, aResult, aRun, modelThat, settle, tableOf } from "../../test/call-fixture.ts";
import type { DivvyError } from "../errors.ts";
import type { Answers } from "./answers.ts";
import type { CallContext, CallPart, CallRequest, CallResult, Calls } from "./call.ts";
import { callKey } from "./call-key.ts";
import { recorded } from "./recorded.ts";

/** A call that the layer below was asked for. */
export interface Sent {
  readonly ctx: CallContext;
  say(delta: string): void;
  restart(attempt: number): void;
  end(result?: CallResult): Promise<void>;
  fail(error: DivvyError): Promise<void>;
}

/** Answers that are kept as long as the test. */
export function answersInMemory(): Answers {
  const known = new Map<string, CallResult>();
  return {
    find: async (scope, key) => known.get(`${scope} ${key}`),
    keep: async (scope, key, result) => void known.set(`${scope} ${key}`, result),
  };
}

export interface Stage {
  readonly sent: readonly Sent[];
  readonly call: (ctx?: Partial<CallContext>, request?: Partial<CallRequest>) => Promise<CallResult>;
  /** The call that was sent, by its number. */
  readonly at: (index: number) => Promise<Sent>;
}

/** The layer, over one whose calls are answered by hand. */
export function stage(): Stage {
  const sent: Sent[] = [];
  const next: Calls = (_, ctx) => {
    const { promise, resolve, reject } = Promise.withResolvers<CallResult>();
    ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason), { once: true });
    if (ctx.signal.aborted) reject(ctx.signal.reason);
    const show = (part: CallPart): void => ctx.onPart?.(part);
    sent.push({
      ctx,
      say: (delta) => show({ type: "text", delta }),
      restart: (attempt) => show({ type: "attempt", attempt }),
      end: async (result = aResult("answer", { attempts: 2 })) => {
        resolve(result);
        await settle();
      },
      fail: async (error) => {
        reject(error);
        await settle();
      },
    });
    return promise;
  };
  const calls = recorded(callKey(tableOf(modelThat(() => Promise.reject(new Error("unused"))))), answersInMemory())(next);
  const run = aRun();
  const call = (ctx: Partial<CallContext> = {}, request: Partial<CallRequest> = {}): Promise<CallResult> => {
    const promise = calls(aRequest(request), aContext({ run, ...ctx }));
    promise.catch(() => undefined);
    return promise;
  };
  return {
    sent,
    call,
    at: async (index: number): Promise<Sent> => {
      await settle();
      const found = sent[index];
      if (found === undefined) throw new Error(`Call ${index} was not sent.`);
      return found;
    },
  };
}

export const isPending = async (promise: Promise<unknown>): Promise<boolean> =>
  (await Promise.race([promise.catch(() => undefined), settle().then(() => "pending")])) === "pending";
