import type { Governor } from "../governor/governor.ts";
import type { ModelTable } from "../models/model.ts";
import type { Runtime } from "../runtime.ts";
import type { Answers } from "./answers.ts";
import { attempted, type RetryRules } from "./attempted.ts";
import type { Calls } from "./call.ts";
import { callKey } from "./call-key.ts";
import { governed } from "./governed.ts";
import { recorded } from "./recorded.ts";
import { sent } from "./sent.ts";
import { timed } from "./timed.ts";

export interface PipelineOptions {
  readonly models: ModelTable;
  readonly governor: Governor;
  readonly runtime: Runtime;
  /** Where answers are kept. */
  readonly answers: Answers;
  readonly retry: RetryRules;
  /** How long an attempt may wait for admission, in milliseconds. */
  readonly admissionMs: number;
}

/** One model call made trustworthy: recorded -> attempted -> governed -> timed -> sent. */
export function callPipeline({ models, governor, runtime, answers, retry, admissionMs }: PipelineOptions): Calls {
  const send = timed(runtime.clock)(sent(models, runtime.clock));
  const admit = governed({ governor, models, clock: runtime.clock, admissionMs })(send);
  return recorded(callKey(models), answers)(attempted(retry, runtime)(admit));
}
