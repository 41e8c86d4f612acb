import { DivvyError, toDivvyError } from "../../errors.ts";
import { type Estimate, shownEstimate } from "../../estimate.ts";
import type { ApprovePlan, PlanDecision } from "../../options.ts";
import { editedPlan } from "../../plan/plan-decision.ts";
import type { DividedPlan } from "../../subtask.ts";
import { errorText } from "../writing/failure.ts";
import type { Terminal } from "../terminal.ts";
import { usageError } from "../flags/usage-error.ts";
import type { Display } from "../view/display.ts";
import { edited } from "./editor.ts";
import { planFile, planIn, withFault } from "./plan-file.ts";
import { PlanPrompts } from "./plan-prompts.ts";
import { planText } from "./plan-text.ts";

/** Where a plan that is asked about is shown, and how its run is stopped. */
export interface Asked {
  readonly display: Pick<Display, "pause" | "goOn">;
  readonly stop: () => void;
}

/** Whether somebody sits here who can be asked. */
export function canAsk({ world: { stdin }, err }: Pick<Terminal, "world" | "err">): boolean {
  return stdin.isTTY === true && err.isTerminal;
}

/**
 * @param hint what to do instead
 * @throws DivvyError `invalid_option` where nobody can be asked
 */
export function mustAsk(terminal: Pick<Terminal, "world" | "err">, hint: string): void {
  if (canAsk(terminal)) return;
  throw usageError("--approve asks at a terminal, and stdin or stderr is none.", hint);
}

/** Asks whoever sits at the terminal to approve plans. */
export class TerminalApproval {
  readonly #terminal: Terminal;
  readonly #maxSubtasks: number;
  readonly #asked: PromiseWithResolvers<Asked> = Promise.withResolvers();

  /** @param maxSubtasks of a plan that is edited */
  constructor(terminal: Terminal, maxSubtasks: number) {
    this.#terminal = terminal;
    this.#maxSubtasks = maxSubtasks;
  }

  /** The run is shown now. */
  shows(asked: Asked): void {
    this.#asked.resolve(asked);
  }

  readonly approve: ApprovePlan = async (plan, estimate, { signal }) => {
    const { display, stop } = await this.#asked.promise;
    await display.pause();
    const decision = await this.#decide(plan, estimate, signal);
    // Who leaves the question stops the run, which then waits for its answer until it is resumed.
    if (decision === undefined) stop();
    display.goOn();
    return decision ?? "reject";
  };

  async #decide(asked: DividedPlan, estimate: Estimate, signal: AbortSignal): Promise<PlanDecision | undefined> {
    const prompts = new PlanPrompts(await import("@clack/prompts"), this.#terminal, signal);
    let plan = asked;
    await this.#show(plan, shownEstimate(estimate));
    for (;;) {
      const choice = await prompts.choice();
      if (choice === undefined) {
        if (plan !== asked) await this.#terminal.err.write("What was edited is not kept; the plan will be asked about as it was written.\n");
        return undefined;
      }
      if (choice === "accept") return plan;
      if (choice === "reject") return "reject";
      if (choice === "another") {
        const feedback = await prompts.remark(plan !== asked);
        if (feedback !== undefined) return { feedback };
        continue;
      }
      const before = plan;
      try {
        plan = (choice === "edit" ? await this.#edited(plan) : await this.#checked(prompts.changed(choice, plan))) ?? plan;
      } catch (thrown) {
        await this.#terminal.err.write(errorText(toDivvyError(thrown).toJSON(), this.#terminal));
      }
      if (signal.aborted) return undefined;
      if (plan !== before) await this.#show(plan, `edited; unedited ${shownEstimate(estimate)}`);
    }
  }

  async #show(plan: DividedPlan, costs: string): Promise<void> {
    await this.#terminal.err.write(`\n${planText(plan, costs, this.#terminal)}\n`);
  }

  async #checked(changing: Promise<DividedPlan | undefined>): Promise<DividedPlan | undefined> {
    const plan = await changing;
    if (plan === undefined) return undefined;
    // One that was added has no id yet.
    const subtasks = plan.subtasks.map(({ id, ...subtask }) => ({ ...subtask, ...(id !== "" && { id }) }));
    return editedPlan({ ...plan, subtasks }, this.#maxSubtasks);
  }

  /** What an editor makes of a text. Its Ctrl-C is its own. */
  async #written(text: string): Promise<string> {
    this.#terminal.isLent = true;
    try {
      return await edited(text, this.#terminal.world.env);
    } finally {
      this.#terminal.isLent = false;
    }
  }

  /** As often as it takes; an editor that leaves what is wrong as it is has given up. */
  async #edited(plan: DividedPlan): Promise<DividedPlan | undefined> {
    let file = planFile(plan);
    for (;;) {
      const written = await this.#written(file);
      if (written === file && file === planFile(plan)) return undefined;
      try {
        return planIn(written, this.#maxSubtasks);
      } catch (thrown) {
        const { message, hint } = toDivvyError(thrown);
        if (written === file) throw new DivvyError("invalid_plan", message, { hint: "The plan stays as it was.", cause: thrown });
        file = withFault(written, `${message} ${hint}`);
      }
    }
  }
}
