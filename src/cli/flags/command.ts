import type { Budget } from "../../budget.ts";
import type { Price } from "../../models/model.ts";
import type { OrchestratorOptions, PlanCache } from "../../options.ts";
import type { Judging } from "./judging.ts";
import type { TypedKind } from "./kinds-typed.ts";
import type { CommandName } from "./flags.ts";

/** The models that were named, each as it was typed. */
export interface NamedModels {
  readonly model: string | undefined;
  readonly orchestrator: string | undefined;
  readonly worker: string | undefined;
  readonly synthesizer: string | undefined;
  /** Who judges. */
  readonly evaluator: string | undefined;
  /** Kinds of workers. */
  readonly kinds: readonly TypedKind[];
  /** Tokens of the synthesizer's window. */
  readonly window: number | undefined;
  /** By which the plans of earlier runs are looked through. */
  readonly embed: string | undefined;
  /** What models cost, by their names. */
  readonly prices: ReadonlyMap<string, Price>;
}

/** What a run and a plan have in common. */
export interface RequestFlags {
  /** Absent where it shall be read or asked for. */
  readonly task: string | undefined;
  readonly models: NamedModels;
  /** `key=value`, as typed. */
  readonly context: readonly string[];
  /** Files and globs, as typed. */
  readonly files: readonly string[];
  readonly divide: boolean;
  readonly synthesis: OrchestratorOptions["synthesis"] | undefined;
  readonly maxSubtasks: number | undefined;
  readonly rounds: number | undefined;
  readonly quiet: boolean;
}

/** What all have in common that carry something out. */
export interface WorkFlags {
  /** Nothing where nobody is to judge. */
  readonly judging: Judging | undefined;
  /** Tries of each subtask. */
  readonly samples: number | undefined;
  readonly concurrency: number | undefined;
  /** What it may use; nothing where nothing was said of it. */
  readonly budget: Budget | undefined;
  readonly output: string | undefined;
  /** The file with the JSON Schema of the answer. */
  readonly outputSchema: string | undefined;
  readonly outDir: string | undefined;
  /** What stdout carries. */
  readonly format: "text" | "json" | "jsonl";
  readonly quiet: boolean;
}

export interface RunCommand extends RequestFlags, WorkFlags {
  readonly name: "run";
  readonly plan: string | undefined;
  /** Whose plans are taken over; nothing where each is asked for. */
  readonly planCache: PlanCache | undefined;
  /** Whether somebody here is asked before anything of the plan starts. */
  readonly approve: boolean;
  /** Whether the run is kept. */
  readonly save: boolean;
}

export interface PlanCommand extends RequestFlags {
  readonly name: "plan";
  readonly budget: Budget | undefined;
  readonly json: boolean;
}

export interface CompareCommand extends RequestFlags {
  readonly name: "compare";
  /** A file of tasks, in place of one. */
  readonly tasks: string | undefined;
  readonly judge: boolean;
  /** How often each task is done each way. */
  readonly tries: number | undefined;
  readonly concurrency: number | undefined;
  readonly budget: Budget | undefined;
  readonly json: boolean;
}

export interface ModelsCommand {
  readonly name: "models";
  readonly json: boolean;
}

export interface RunsCommand {
  readonly name: "runs";
  readonly json: boolean;
  readonly action:
    | { readonly kind: "list"; readonly limit: number | undefined }
    | { readonly kind: "rm"; readonly runs: readonly string[] }
    | { readonly kind: "prune"; readonly olderThanMs: number };
}

/** A run is named by the beginning of its id, or is `last`. */
export interface ShowCommand {
  readonly name: "show";
  readonly run: string;
  readonly subtask: string | undefined;
  readonly events: boolean;
  readonly format: WorkFlags["format"];
}

export interface ResumeCommand extends WorkFlags {
  readonly name: "resume";
  readonly run: string;
  readonly models: NamedModels;
  readonly acceptChanges: boolean;
  readonly approve: boolean;
}

export interface RerunCommand extends WorkFlags {
  readonly name: "rerun";
  readonly run: string;
  readonly models: NamedModels;
  readonly subtask: string;
  readonly description: string | undefined;
  readonly type: string | undefined;
}

/** What was typed, understood. */
export type Command =
  | RunCommand
  | PlanCommand
  | CompareCommand
  | ModelsCommand
  | RunsCommand
  | ShowCommand
  | ResumeCommand
  | RerunCommand
  | { readonly name: "help"; readonly about: CommandName | undefined }
  | { readonly name: "version" };
