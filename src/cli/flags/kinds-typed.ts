import { keyOf } from "../../names.ts";
import type { OrchestratorOptions } from "../../options.ts";
import { usageError } from "./usage-error.ts";

/** A kind of worker, as it was typed. */
export interface TypedKind {
  readonly name: string;
  /** As provider:model. Absent where it is the workers'. */
  readonly model?: string;
  readonly description: string;
}

/** `research: finds sources`, or `research@openai:model: finds sources`. */
const typed = /^\s*([^@:]*[^@:\s])\s*(?:@(\S+?))?:\s+(\S[^]*)$/;

export function kindsOf(texts: readonly string[]): readonly TypedKind[] {
  const kinds = texts.map((text): TypedKind => {
    const [, name, model, description] = typed.exec(text) ?? [];
    if (name === undefined || description === undefined)
      throw usageError(`--kind is a type of subtask with what it is for, such as "research: finds sources and quotes them", and got "${text}".`);
    return { name, description: description.trim(), ...(model !== undefined && { model }) };
  });
  const twice = kinds.find(({ name }, index) => kinds.findIndex((other) => keyOf(other.name) === keyOf(name)) !== index);
  if (twice !== undefined) throw usageError(`--kind names "${twice.name}" twice.`);
  return kinds;
}

/** The kinds as the library takes them. */
export function kindWorkers(kinds: readonly TypedKind[]): Pick<OrchestratorOptions, "workers"> {
  return kinds.length === 0 ? {} : { workers: Object.fromEntries(kinds.map(({ name, ...kind }) => [name, kind])) };
}
