import { asLogged, type Outcome } from "../../src/outcome.ts";
import { reduce } from "../../src/reduce.ts";
import { initialRunState, type RunState } from "../../src/run-state.ts";
import { budgetFaults } from "./budget-invariants.ts";
import { bookingFaults, reportedFaults } from "./booking-invariants.ts";
import { callFaults } from "./call-invariants.ts";
import { chance } from "./chance.ts";
import { areOver, die, lookAt } from "./lives.ts";
import { logFaults } from "./log-invariants.ts";
import { codeType } from "./code.ts";
import { healedFaults, leftoverFaults, rerunFaults } from "./ending-invariants.ts";
import { alike } from "./outcome-invariants.ts";
import { calmLife } from "./schedule.ts";
import type { Scene } from "./scene.ts";
import { warmingFaults } from "./warming-invariants.ts";
import type { WatchedRun } from "./watched-run.ts";

/** When all lives are over: what is left of them, what their logs say, and what becomes of the runs now. */
export async function lookBack(scene: Scene): Promise<void> {
  await endLeftovers(scene);
  for (const { runId, isLost } of scene.runs) {
    const outcome = scene.outcomesOf(runId).at(-1);
    // Of a lost one, its first process may have gone on to make something after all, and nobody came to heal it.
    const isShort = !scene.schedule.areRaised && scene.outcomesOf(runId).some((one) => "error" in one && one.error.code === "budget_exhausted");
    if (!isLost) scene.add(runId, outcome === undefined ? ["it never came to an end"] : healedFaults(outcome, isShort));
    if (!isLost && outcome !== undefined) scene.add(runId, await recordFaults(scene, runId, outcome));
    checkLog(scene, runId);
  }
  const { schedule, store, asked, lives } = scene;
  // Two that are about at the same time, sharing what they paid for, may both have asked before either had an answer.
  const mayMeet = schedule.shared && lives.some(({ isLeft, process }) => isLeft || process.plan.rival);
  // One that stood still sees that its lease has ended before it sends anything.
  const unknowing = lives.filter(({ isLeft, process }) => isLeft && process.frozenUntil === 0).map(({ process }) => process);
  if (!mayMeet) scene.faults.push(...callFaults(schedule, store, asked, unknowing));
  scene.faults.push(...reportedFaults(scene, scene.announced), ...warmingFaults(scene));
  await resumeWhatIsOk(scene);
  if (schedule.rerun) await rerun(scene);
}

/** Those who were taken over go on until they have noticed; then nothing of anybody may be left. */
async function endLeftovers(scene: Scene): Promise<void> {
  const { timeline, runs } = scene;
  const alive = scene.lives.filter(({ process }) => !process.isDead);
  await timeline.pass(() => areOver(scene, alive), "those that were taken over");
  for (const { failure } of alive) if (failure !== undefined) throw failure.thrown;
  for (const watched of scene.watchedIn(alive)) {
    const { run, outcome, isChecked } = watched;
    const isLost = runs.some((one) => one.runId === run.runId && one.isLost);
    if (watched.listeners > 0) scene.add(run.runId, [`${watched.listeners} listeners are left on its signal`]);
    if (!isChecked && !isLost && outcome !== undefined)
      scene.add(run.runId, [...leftoverFaults(asLogged(outcome), scene.outcomesOf(run.runId)), ...watched.oddities]);
    scene.add(run.runId, await lateReaderFaults(watched, scene));
  }
  // A model that does not listen is left when it answers; who was asked whether a plan will do, when that is decided.
  const isAsked = scene.schedule.planCache === "hit" || scene.schedule.planCache === "refused";
  if (scene.schedule.areDeaf || isAsked) await timeline.passFor(60_000);
  for (const { process } of alive) {
    if (process.isDead) continue;
    const timers = timeline.pendingOf(process);
    if (timers > 0) scene.faults.push(`process ${process.pid}: ${timers} timers are left`);
    if (process.inFlight > 0) scene.faults.push(`process ${process.pid}: ${process.inFlight} calls are left`);
  }
}

/** Who reads when all is over reads the same. */
async function lateReaderFaults({ run, outcome, state, process }: WatchedRun, scene: Scene): Promise<string[]> {
  if (outcome === undefined) return [];
  const faults: string[] = [];
  const text = (await scene.within(Array.fromAsync(run.textStream), "a text that is over")).join("");
  if ("text" in outcome && text !== outcome.text) faults.push(`read late, its text is ${JSON.stringify(text)}`);
  const events = await scene.within(Array.fromAsync(run.events), "events that are over");
  const late = shown(events.reduce(reduce, initialRunState));
  if (process.plan.readsEvents && !alike(late, shown(state))) faults.push("read late, its events tell something else");
  return faults;
}

