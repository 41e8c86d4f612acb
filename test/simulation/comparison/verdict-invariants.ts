import type { ComparedTry } from "../../../src/compare/comparison.ts";
import { isRecord } from "../../../src/json.ts";
import type { ComparisonScene } from "./comparison-scene.ts";
import type { At } from "./spend-invariants.ts";

interface Said {
  readonly better: string;
  readonly reasons: string;
}

/** A try's verdict is what its judge said with the two in either place: a tie, where that does not agree. */
export function verdictFaults(scene: ComparisonScene, { one, divided, verdict, judgeError }: ComparedTry, at: At): string[] {
  const name = `try ${at.try} of task ${at.task}`;
  const asked = scene.calls.filter(({ way, during }) => way === "judging" && during?.task === at.task && during.try === at.try);
  if (scene.schedule.judge === "nobody")
    return verdict === undefined && judgeError === undefined && asked.length === 0 ? [] : [`${name} was judged, though nobody was to`];
  if ((verdict === undefined) === (judgeError === undefined))
    return [`${name} has ${verdict === undefined ? "neither a verdict nor" : "a verdict and"} an error`];
  const wanted = one.text === "" ? "divided" : divided.text === "" ? "one" : one.text === divided.text ? "tie" : undefined;
  if (wanted !== undefined) {
    const faults = asked.length === 0 ? [] : [`${name} needs no judge, and one was asked`];
    return verdict?.winner === wanted ? faults : [...faults, `${name} is won by ${verdict?.winner}, and ${wanted} has`];
  }
  const said = (first: string, second: string): Said[] =>
    asked.flatMap(({ pair, isWhole, reply }) => {
      const read = isWhole && pair?.first === first && pair.second === second ? saidIn(reply.text ?? "") : undefined;
      return read ?? [];
    });
  const [ahead, swapped] = [said(one.text, divided.text), said(divided.text, one.text)];
  if (ahead.length > 1 || swapped.length > 1) return [`${name} was judged again when there was a verdict`];
  const [[first], [second]] = [ahead, swapped];
  if (first === undefined || second === undefined) return judgeError === undefined ? [`${name} has a verdict that nobody gave`] : [];
  const winner = first.better === "first" && second.better === "second" ? "one" : first.better === "second" && second.better === "first" ? "divided" : "tie";
  if (verdict?.winner !== winner) return [`${name} is won by ${verdict?.winner}, its judge said ${first.better} and, swapped, ${second.better}`];
  // As it was said where the winner was shown first.
  const { reasons } = winner === "divided" ? second : first;
  return verdict.reasons.includes(reasons) ? [] : [`${name} is judged for ${verdict.reasons}, its judge said ${reasons}`];
}

function saidIn(text: string): Said | undefined {
  if (!text.startsWith("{")) return undefined;
  const said: unknown = JSON.parse(text);
  if (!isRecord(said) || typeof said["better"] !== "string" || typeof said["reasons"] !== "string") return undefined;
  return { better: said["better"], reasons: said["reasons"] };
}
