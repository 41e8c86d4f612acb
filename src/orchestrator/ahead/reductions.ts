import { fencing } from "../../prompt/fence.ts";
import { roomsFor, type Window } from "../../synthesis/fitted.ts";
import type { DoneResult } from "../../synthesis/layout.ts";
import type { Rooms } from "../../synthesis/rooms.ts";
import type { RunSetup } from "../run-setup.ts";

/** What the results of a run must fit. */
export function windowOf({ roles, costs }: RunSetup): Window {
  return { contextTokens: () => costs.contextTokensOf(roles.synthesizer), textTokens: costs.textTokens, inputTokens: costs.inputTokens };
}

/** A result that says nothing. */
const empty: DoneResult = { id: "0", type: "", description: "", result: "" };

/** How the synthesizer's window is shared out, as far as it is known before there are results; nothing where it leaves no choice. */
export async function reductionRooms(setup: RunSetup, analysis: string): Promise<Rooms | undefined> {
  const { request, roles, costs } = setup;
  try {
    const contextTokens = await costs.contextTokensOf(roles.synthesizer);
    const question = { request, analysis, results: [empty], missing: [] };
    return roomsFor(question, { role: roles.synthesizer, fence: fencing() }, windowOf(setup), contextTokens);
  } catch {
    // No such model any more, or a prompt function that does not know what to make of a result that says nothing.
    return undefined;
  }
}
