import type { FunctionSettings, KindOption, ModelChoice, ModelWorker, SynthesizerSettings, WorkerSettings } from "./role-options.ts";
import type { Answered, Result, ResultOf } from "./outcome.ts";
import type { OutputSchema } from "./output-schema.ts";
import type { OutputWorkerFunction } from "./work/function-worker.ts";

/**
 * Options from which the compiler reads what results and answer are. `unknown` stands for what has no `output`, and `Kinds` as a whole
 * for options that name no kinds.
 */
export interface TypedOptions<Answer, Worker, Kinds, Functions> {
  readonly synthesizer?: ModelChoice | SynthesizerSettings<Answer>;
  readonly worker?: ModelChoice | WorkerSettings<Worker>;
  readonly workers?: { readonly [Kind in keyof Kinds]: KindOption<Kinds[Kind]> } & {
    readonly [Kind in keyof Functions]:
      | ModelChoice
      | ModelWorker
      | (FunctionSettings & { readonly run: Functions[Kind]; readonly output?: OutputSchema | undefined });
  };
}

/** `never` where there is none. */
type Said<Value> = unknown extends Value ? never : Value;

/** Models take over what `worker` says, functions do not. */
type OutputOf<Value, Worker, Made> = unknown extends Value ? (Made extends OutputWorkerFunction ? never : Said<Worker>) : Value;

/** What stands beside the text of an answer that was written as it was asked for. */
export type AnswerOf<Value> = unknown extends Value ? Answered : { readonly output: Value };

/** The results of an orchestrator, told apart by `kind`. Where the options' type does not tell the kinds, all that is known is that they are results. */
export type ResultsOf<Worker, Kinds, Functions> = unknown extends Kinds
  ? unknown extends Worker
    ? Result
    : ResultOf<"default", Worker>
  : string extends keyof Kinds
    ? Result
    :
        | ResultOf<"default", Said<Worker>>
        | {
            [Kind in keyof Kinds]: Kind extends string | number
              ? ResultOf<`${Kind}`, OutputOf<Kinds[Kind], Worker, Kind extends keyof Functions ? Functions[Kind] : undefined>>
              : never;
          }[keyof Kinds];
