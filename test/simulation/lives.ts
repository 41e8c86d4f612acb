import { DivvyError } from "../../src/errors.ts";
import { standingOf } from "./budget-invariants.ts";
import { chance } from "./chance.ts";
import { namedTotal } from "./drawn-budgets.ts";
import { outcomeFaults } from "./outcome-invariants.ts";
import { givenPlan } from "./plan-text.ts";
import { calmLife, type LifePlan } from "./schedule.ts";
import type { Life, Scene, Undertaking } from "./scene.ts";
import type { SimProcess } from "./sim-process.ts";
import type { WatchedRun } from "./watched-run.ts";

/** One process carries out what is to be done, until it has done so, dies, or is taken over. */
export async function lifeOf(scene: Scene, plan: LifePlan): Promise<void> {
  const life = scene.begin(plan);
  setFate(scene, life);
  const lives = [life];
  if (scene.runs.length === 0) startRuns(scene, life);
  else {
    const { left } = scene;
    if (plan.rival) lives.unshift(scene.begin({ ...calmLife, rival: true, ledgerMs: plan.ledgerMs }));
    for (const each of lives) for (const undertaking of left) goOnWith(scene, each, undertaking);
  }
  await scene.timeline.pass(() => life.process.isDead || life.isLeft || areOver(scene, lives), "the runs of a life");
  for (const { failure } of lives) if (failure !== undefined) throw failure.thrown;
  for (const watched of scene.watchedIn(lives)) if (!watched.process.isDead) lookAt(scene, watched);
}

/** Has everything in these lives come to an end? */
export function areOver(scene: Scene, lives: readonly Life[]): boolean {
  return lives.every(({ pending, failure }) => failure !== undefined || pending.size === 0) && scene.watchedIn(lives).every(({ isOver }) => isOver);
}

/** A run has ended in a process that lives, and nobody has gone on with it. */
export function lookAt(scene: Scene, watched: WatchedRun): void {
  const { outcome, run, process } = watched;
  if (outcome === undefined) return;
  watched.isChecked = true;
  scene.say(process.pid, `${run.runId} ended: ${outcome.status}`);
  scene.add(run.runId, [...outcomeFaults(watched, outcome, scene), ...watched.oddities]);
}

/** @param unseen others must wait for its leases to end */
export function die(scene: Scene, process: SimProcess, unseen = false): void {
  process.isDead = true;
  process.isGone = true;
  if (!unseen) scene.knownDead.add(process.pid);
  scene.befalls("crash", process);
  scene.say(process.pid, "dies");
}

/** What will happen to a process. */
function setFate(scene: Scene, life: Life): void {
  const { process, controllers } = life;
  const { crash, abort, takenOver, diesUnseen } = process.plan;
  const { timeline, knownDead } = scene;
  if (crash !== undefined) {
    process.at(crash, () => die(scene, process, diesUnseen));
  }
  if (abort !== undefined) {
    const stop = (): void => {
      if (process.isDead) return;
      scene.say(process.pid, "is told to stop");
      scene.befalls("abort", process);
      scene.incidents.add(`abort: ${abort.bySignal ? "by the signal" : "by abort()"}`);
      if (abort.bySignal && abort.all && life.pending.size > 0) scene.incidents.add("abort: while it is taken on");
      const mine = scene.watchedIn([life]);
      for (const watched of abort.all ? mine : mine.slice(0, 1)) watched.abort(abort.bySignal, timeline.now);
      // Who is not back from `resume` yet is stopped by the signal alone.
      if (abort.bySignal && abort.all) for (const controller of controllers) controller.abort();
    };
    process.at(abort.at, () => queueMicrotask(stop));
  }
  if (takenOver !== undefined) {
    process.at(takenOver.at, () => {
      life.isLeft = true;
      process.isGone = true;
      scene.incidents.add(`takeover: ${takenOver.frozen ? "stands still" : "taken for dead"}`);
      if (takenOver.frozen) process.frozenUntil = timeline.now + 45_000;
      else knownDead.add(process.pid);
      scene.say(process.pid, takenOver.frozen ? "stands still" : "is taken for dead");
    });
  }
}

