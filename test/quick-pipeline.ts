import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { CallContext, Calls, CallResult } from "../src/calls/call.ts";
import { answersOf } from "../src/calls/answers.ts";
import { callPipeline } from "../src/calls/pipeline.ts";
import { adaptiveGovernor } from "../src/governor/adaptive-governor.ts";
import { memoryLedger } from "../src/ledger/memory-ledger.ts";
import { type Clock, systemClock } from "../src/runtime.ts";
import { testRuntime } from "../src/testing/index.ts";
import { aContext, aRequest, tableOf } from "./call-fixture.ts";

/** Sockets take real time, so this clock cannot stand still; but it runs fifty times as fast, and nothing depends on how fast. */
const speed = 50;
const quickClock: Clock = {
  now: () => systemClock.now() * speed,
  setTimer: (ms, fn) => systemClock.setTimer(ms / speed, fn),
};

/** The whole pipeline over a real provider, with a governor of its own. */
export function quickPipeline(model: LanguageModelV4): Calls {
  const runtime = testRuntime({ clock: quickClock });
  const retry = { attempts: 3, backoffMs: 500, maxBackoffMs: 1_000 };
  return callPipeline({
    models: tableOf(model),
    governor: adaptiveGovernor(runtime),
    runtime,
    answers: answersOf(memoryLedger(), quickClock),
    retry,
    admissionMs: 600_000,
  });
}

export function quickCall(model: LanguageModelV4, ctx: Partial<CallContext> = {}): Promise<CallResult> {
  return quickPipeline(model)(aRequest(), aContext(ctx));
}