/** What events come to, whoever reads them, and when. */
function shown({ subtasks, plan, answer, calls, usage, cost, notices, chosen, outcome }: RunState): unknown {
  const tasks = subtasks.map(({ subtask, status, skipped, because, usage: used, error, text }) => ({ subtask, status, skipped, because, used, error, text }));
  return { tasks, plan: { ...plan, text: "", textAttempt: 0 }, answer: answer.status, calls, usage, cost, notices, chosen, outcome };
}

function checkLog(scene: Scene, runId: string): void {
  const log = scene.store.logs.get(runId) ?? [];
  scene.add(runId, [
    ...logFaults(log, scene.schedule),
    ...bookingFaults(log, scene.schedule),
    ...budgetFaults(log, scene.schedule, (pid) => scene.namedBudget(pid, runId)),
  ]);
}

/** A run that is done gives its outcome again, and that is all. */
async function resumeWhatIsOk(scene: Scene): Promise<void> {
  for (const { runId } of [...scene.runs]) {
    const outcome = scene.outcomesOf(runId).at(-1);
    if (outcome?.status !== "ok") continue;
    const [calls, facts] = [scene.asked.length, scene.store.factsOf(runId).length];
    const { process } = scene.begin(calmLife);
    const again = await scene.within(process.orchestrator.resume(runId), "a run that is done");
    if (!alike(asLogged(await scene.within(again.outcome, "an outcome that is there")), outcome))
      scene.add(runId, ["resumed when it was ok, it has another outcome"]);
    if (scene.asked.length !== calls) scene.add(runId, ["resumed when it was ok, it made calls"]);
    if (scene.store.factsOf(runId).length !== facts) scene.add(runId, ["resumed when it was ok, it wrote to its log"]);
  }
}

/** One subtask of a run that is done is done anew, over a crash as it may be. */
async function rerun(scene: Scene): Promise<void> {
  const [undertaking] = scene.runs;
  const outcome = undertaking && scene.outcomesOf(undertaking.runId).at(-1);
  if (undertaking === undefined || outcome?.status !== "ok" || outcome.results.length === 0) return;
  const { happens, magnitude, of } = chance(scene.schedule.seed, "rerun");
  // What code makes is the same each time.
  const changing = outcome.results.filter(({ type }) => scene.schedule.code === "no" || type !== codeType);
  if (changing.length === 0) return;
  const { id } = of(changing);
  const { process } = scene.begin(calmLife);
  if (happens(0.5)) process.at({ on: "ask", what: "commit", n: magnitude(1, 15), done: happens(0.5) }, () => die(scene, process));
  const run = await scene.within(process.orchestrator.rerun(undertaking.runId, { subtask: id }), "a run that does one subtask anew");
  scene.runs.push({ runId: run.runId, isLost: false });
  const watched = scene.watch(run, process, new AbortController());
  await scene.timeline.pass(() => process.isDead || watched.isOver, "one subtask anew");
  if (process.isDead) scene.incidents.add("run: rerun killed");
  const last = process.isDead ? await resumed(scene, run.runId) : watched;
  if (last === undefined) return;
  lookAt(scene, last);
  checkLog(scene, run.runId);
  scene.add(run.runId, rerunFaults(outcome, last.outcome && asLogged(last.outcome), id));
}

/** The run, gone on with; nothing where nothing of it was kept. */
async function resumed(scene: Scene, runId: string): Promise<WatchedRun | undefined> {
  if (scene.store.factsOf(runId).length === 0) return undefined;
  const { process } = scene.begin(calmLife);
  const watched = scene.watch(await scene.within(process.orchestrator.resume(runId), "a run that did one subtask anew"), process, new AbortController());
  await scene.timeline.pass(() => watched.isOver, "one subtask anew, gone on with");
  return watched;
}

/** The line that lists of runs show says the same. */
async function recordFaults({ store }: Scene, runId: string, { status, calls, usage, cost }: Outcome): Promise<string[]> {
  const record = await store.readRun(runId);
  const said = { status: record?.status, calls: record?.calls, tokens: record?.tokens, cost: record?.cost?.toFixed(9) };
  return alike(said, { status, calls, tokens: usage.totalTokens, cost: cost?.toFixed(9) }) ? [] : [`its record says ${JSON.stringify(said)}`];
}
