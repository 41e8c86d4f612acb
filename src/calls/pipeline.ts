import type { Governor } from "../governor/governor.ts";
import type { ModelTable } from "../models/model.ts";
import type { Runtime } from "../runtime.ts";
import type { Answers } from "./answers.ts";
import { attempted, type RetryRules } from "./attempted.ts";
import type { CallContext, CallResult, Calls, SentContext } from "./call.ts";
import { callKey } from "./call-key.ts";
import { governed, type GovernedModel } from "./governed.ts";
import { recorded } from "./recorded.ts";
import { sent } from "./sent.ts";
import { timed } from "./timed.ts";

/** What every call goes by, whatever it asks for. */
export interface AttemptRules {
  readonly governor: Governor;
  readonly runtime: Runtime;
  readonly retry: RetryRules;
  /** How long an attempt may wait for admission, in milliseconds. */
  readonly admissionMs: number;
}

export interface PipelineOptions extends AttemptRules {
  readonly models: ModelTable;
  /** Where answers are kept. */
  readonly answers: Answers;
}

/** One model call made trustworthy: recorded -> attempted -> governed -> timed -> sent. */
export function callPipeline({ models, answers, ...rules }: PipelineOptions): Calls {
  return recorded(callKey(models), answers)(attempts(rules, models, sent(models, rules.runtime.clock)));
}

/** What stands around whatever sends a request: tries, admission, bookings and clocks. */
export function attempts<Result extends CallResult>(
  { governor, runtime, retry, admissionMs }: AttemptRules,
  models: (id: string) => GovernedModel,
  send: Calls<SentContext, Result>,
): Calls<CallContext, Result> {
  const { clock } = runtime;
  return attempted(retry, runtime)(governed({ governor, models, clock, admissionMs })(timed(clock)(send)));
}
