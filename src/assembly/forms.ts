import { defaults } from "../limits.ts";
import { keyOf } from "../names.ts";
import type { OrchestratorOptions } from "../options.ts";
import type { KindOption } from "../role-options.ts";
import { type Form, formOf } from "../output/form.ts";
import { isFunctionKind } from "../role.ts";
import type { OutputSchema } from "../output-schema.ts";

/** What a kind of worker is called, and the form of its results, where they have one. */
export interface KindForm {
  readonly name: string;
  readonly form?: Form;
}

/** The forms that an orchestrator's options ask for: all that must be known of them to read what stands in a log. */
export interface Forms {
  readonly worker: KindForm;
  /** By the key of the type of subtask that they are for. */
  readonly kinds: ReadonlyMap<string, KindForm>;
  /** Absent where the answer is text. */
  readonly answer?: Form;
}

export function formsOf({ worker, workers = {}, synthesizer, limits }: OrchestratorOptions): Forms {
  const repairs = limits?.outputRepairs ?? defaults.limits.outputRepairs;
  const formed = (schema: OutputSchema | undefined): { readonly form?: Form } => (schema === undefined ? {} : { form: formOf(schema, "result", repairs) });
  const general = outputOf(worker);
  const answer = outputOf(synthesizer);
  // What was said of the general worker's results is for models: a function gives what it gives.
  const kinds = Object.entries(workers).map(([type, kind]) => [keyOf(type), { name: type, ...formed(kindOutput(kind, general)) }] as const);
  return { worker: { name: "default", ...formed(general) }, kinds: new Map(kinds), ...(answer && { answer: formOf(answer, "answer", repairs) }) };
}

/** The form for a type of subtask. */
export function formFor({ worker, kinds }: Forms, type: string): KindForm {
  return kinds.get(keyOf(type)) ?? worker;
}

/** The form of what a role writes; nothing where that is text. */
export function outputOf(option: OrchestratorOptions["worker" | "synthesizer"]): OutputSchema | undefined {
  return typeof option === "object" && "output" in option ? option.output : undefined;
}

function kindOutput(kind: KindOption, general: OutputSchema | undefined): OutputSchema | undefined {
  const own = typeof kind === "object" && "output" in kind ? kind.output : undefined;
  if (own === false) return undefined;
  return own ?? (isFunctionKind(kind) ? undefined : general);
}
