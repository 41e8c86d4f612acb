import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Answered, Result, ResultOf } from "./outcome.ts";
import type { KindOption, ModelChoice, SynthesizerSettings, WorkerSettings } from "./role-options.ts";
import type { Subtask } from "./subtask.ts";
import type { FunctionTools, OutputWorkerFunction } from "./work/function-worker.ts";

/**
 * Options from which the compiler reads what results and answer are. `unknown` stands for what has no `output`, and `Kinds` as a whole
 * for options that name no kinds. By kind, `Kinds` has what its schema makes, `Functions` its `run`, and `Forms` its `output` itself.
 */
export interface TypedOptions<Answer, Worker, Kinds, Functions, Forms> {
  readonly synthesizer?: ModelChoice | SynthesizerSettings<Answer> | undefined;
  readonly worker?: ModelChoice | WorkerSettings<Worker> | undefined;
  readonly workers?: TypedKinds<Kinds, Functions, Forms> | undefined;
}

type TypedKinds<Kinds, Functions, Forms> = { readonly [Kind in keyof Kinds]: KindOption<Kinds[Kind]> } & {
  readonly [Kind in keyof Functions]: string | { readonly run?: Functions[Kind] };
} & {
  readonly [Kind in keyof Forms]: string | { readonly run?: RunFor<NoInfer<Forms[Kind]>> | undefined; readonly output?: Forms[Kind] };
};

/** A function that gives what its kind's schema takes in. */
type RunFor<Form> = (
  subtask: Subtask,
  tools: FunctionTools,
) => [Exclude<Form, undefined>] extends [StandardSchemaV1<infer Input, unknown>] ? Input | Promise<Input> : unknown;

/** `never` where there is none. */
type Said<Value> = unknown extends Value ? never : Value;

type OfKind<All, Kind> = Kind extends keyof All ? All[Kind] : undefined;

/** Models take over what `worker` says, unless they say `false`; functions do not. */
type OutputOf<Value, Worker, Made, Form> = [Form] extends [false]
  ? never
  : unknown extends Value
    ? Made extends OutputWorkerFunction
      ? never
      : Said<Worker>
    : Value;

/** What stands beside the text of an answer that was written as it was asked for. */
export type AnswerOf<Value> = unknown extends Value ? Answered : { readonly output: Value };

/** The results of an orchestrator, told apart by `kind`. Where the options' type does not tell the kinds, all that is known is that they are results. */
export type ResultsOf<Worker, Kinds, Functions, Forms> = unknown extends Kinds
  ? unknown extends Worker
    ? Result
    : ResultOf<"default", Worker>
  : string extends keyof Kinds
    ? Result
    :
        | ResultOf<"default", Said<Worker>>
        | {
            [Kind in keyof Kinds]: Kind extends string | number
              ? ResultOf<`${Kind}`, OutputOf<Kinds[Kind], Worker, OfKind<Functions, Kind>, OfKind<Forms, Kind>>>
              : never;
          }[keyof Kinds];
