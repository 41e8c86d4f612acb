import type { Fact } from "../../src/events.ts";
import { isRecord } from "../../src/json.ts";
import type { Outcome, Result } from "../../src/outcome.ts";
import type { Scene } from "./scene.ts";

/** Where the answer is a result, it is the one that its comparisons say, or that the synthesizer named. */
export function choiceFaults(outcome: Outcome, log: readonly Fact[], scene: Scene): string[] {
  const { compares } = scene.schedule;
  const chosen = log.findLast((fact) => fact.type === "synthesis.chosen");
  const [first, ...others] = outcome.results.flatMap((result) => (result.status === "done" ? [result] : []));
  if (outcome.coverage.answer !== "choose" || first === undefined || others.length === 0) return [];
  if (chosen === undefined) return ["its answer is chosen, and its log does not say so"];
  const faults = (chosen.ties !== undefined) === compares ? [] : [`its answer is chosen ${compares ? "without a comparison" : "by comparisons"}`];
  const found = compares ? bestOf(first, others, scene) : undefined;
  if (found === undefined) return faults;
  const [said, is] = [[chosen.subtaskId, ...(chosen.ties ?? [])].join(", "), found.join(", ")];
  return said === is ? faults : [...faults, `it chose ${said}, and by its comparisons the best is ${is}`];
}

type Done = Result & { readonly status: "done" };

/** The id of the best one, and of those that tie with it; nothing where nobody outside can tell. */
function bestOf(first: Done, others: readonly Done[], scene: Scene): string[] | undefined {
  let best = first;
  let ties: string[] = [];
  for (const next of others) {
    const better = best.result === next.result ? "tie" : betterOf(best.result, next.result, scene);
    if (better === undefined) return undefined;
    if (better === "tie") ties.push(next.id);
    if (better === "next") [best, ties] = [next, []];
  }
  return [best.id, ...ties];
}

function betterOf(best: string, next: string, scene: Scene): "best" | "next" | "tie" | undefined {
  const [ahead, swapped] = [saidOf(best, next, scene), saidOf(next, best, scene)];
  if (ahead === undefined || swapped === undefined) return undefined;
  if (ahead === "first" && swapped === "second") return "best";
  return ahead === "second" && swapped === "first" ? "next" : "tie";
}

/** What was said of two texts in this order; nothing where it was asked twice, and either may have been taken. */
function saidOf(first: string, second: string, { asked, store }: Scene): string | undefined {
  const verdicts = asked.flatMap(({ n, pair }) => {
    const isIt = pair?.first === first && pair.second === second;
    const said = isIt ? verdictIn(store.answers.get(n) ?? "") : undefined;
    return said === undefined ? [] : [said];
  });
  return verdicts.length === 1 ? verdicts[0] : undefined;
}

function verdictIn(answer: string): string | undefined {
  if (!answer.startsWith("{")) return undefined;
  const said: unknown = JSON.parse(answer);
  return isRecord(said) && typeof said["better"] === "string" ? said["better"] : undefined;
}
