import { DivvyError, errorCodes } from "../../errors.ts";
import { flags } from "./flags.ts";

/** A mistake in what was typed. */
export function usageError(message: string, hint = "Type divvy --help for all flags, with examples."): DivvyError {
  return new DivvyError("invalid_option", message, { hint });
}

/** The library speaks of its options; who sits at a terminal typed flags. */
export function asTyped(error: DivvyError): DivvyError {
  if (error.code !== "invalid_option") return error;
  const said = flags.find(({ option }) => option !== undefined && error.message.startsWith(`options.${option}:`));
  const message = said === undefined ? error.message : `--${said.name}${error.message.slice(`options.${said.option}`.length)}`;
  const hint = error.hint === errorCodes.invalid_option.hint ? "Type divvy --help for all flags, with examples." : error.hint;
  if (message === error.message && hint === error.hint) return error;
  return new DivvyError(error.code, message, { hint, ...(error.evidence && { evidence: error.evidence }), cause: error });
}
