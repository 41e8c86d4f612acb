import { initialRunState, type RunState, type SubtaskState } from "../../run-state.ts";
import { shownBound } from "../flags/budget-flags.ts";
import type { TryVerdict } from "../../evaluation/verdict.ts";
import type { RejectedTry } from "../../output/rejected-try.ts";
import { beginning, oneLine } from "../writing/clean-text.ts";
import type { Terminal } from "../terminal.ts";
import type { Display } from "./display.ts";
import { runView } from "./run-view.ts";
import { ThrottlingWaves } from "./throttling.ts";
import { TokenMeter } from "./token-meter.ts";
import { chosenTry, isHeldUp, ofHundred, reductionOf, workerLine } from "./worker-line.ts";

/** Of what a judge says, in characters: all of it stands in the outcome. */
const shownReasons = 200;

/** The run as lines on stderr, one for each thing that happens: for logs, pipes and terminals that can only print. */
export class PlainDisplay implements Display {
  readonly #terminal: Pick<Terminal, "err" | "world">;
  readonly #since: number | undefined;
  readonly #meter = new TokenMeter();
  readonly #waves = new ThrottlingWaves();
  #state: RunState = initialRunState;
  /** What was said of the plan. */
  #analysis = "";

  /** @param since when what is shown began, where that was not the run's own beginning; epoch milliseconds */
  constructor(terminal: Pick<Terminal, "err" | "world">, since?: number) {
    this.#terminal = terminal;
    this.#since = since;
  }

  update(before: RunState, state: RunState): void {
    this.#state = state;
    if (state.budget !== undefined && before.budget !== state.budget && state.outcome === undefined) this.note(shownBound(state.budget));
    if (before.throttled !== state.throttled && state.throttled !== undefined) {
      const line = this.#waves.lineFor(state.throttled, state.at ?? this.#now);
      if (line !== undefined) this.note(line);
    }
    if (before.round !== state.round) this.note(`plan: round ${state.round}, ${state.plan.model ?? "the orchestrator"} looks at the results`);
    if (before.plan !== state.plan) this.#tellPlan(before, state);
    if (before.subtasks !== state.subtasks) for (const [index, worker] of state.subtasks.entries()) this.#tellWorker(before.subtasks[index], worker);
    if (before.phase !== "answering" && state.answer.status === "queued") this.note(`answer: ${state.answer.model ?? ""} joins the results`);
    if (before.reduction !== state.reduction && state.reduction !== undefined) this.note(`answer: ${reductionOf(state) ?? "its results are shortened"}`);
    if (before.answer.rejected !== state.answer.rejected) this.#tellRejected("answer", state.answer.rejected);
    if (before.answer.verdict !== state.answer.verdict) this.#tellVerdict("answer", state.answer.verdict);
    if (before.answer.status !== "retrying" && state.answer.status === "retrying") this.note(`answer: tries again: ${state.answer.error?.message ?? ""}`);
    if (before.chosen !== state.chosen) this.note(`answer: ${this.#view().chosen}`);
  }

  note(text: string): void {
    void this.#terminal.err.write(`${oneLine(text)}\n`);
  }

  /** Lines that come meanwhile stand between the others'; there are hardly any, since the run waits. */
  async pause(): Promise<void> {
    await this.#terminal.err.write("");
  }

  goOn(): void {}

  async close(): Promise<void> {
    if (this.#state.startedAt !== undefined) this.note(this.#view().totals);
    await this.#terminal.err.write("");
  }

  #tellPlan(before: RunState, state: RunState): void {
    const { plan } = state;
    if (before.plan.reused !== plan.reused && plan.reused !== undefined) this.note(`plan: ${this.#view().reused}`);
    // Of a run that is gone on with the plan may be there already.
    if (before.plan.model === undefined && plan.model !== undefined && plan.status !== "done" && plan.status !== "failed")
      this.note(`plan: ${plan.model} is asked`);
    if (before.plan.status === plan.status || (plan.status !== "done" && plan.status !== "failed" && plan.status !== "retrying")) return;
    this.note(`plan: ${this.#view().plan.detail}`);
    // A further round has none of its own.
    if (plan.analysis !== "" && plan.analysis !== this.#analysis) this.note(`plan: ${plan.analysis}`);
    this.#analysis = plan.analysis;
  }

  #tellRejected(id: string, rejected: RejectedTry | undefined): void {
    if (rejected === undefined) return;
    this.note(`${id}: reply ${rejected.try} does not have its form: ${beginning(rejected.issues.join("; "), shownReasons)}`);
  }

  #tellVerdict(id: string, verdict: TryVerdict | undefined): void {
    if (verdict === undefined) return;
    this.note(
      `${id}: try ${verdict.try} is judged ${ofHundred(verdict.score)}${verdict.passed ? "" : ", which falls short"}: ${beginning(verdict.reasons, shownReasons)}`,
    );
  }

  #tellWorker(before: SubtaskState | undefined, worker: SubtaskState): void {
    const { chosen } = worker;
    if (chosen !== undefined && before?.chosen === undefined)
      this.note(`${worker.subtask.id}: ${chosenTry(chosen)}: ${beginning(chosen.reason, shownReasons)}`);
    if (before?.rejected !== worker.rejected) this.#tellRejected(worker.subtask.id, worker.rejected);
    if (before?.verdict !== worker.verdict) this.#tellVerdict(worker.subtask.id, worker.verdict);
    // An attempt's failure comes before its subtask's: the second has an end.
    if (before === worker || (before?.status === worker.status && before.endedAt === worker.endedAt)) return;
    const { id, status, detail, tokens, tries, time, cost } = workerLine(worker, {
      state: this.#state,
      now: this.#now,
      since: this.#since,
      meter: this.#meter,
    });
    switch (status) {
      case "waiting":
        return this.note(isHeldUp(worker, this.#state) ? `${id}: planned, ${detail}` : `${id}: planned`);
      case "queued":
        // Of one that was sent back, its model's line says why.
        return undefined;
      case "running":
        return before?.status === "queued" && before.startedAt === undefined ? this.note(`${id}: started`) : undefined;
      case "retrying":
        return this.note(`${id}: ${detail}`);
      case "done":
        return this.note(
          `${id}: done${[tokens, tries, time, cost]
            .filter(Boolean)
            .map((figure) => `, ${figure}`)
            .join("")}`,
        );
      case "failed":
        return worker.endedAt === undefined ? undefined : this.note(`${id}: failed: ${detail}`);
      case "skipped":
        return this.note(`${id}: ${detail}`);
    }
  }

  get #now(): number {
    return this.#terminal.world.runtime.clock.now();
  }

  #view(): ReturnType<typeof runView> {
    return runView({ state: this.#state, now: this.#now, since: this.#since, meter: this.#meter }, Number.POSITIVE_INFINITY);
  }
}
