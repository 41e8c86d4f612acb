import type { Comparison } from "../../../src/compare/comparison.ts";
import { DivvyError } from "../../../src/errors.ts";
import type { Compared, ComparisonScene } from "./comparison-scene.ts";
import { figuresFaults } from "./figures-invariants.ts";
import { judgingSpendFaults, purseFaults, sideFaults } from "./spend-invariants.ts";
import { verdictFaults } from "./verdict-invariants.ts";

/** What must hold of a comparison, from what its models were asked and said, and what came of it. */
export function comparisonFaults(scene: ComparisonScene, compared: Compared): string[] {
  const always = [...leftoverFaults(scene), ...orderFaults(scene), ...purseFaults(scene)];
  if ("thrown" in compared) return [...always, ...thrownFaults(scene, compared.thrown)];
  const { comparison } = compared;
  return [
    ...always,
    ...endFaults(scene, comparison),
    ...comparison.tasks.flatMap(({ tries }, task) =>
      tries.flatMap((each, index) => {
        const at = { task: task + 1, try: index + 1 };
        return [...sideFaults(scene, each, at), ...verdictFaults(scene, each, at)];
      }),
    ),
    ...judgingSpendFaults(scene, comparison.judging),
    ...figuresFaults(comparison),
  ];
}

/** Nothing goes on when it is over. */
function leftoverFaults({ leftovers }: ComparisonScene): string[] {
  return Object.entries(leftovers).flatMap(([what, count]) => (count > 0 ? [`${count} ${what} are left`] : []));
}

/** One thing follows the other, and nobody asks for another than what is being done. */
function orderFaults({ schedule, told, calls }: ComparisonScene): string[] {
  const doings = schedule.judge === "nobody" ? ["divided", "one"] : ["divided", "one", "judging"];
  const all = Array.from({ length: schedule.tasks }, (_, task) =>
    Array.from({ length: schedule.tries }, (__, number) => doings.map((doing) => `${doing} ${task + 1} ${number + 1}`)),
  ).flat(2);
  const said = told.map((progress) => `${progress.doing} ${progress.task} ${progress.try}`);
  const faults = said.every((one, index) => one === all[index]) ? [] : [`it says that it does ${said.join(", ")}`];
  for (const { n, way, during } of calls) if (way !== during?.doing) faults.push(`call ${n} is for ${way}, when ${during?.doing} is done`);
  return faults;
}

/** Only who cannot be paid is an error, and then nobody is asked. */
function thrownFaults({ schedule, calls }: ComparisonScene, thrown: unknown): string[] {
  if (schedule.judge !== "nobody can pay" || !(thrown instanceof DivvyError) || thrown.code !== "unknown_price") return [`it threw ${String(thrown)}`];
  return calls.length === 0 ? [] : ["its judge cannot be paid, and somebody was asked"];
}

/** It is whole, or says what ended it; who stopped it is heard at once. */
function endFaults({ schedule, told, calls, stoppedAt, leftBefore, endedAt }: ComparisonScene, { tasks, stopped }: Comparison): string[] {
  const faults: string[] = [];
  if (schedule.judge === "nobody can pay") faults.push("its judge cannot be paid, and it is carried out");
  const done = tasks.map(({ tries }) => tries.length);
  const wanted = Array.from({ length: schedule.tasks }, () => schedule.tries);
  const isWhole = done.join(" ") === wanted.join(" ");
  if (stopped === undefined && !isWhole) faults.push(`of ${wanted.join(", ")} tries there are ${done.join(", ")}, and it does not say why`);
  const begun = told.filter(({ doing }) => doing === "divided").length;
  const counted = done.reduce((sum, count) => sum + count, 0);
  if (counted > begun || counted < begun - 1) faults.push(`it has ${counted} tries, and began ${begun}`);
  if (stopped?.code === "aborted" && stoppedAt === undefined) faults.push("it says that it was stopped, and nobody stopped it");
  if (stopped?.code === "budget_exhausted" && schedule.budget === undefined && schedule.allowance === undefined)
    faults.push("it says that its budget is used up, and it has none");
  const last = tasks.flatMap(({ tries }) => tries).at(-1);
  for (const { judgeError } of tasks.flatMap(({ tries }) => tries)) {
    if (judgeError === undefined || !["authentication", "budget_exhausted"].includes(judgeError.code)) continue;
    if (judgeError !== last?.judgeError || stopped?.code !== judgeError.code) faults.push(`it goes on, though nobody can judge: ${judgeError.code}`);
  }
  if (stoppedAt === undefined) return faults;
  if (calls.length > leftBefore) faults.push(`${calls.length - leftBefore} calls left after it was stopped`);
  if (endedAt - stoppedAt > 1_000) faults.push(`it ended ${endedAt - stoppedAt} ms after it was stopped`);
  // In that very moment its budget may have been used up.
  const isBoth = stopped?.code === "budget_exhausted" && endedAt === stoppedAt;
  if (!isWhole && !isBoth && stopped?.code !== "aborted") faults.push(`it was stopped, and says ${stopped?.code}`);
  return faults;
}
