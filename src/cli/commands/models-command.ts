import { DivvyError, toDivvyError } from "../../errors.ts";
import { type Availability, availableModels } from "../../models/available.ts";
import { type ChosenModels, defaultModels } from "../../models/defaults.ts";
import { oneLine } from "../writing/clean-text.ts";
import type { ModelsCommand } from "../flags/command.ts";
import { exitCodes } from "../exit-code.ts";
import { jsonText } from "../writing/json-text.ts";
import { modelsInUse } from "../models/models-in-use.ts";
import type { Terminal } from "../terminal.ts";
import { wrapped } from "../view/wrapped.ts";

/** Shows what can be used here, and why or why not. */
export async function modelsCommand({ json }: ModelsCommand, terminal: Terminal): Promise<number> {
  await using models = modelsInUse(terminal, { quiet: true });
  const { out, world } = terminal;
  const [available, chosen] = await Promise.all([
    availableModels(world.env, models.probes),
    defaultModels(world.env, models.probes).catch((thrown: unknown) => expected(thrown)),
  ]);
  if (json) {
    const choice = chosen instanceof DivvyError ? { chosen: null, error: chosen.toJSON() } : { chosen };
    await out.write(`${jsonText({ models: available, ...choice }, out.isTerminal ? 2 : undefined)}\n`);
  } else await out.write(modelsText(available, chosen, terminal));
  return exitCodes.ok;
}

/** Nothing usable is an answer here, not a failure. */
function expected(thrown: unknown): DivvyError {
  const error = toDivvyError(thrown);
  if (error.code === "internal") throw thrown;
  return error;
}

/** What can be used stands last, where the eye is when a terminal has scrolled. */
function modelsText(available: readonly Availability[], chosen: ChosenModels | DivvyError, { out, outPaint: paint }: Terminal): string {
  const indent = Math.max(...available.map(({ provider }) => provider.length)) + 4;
  const hanging = (text: string, left: number): string => {
    const clean = oneLine(text);
    return (out.isTerminal ? wrapped(clean, out.columns - left) : clean).replaceAll("\n", `\n${" ".repeat(left)}`);
  };
  const lines = available
    .toSorted((a, b) => Number(a.usable) - Number(b.usable))
    .flatMap(({ provider, usable, why, strong, fast, models }) => {
      const name = provider.padEnd(indent - 4);
      const reason = hanging(why, indent);
      const names = models && models.length > 0 ? models.map((model) => `${provider}:${model}`) : [...new Set([strong, fast].flatMap((model) => model ?? []))];
      const head = usable ? `${paint("green", "✔")} ${paint("bold", name)}  ${reason}` : paint("dim", `– ${name}  ${reason}`);
      return [head, ...names.map((model) => " ".repeat(indent) + oneLine(model))];
    });
  const use =
    chosen instanceof DivvyError
      ? [paint("yellow", hanging(chosen.message, 0)), `  ${hanging(chosen.hint, 2)}`]
      : [
          hanging(`When no model is named (${chosen.why}):`, 0),
          `  plans and joins   ${oneLine(chosen.orchestrator)}`,
          `  works             ${oneLine(chosen.worker)}`,
          `  ${hanging("Another one: -m provider:model, or DIVVY_MODEL=provider:model", 2)}`,
        ];
  return `${[...lines, "", ...use].join("\n")}\n`;
}