function startRuns(scene: Scene, { process, controllers }: Life): void {
  const { schedule, runs } = scene;
  for (let i = 0; i < schedule.runs; i++) {
    const controller = new AbortController();
    controllers.push(controller);
    const task = schedule.shared ? "The task of all." : `Task ${i}.`;
    const plan = schedule.isGiven ? { plan: givenPlan(schedule, chance(schedule.seed, "given")) } : {};
    const budget = schedule.budgets[i];
    const run = process.orchestrator.start(task, "", { signal: controller.signal, ...plan, ...concurrencyIn(process.plan), ...(budget && { budget }) });
    scene.nameBudget(process, run.runId, budget);
    runs.push({ runId: run.runId, isLost: false });
    scene.watch(run, process, controller);
  }
}

function concurrencyIn({ concurrency }: LifePlan): { readonly concurrency?: number } {
  return concurrency === undefined ? {} : { concurrency };
}

function goOnWith(scene: Scene, life: Life, undertaking: Undertaking): void {
  life.pending.add(undertaking);
  resume(scene, life, undertaking).then(
    () => life.pending.delete(undertaking),
    (thrown: unknown) => {
      life.failure = { thrown };
    },
  );
}

/** A run that another may have is asked for again, until that one is done or its lease has ended. */
async function resume(scene: Scene, life: Life, undertaking: Undertaking): Promise<void> {
  const { process, controllers } = life;
  const { runId } = undertaking;
  const controller = new AbortController();
  controllers.push(controller);
  let acceptChanges = false;
  for (let tries = 0; tries < 200; tries++) {
    try {
      const log = standingOf(scene.store.factsOf(runId));
      const budget = namedTotal(process.plan.newTotal, log.budget, log.spent);
      scene.nameBudget(process, runId, budget);
      const run = await process.orchestrator.resume(runId, {
        signal: controller.signal,
        acceptChanges,
        ...concurrencyIn(process.plan),
        ...(budget && { budget }),
      });
      scene.watch(run, process, controller);
      return;
    } catch (thrown) {
      const code = thrown instanceof DivvyError ? thrown.code : "internal";
      scene.say(process.pid, `cannot resume ${runId}: ${String(thrown)}`);
      if (code === "run_drifted") scene.incidents.add("run: drifted");
      if (code === "run_held" && scene.lives.some((other) => other.process.isDead && !scene.knownDead.has(other.process.pid)))
        scene.incidents.add("crash: with a lease to wait for");
      // Stopped before it was taken on: whoever comes next has it.
      if (code === "aborted" && controller.signal.aborted) return;
      // The one that took over may have it.
      if (life.isLeft) return;
      if (code === "run_not_found" && scene.store.factsOf(runId).length === 0) {
        undertaking.isLost = true;
        return;
      }
      if (code === "run_drifted" && process.plan.drifts) acceptChanges = true;
      // Where one that stood still goes on in the same moment, a run that was not there may be there now.
      else if (code === "run_not_found" || (code === "run_held" && mayBeHeld(scene, runId, life))) {
        await new Promise<void>((goOn) => scene.timeline.after(4_000, goOn, process));
      } else throw thrown;
    }
  }
  throw new Error(`${runId} was held for ever.`);
}

/** Has somebody the run who is not known to be dead? One who has it at the same time as another may have ended when the answer comes. */
function mayBeHeld({ lives, knownDead, watched }: Scene, runId: string, asker: Life): boolean {
  return lives.some(({ process }) => {
    if (process.isDead) return !knownDead.has(process.pid);
    if (process.plan.rival || process.isGone) return true;
    return process !== asker.process && !watched.some((one) => one.process === process && one.run.runId === runId && one.outcome !== undefined);
  });
}
