import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { aRequest, aSentContext, modelOf, rejection, tableOf } from "../../test/call-fixture.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { AttemptFailure } from "./attempt-failure.ts";
import type { Calls, CallResult, SentContext } from "./call.ts";
import { sent } from "./sent.ts";

/** The layer over this model, at the beginning of time. */
export const sentTo = (model: LanguageModelV4): Calls<SentContext> => sent(tableOf(model), virtualClock());

/** One call to a model whose stream consists of these parts. */
export const send = (
  parts: readonly (LanguageModelV4StreamPart | Error)[],
  ctx: Partial<SentContext> = {},
  headers?: Record<string, string>,
): Promise<CallResult> => sentTo(modelOf(parts, headers))(aRequest(), aSentContext(ctx));

export async function failureOf(promise: Promise<unknown>): Promise<AttemptFailure> {
  const thrown = await rejection(promise);
  if (thrown instanceof AttemptFailure) return thrown;
  throw new Error("It rejected with no AttemptFailure.", { cause: thrown });
}
