import type { RunEvent } from "../events.ts";
import type { SkipReason } from "../outcome.ts";
import { count, listed } from "../quantity.ts";
import type { RunState } from "../run-state.ts";
import { shortened } from "../shortened.ts";

/** How much is shown of a text that has a place of its own. */
const SHOWN = 100;

/**
 * What an event says to somebody who follows a run, as one line with its break; nothing for most. Calm: the plan, how each subtask
 * begins and ends, the answer's beginning.
 */
export function progressOf(event: RunEvent, state: RunState): string {
  const line = lineOf(event, state);
  return line === undefined ? "" : `${line.replaceAll(/\s+/g, " ").trim()}\n`;
}

function lineOf(event: RunEvent, { subtasks, round }: RunState): string | undefined {
  switch (event.type) {
    case "round.started":
      return `Round ${event.round}: looks at the results.`;
    case "subtask.planned":
      // Those of the first round are told of together.
      return event.round === undefined ? undefined : `Added ${event.subtask.id}: ${shortened(event.subtask.description, SHOWN)}`;
    case "plan.finished":
      if (round > 1) return undefined;
      return `Planned ${count(event.subtasks, "subtask")}: ${listed(subtasks.map(({ subtask }) => subtask.id))}. ${event.analysis}`;
    case "plan.answered":
      return event.analysis === "" ? undefined : event.analysis;
    case "subtask.started": {
      const description = subtasks.find(({ subtask }) => subtask.id === event.subtaskId)?.subtask.description ?? "";
      return `Started ${event.subtaskId}: ${shortened(description, SHOWN)}`;
    }
    case "subtask.finished":
      return `Done ${event.subtaskId}.`;
    case "subtask.failed":
      return `Failed ${event.subtaskId}: ${event.error.message}`;
    case "subtask.skipped":
      return `Skipped ${event.subtaskId}: ${skipped[event.reason]}${event.because === "" ? "" : ` (${event.because})`}.`;
    case "synthesis.started":
      return "Writing the answer.";
    case "synthesis.failed":
      return `The answer failed: ${event.error.message}`;
    default:
      return undefined;
  }
}

const skipped: Readonly<Record<SkipReason, string>> = {
  upstream: "what it needs is missing",
  aborted: "the run was stopped",
  timeout: "the run is out of time",
  budget: "the budget does not allow it",
  approval: "the plan was not approved",
};
