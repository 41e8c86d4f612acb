import { DivvyError, errorCodes } from "../../errors.ts";
import { flags } from "./flags.ts";

/** A mistake in what was typed. */
export function usageError(message: string, hint = "Type divvy --help for all flags, with examples."): DivvyError {
  return new DivvyError("invalid_option", message, { hint });
}

/** The library speaks of its options; who sits at a terminal typed flags. */
export function asTyped(error: DivvyError): DivvyError {
  if (error.code !== "invalid_option") return error;
  const message = messageAsTyped(error.message);
  const hint = error.hint === errorCodes.invalid_option.hint ? "Type divvy --help for all flags, with examples." : error.hint;
  if (message === error.message && hint === error.hint) return error;
  return new DivvyError(error.code, message, { hint, ...(error.evidence && { evidence: error.evidence }), cause: error });
}

/** Advice of the library in the words of a terminal: its options by the flags that set them, its methods by the commands. What is neither stays. */
export function adviceAsTyped(advice: string): string {
  return advice.replaceAll(/`([\w.]+)`/g, (whole, name: string) => {
    if (name === "resume" || name === "rerun") return `\`divvy ${name}\``;
    // As many subtasks as the flag names, a run may have workers.
    const option = name === "limits.workers" ? "limits.subtasks" : name;
    const said = flags.find((flag) => flag.option === option) ?? flags.find((flag) => flag.option?.endsWith(`.${option}`));
    return said === undefined ? whole : `--${said.name}`;
  });
}

/** One flag may set an option of several roles, and a comparison has the options of an orchestrator: what stands before it is left out. */
function messageAsTyped(message: string): string {
  const [, path, rest] = /^options\.([\w.]+)(:.*)$/s.exec(message) ?? [];
  for (let named = path; named !== undefined; named = /^(?:orchestrator|worker|synthesizer)\.(.+)$/.exec(named)?.[1]) {
    const said = flags.find(({ option }) => option === named);
    if (said !== undefined) return `--${said.name}${rest}`;
  }
  return message;
}
