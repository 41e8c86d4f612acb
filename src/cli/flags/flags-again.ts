import type { Fact } from "../../events.ts";
import { listed } from "../../quantity.ts";
import type { NamedModels, WorkFlags } from "./command.ts";
import { usualThreshold } from "./judging.ts";

/** A flag that decides calls, or what they may cost, and stands in no run log as it was typed; its value, where that is known. */
interface FlagAgain {
  readonly name: string;
  readonly value: string | undefined;
}

/** What a resume has to be typed with, since it would otherwise ask otherwise than the run did, or not at all: flags as they were typed. */
export function typedAgain({
  judging,
  samples,
  outputSchema,
  models: { evaluator, kinds, window, prices },
}: Pick<WorkFlags, "judging" | "samples" | "outputSchema"> & { readonly models: Pick<NamedModels, "evaluator" | "kinds" | "window" | "prices"> }): string {
  const { results, answer, threshold, tries } = judging ?? {};
  const flags: readonly FlagAgain[] = [
    ...kinds.map(({ name, model, description }) => ({ name: "kind", value: `${name}${model === undefined ? "" : `@${model}`}: ${description}` })),
    { name: "window", value: window?.toString() },
    { name: "evaluate", value: results },
    { name: "evaluate-answer", value: answer },
    { name: "threshold", value: threshold === usualThreshold ? undefined : threshold?.toString() },
    { name: "tries", value: tries?.toString() },
    { name: "evaluator", value: judging && evaluator },
    { name: "samples", value: samples?.toString() },
    { name: "output-schema", value: outputSchema },
    ...[...prices].map(([model, { input, output }]) => ({ name: "price", value: `${model}=${input}/${output}` })),
  ];
  return flags.flatMap(({ name, value }) => (value === undefined ? [] : [` --${name} ${shellWord(value)}`])).join("");
}

/** The same of a run that is kept, which tells that there were such flags, and not what they said. */
export function keptAgain(facts: readonly Fact[]): string {
  const flags = keptFlags(facts);
  return flags.length === 0 ? "" : `, with ${listed(flags.map((flag) => `--${flag}`))} as before`;
}

/** What a rerun of such a run leaves out, since nobody typed it; empty where that is nothing. */
export function leftOut(
  facts: readonly Fact[],
  {
    judging,
    samples,
    outputSchema,
    models: { kinds, window },
  }: Pick<WorkFlags, "judging" | "samples" | "outputSchema"> & { readonly models: Pick<NamedModels, "kinds" | "window"> },
): string {
  const typed = { kind: kinds[0], window, evaluate: judging?.results, "evaluate-answer": judging?.answer, samples, "output-schema": outputSchema };
  const flags = keptFlags(facts).filter((flag) => typed[flag] === undefined);
  return flags.length === 0
    ? ""
    : `The old run had ${listed(flags.map((flag) => `--${flag}`))}, and this one has not: they are not kept, and are typed again where they shall hold.`;
}

function keptFlags(facts: readonly Fact[]): readonly ("kind" | "window" | "evaluate" | "evaluate-answer" | "samples" | "output-schema")[] {
  const setup = facts.find((fact) => fact.type === "run.started")?.setup;
  const { default: worker } = setup?.workers ?? {};
  return [
    ...(Object.keys(setup?.workers ?? {}).length > 1 ? (["kind"] as const) : []),
    ...(setup?.synthesizer.window === undefined ? [] : (["window"] as const)),
    ...(worker?.evaluation === undefined ? [] : (["evaluate"] as const)),
    ...(setup?.synthesizer.evaluation === undefined ? [] : (["evaluate-answer"] as const)),
    ...(worker?.sampling === undefined ? [] : (["samples"] as const)),
    ...(setup?.synthesizer.output === undefined ? [] : (["output-schema"] as const)),
  ];
}

/** As a shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
