import type { OrchestratorOptions } from "../options.ts";
import type { CommandName } from "./flags.ts";

/** The models that were named, each as it was typed. */
export interface NamedModels {
  readonly model: string | undefined;
  readonly orchestrator: string | undefined;
  readonly worker: string | undefined;
  readonly synthesizer: string | undefined;
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
  readonly quiet: boolean;
}

export interface RunCommand extends RequestFlags {
  readonly name: "run";
  readonly plan: string | undefined;
  readonly concurrency: number | undefined;
  readonly output: string | undefined;
  readonly outDir: string | undefined;
  /** What stdout carries. */
  readonly format: "text" | "json" | "jsonl";
}

export interface PlanCommand extends RequestFlags {
  readonly name: "plan";
  readonly json: boolean;
}

export interface ModelsCommand {
  readonly name: "models";
  readonly json: boolean;
}

/** What was typed, understood. */
export type Command =
  | RunCommand
  | PlanCommand
  | ModelsCommand
  | { readonly name: "help"; readonly about: CommandName | undefined }
  | { readonly name: "version" };
