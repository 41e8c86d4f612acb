import { styleText } from "node:util";
import type { Env } from "../../models/catalog.ts";
import type { OutputStream } from "../world.ts";

type Style = Parameters<typeof styleText>[0];

/** Puts a style on text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_, text) => text;

/** FORCE_COLOR stands above NO_COLOR, and both above what the stream is, as Node itself has it. */
export function paintFor(env: Env, stream: OutputStream): Paint {
  return wantsColour(env, stream) ? styled : plain;
}

const styled: Paint = (style, text) => (text === "" ? "" : styleText(style, text, { validateStream: false }));

function wantsColour(env: Env, stream: OutputStream): boolean {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  if (env["NO_COLOR"]) return false;
  return stream.isTTY === true && !isDumb(env);
}

/** A terminal that can do nothing but print. */
export function isDumb(env: Env): boolean {
  return env["TERM"] === "dumb";
}
