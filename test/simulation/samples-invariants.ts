import type { Outcome } from "../../src/outcome.ts";
import type { Fact } from "../../src/events.ts";
import { codeType } from "./code.ts";
import type { Schedule } from "./schedule.ts";

/** What is kept of several tries is one of them, as the log says; where there is one try, nobody chooses. */
export function samplesFaults({ results }: Outcome, log: readonly Fact[], { samples, code }: Schedule): string[] {
  return results.flatMap((result) => {
    if (result.status !== "done" || result.chosen === undefined) return [];
    const { id, chosen } = result;
    const { sample, of, ties } = chosen;
    const isCode = code !== "no" && result.type === codeType;
    const faults = samples === 1 || isCode ? [`${id} was chosen, though it was tried once`] : [];
    if (of < 2 || of > samples || sample < 1 || sample > samples || ties.some((tie) => tie <= sample || tie > samples))
      faults.push(`${id} is try ${sample} of ${of}, as good as ${ties.join(", ")}, and there are ${samples}`);
    const isSaid = log.some((fact) => fact.type === "subtask.chosen" && fact.subtaskId === id && fact.sample === sample && fact.of === of);
    const takesOver = log.some((fact) => fact.type === "run.started" && fact.rerunOf !== undefined);
    if (!isSaid && !takesOver) faults.push(`${id} is try ${sample}, which nobody chose`);
    return faults;
  });
}
