import { DivvyError } from "../errors.ts";
import { keyOf } from "../names.ts";
import { withDependants } from "../plan/dependants.ts";
import type { Outcome, Result } from "../outcome.ts";
import type { Form } from "../output/form.ts";
import { type Output, type OutputIssues, readOutput } from "../output/read-output.ts";
import type { Planned } from "../subtask.ts";
import type { JobEnd } from "../work/worker.ts";
import { type Forms, formFor } from "./forms.ts";

/** A log holds texts alone: what schemas make of them is made of them again, by the schemas of today. */

/** What stands in a log, and does not have the form that is asked for today. */
interface Misfit extends OutputIssues {
  readonly of: string;
}

/**
 * Results that stand, with what the schemas make of them.
 *
 * @param mayLeaveOut leave out those that do not have their form and what builds on them, so that they are done anew
 * @throws DivvyError `run_drifted` where one does not have its form and may not be left out
 */
export async function revivedEnds(
  forms: Forms,
  planned: readonly Planned[],
  ends: ReadonlyMap<string, JobEnd>,
  mayLeaveOut = false,
): Promise<ReadonlyMap<string, JobEnd>> {
  const revived = new Map(ends);
  const misfits: Misfit[] = [];
  const anew: string[] = [];
  for (const { subtask } of planned) {
    const key = keyOf(subtask.id);
    const end = ends.get(key);
    const { form } = formFor(forms, subtask.type);
    if (end?.status !== "done" || form === undefined) continue;
    const read = await readAgain(form, end.result);
    if ("value" in read) revived.set(key, { ...end, output: read });
    else if (mayLeaveOut) anew.push(key);
    else misfits.push({ of: `"${subtask.id}"`, ...read });
  }
  if (misfits.length > 0) throw drifted(misfits);
  const all = planned.map(({ subtask }) => subtask);
  for (const key of withDependants(anew, all)) revived.delete(key);
  return revived;
}

/**
 * The outcome of a run that is over, with what the schemas make of its texts.
 *
 * @throws DivvyError `run_drifted` where one does not have its form
 */
export async function revivedOutcome(forms: Forms, outcome: Outcome): Promise<Outcome> {
  const misfits: Misfit[] = [];
  const results: Result[] = [];
  for (const result of outcome.results) {
    const { name, form } = formFor(forms, result.type);
    const read = result.status === "done" && form !== undefined ? await readAgain(form, result.result) : undefined;
    if (read !== undefined && "issues" in read) misfits.push({ of: `"${result.id}"`, ...read });
    // Older logs do not say the kind.
    results.push({ ...result, kind: name, ...(read !== undefined && "value" in read && { output: read.value }) });
  }
  const read = forms.answer !== undefined && "text" in outcome ? await readAgain(forms.answer, outcome.text) : undefined;
  if (read !== undefined && "issues" in read) misfits.push({ of: "the answer", ...read });
  if (misfits.length > 0) throw drifted(misfits, outcome.results.length === 0 ? answeredItself : setBack);
  return { ...outcome, results, ...(read !== undefined && "value" in read && { output: read.value }) };
}

async function readAgain(form: Form, text: string): Promise<Output | OutputIssues> {
  const read = await readOutput(form, text);
  return "issues" in read ? read : read.output;
}

const setBack = "Set the schema back; or have it done anew, by `acceptChanges` for a run that is not over, by `rerun` of the subtask for one that is.";
/** There is no subtask to do anew. */
const answeredItself =
  "Set the schema back, or leave `output` out to read the answer as text; or start the task anew: the orchestrator had answered it by itself.";

function drifted(misfits: readonly Misfit[], hint = setBack): DivvyError {
  const [first] = misfits;
  const who = misfits.map((misfit) => misfit.of).join(", ");
  const issues = misfits.flatMap((misfit) => misfit.issues.map((issue) => `${misfit.of}: ${issue}`));
  return new DivvyError("run_drifted", `What stands does not have the form that is asked for now: ${who}. ${first?.issues[0] ?? ""}`.trim(), {
    hint,
    evidence: { issues },
  });
}
