import type { ComparedTry } from "../../../src/compare/comparison.ts";
import type { Compared, ComparisonScene } from "./comparison-scene.ts";

/** What a comparison met with, each thing once, as `comparison: thing`. */
export function metInComparison(scene: ComparisonScene, compared: Compared): string[] {
  const { schedule, calls, stoppedAt, told } = scene;
  const names = new Set<string>();
  const meet = (name: string, does = true): void => void (does && names.add(`comparison: ${name}`));
  meet("two tasks", schedule.tasks > 1);
  meet(schedule.judge === "nobody" ? "not judged" : `judged by ${schedule.judge}`, schedule.judge !== "nobody can pay");
  meet(
    "beyond a cap",
    calls.some(({ reply, maxOutputTokens }) => typeof reply.usage === "object" && reply.usage.outputTokens > maxOutputTokens),
  );
  meet(
    "judge is asked again",
    new Set(calls.filter(({ way }) => way === "judging").map(({ question }) => question)).size < calls.filter(({ way }) => way === "judging").length,
  );
  if ("thrown" in compared) {
    meet("nobody can pay the judge");
    return [...names];
  }
  const { tasks, stopped, figures, judging } = compared.comparison;
  const tries = tasks.flatMap((task) => task.tries);
  for (const each of tries) for (const name of metInTry(each)) meet(name);
  meet("whole", stopped === undefined);
  meet("several tries", tries.length > 1);
  meet("nothing", figures === undefined);
  meet("judging used", judging.calls > 0);
  meet("stopped", stopped?.code === "aborted");
  meet("stopped before it began", stopped?.code === "aborted" && schedule.stop?.on === "begin");
  meet("stopped after a try", stopped?.code === "aborted" && tries.length > 0);
  meet("stopped while judging", stoppedAt !== undefined && told.at(-1)?.doing === "judging" && stopped?.code === "aborted");
  meet("budget used up", stopped?.code === "budget_exhausted" && schedule.budget !== undefined);
  meet("allowance used up", stopped?.code === "budget_exhausted" && schedule.allowance !== undefined);
  meet("no answer either way", stopped !== undefined && stopped.code !== "aborted" && stopped.code !== "budget_exhausted");
  for (const measure of Object.keys(schedule.budget ?? {})) meet(`within ${measure}`, stopped === undefined);
  return [...names];
}

function metInTry({ one, divided, verdict, judgeError }: ComparedTry): string[] {
  const names: string[] = [];
  if (one.text === "") names.push("no answer in one call");
  if (divided.text === "") names.push("no answer divided");
  if (divided.status === "partial") names.push("partial answer");
  if (one.text !== "" && divided.text !== "" && verdict !== undefined) names.push(`${verdict.winner} is better`);
  if (verdict?.winner === "tie" && verdict.reasons.startsWith("The judge said otherwise")) names.push("judge goes by the place");
  if (judgeError !== undefined) names.push(judgeError.code === "budget_exhausted" ? "budget used up by judging" : "no verdict");
  return names;
}
