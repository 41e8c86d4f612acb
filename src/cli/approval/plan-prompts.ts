import type { PromptStreams } from "../input/prompted.ts";
import { prompted } from "../input/prompted.ts";
import { beginning, oneLine } from "../writing/clean-text.ts";
import type { Terminal } from "../terminal.ts";
import { withDependencies, withoutSubtask, withSubtask, withType } from "../../plan/edit-plan.ts";
import type { DividedPlan } from "../../subtask.ts";

export const choices = ["accept", "edit", "add", "remove", "type", "after", "another", "reject"] as const;
export type Choice = (typeof choices)[number];

const labels: Readonly<Record<Choice, string>> = {
  accept: "Carry it out",
  edit: "Edit it in an editor",
  add: "Add a subtask",
  remove: "Remove a subtask",
  type: "Change the type of a subtask",
  after: "Change what a subtask waits for",
  another: "Have another plan written, with a remark",
  reject: "Reject it: nothing is carried out",
};

/** The questions that are asked of a plan. Each answers with nothing where it was left. */
export class PlanPrompts {
  readonly #clack: typeof import("@clack/prompts");
  readonly #ask: <Answer>(ask: (streams: PromptStreams) => Promise<Answer>) => Promise<Exclude<Answer, symbol> | undefined>;

  constructor(clack: typeof import("@clack/prompts"), terminal: Pick<Terminal, "world">, signal: AbortSignal) {
    this.#clack = clack;
    this.#ask = (ask) => prompted(terminal, signal, ask);
  }

  async choice(): Promise<Choice | undefined> {
    const options = choices.map((value) => ({ value, label: labels[value] }));
    return await this.#ask((streams) =>
      this.#clack.select<Choice>({ ...streams, message: "What shall become of this plan?", options, maxItems: choices.length }),
    );
  }

  /** @param isEdited whether what was edited would be lost: who writes the next plan is shown its own */
  async remark(isEdited: boolean): Promise<string | undefined> {
    const message = `What shall be otherwise?${isEdited ? " (what you edited is not shown to it, and not kept)" : ""}`;
    return await this.#words(message, "Say what you want of the next plan.");
  }

  /** The plan with the change that was chosen. */
  async changed(choice: "add" | "remove" | "type" | "after", plan: DividedPlan): Promise<DividedPlan | undefined> {
    return choice === "add" ? await this.#added(plan) : await this.#changedOne(choice, plan);
  }

  async #added(plan: DividedPlan): Promise<DividedPlan | undefined> {
    const description = await this.#words("What shall its worker do?", "A worker sees the request, its context and this description: it needs one.");
    if (description === undefined) return undefined;
    const type = await this.#words("Of which type is it?", "In a word or two.", "default");
    if (type === undefined) return undefined;
    const dependsOn = await this.#several(plan, [], undefined);
    return dependsOn && withSubtask(plan, { type, description, dependsOn });
  }

  async #changedOne(choice: "remove" | "type" | "after", plan: DividedPlan): Promise<DividedPlan | undefined> {
    const options = plan.subtasks.map(({ id, description }) => ({ value: id, label: oneLine(id), hint: beginning(description, 60) }));
    const id = await this.#ask((streams) => this.#clack.select<string>({ ...streams, message: "Which one?", options }));
    const subtask = plan.subtasks.find((one) => one.id === id);
    if (subtask === undefined) return undefined;
    switch (choice) {
      case "remove":
        return withoutSubtask(plan, subtask.id);
      case "type": {
        const type = await this.#words("Of which type is it?", "In a word or two.", oneLine(subtask.type));
        return type === undefined ? undefined : withType(plan, subtask.id, type);
      }
      case "after": {
        const dependsOn = await this.#several(plan, subtask.dependsOn, subtask.id);
        return dependsOn && withDependencies(plan, subtask.id, dependsOn);
      }
    }
  }

  /** What one waits for, of all others. */
  async #several({ subtasks }: DividedPlan, initialValues: readonly string[], self: string | undefined): Promise<readonly string[] | undefined> {
    const options = subtasks.flatMap(({ id }) => (id === self ? [] : [{ value: id, label: oneLine(id) }]));
    if (options.length === 0) return [];
    return await this.#ask((streams) =>
      this.#clack.multiselect<string>({
        ...streams,
        message: "Whose results does it need? (space marks, enter ends)",
        options,
        initialValues: [...initialValues],
        required: false,
      }),
    );
  }

  async #words(message: string, wanted: string, initialValue = ""): Promise<string | undefined> {
    const answer = await this.#ask((streams) =>
      this.#clack.text({ ...streams, message, initialValue, validate: (value) => (value?.trim() ? undefined : wanted) }),
    );
    return answer?.trim();
  }
}
