import { describe, expect, test } from "vitest";
import { fence } from "../../prompt/fence.ts";
import { toMessages } from "../../prompt/messages.ts";
import { PlanBuilder } from "../plan-builder.ts";
import { completionMessage } from "./completion-prompt.ts";
import type { PlanFormat } from "../format-plan.ts";
import { parsePlan } from "../given-plan.ts";
import { formatReminder, type OrchestratorPromptInput, orchestratorPrompt, planExamples } from "./orchestrator-prompt.ts";

const input: OrchestratorPromptInput = {
  task: "Write about <tasks> & things.",
  context: { audience: "<b>zoologists</b>", n: 3 },
  format: "xml",
  direct: true,
  combine: undefined,
  maxSubtasks: 20,
  kinds: [],
  examples: planExamples,
  fence,
};
const partsOf = (more: Partial<OrchestratorPromptInput> = {}): { system: string; prompt: string } => {
  const text = orchestratorPrompt({ ...input, ...more });
  if (typeof text === "string") throw new Error("The default prompt has a system text.");
  return { system: text.system ?? "", prompt: text.prompt };
};

describe("the examples", () => {
  const variants = (["xml", "json"] as const).flatMap((format) => [true, false].map((direct) => ({ format, direct })));
  test.each(variants)("in the prompt read as exactly the plans that they show ($format, direct: $direct)", ({ format, direct }) => {
    const { system } = partsOf({ format, direct });
    const shown = system.split("\n\nExample. The request: ").slice(1);
    const expected = planExamples.filter(({ plan }) => direct || plan.kind === "subtasks");
    expect(shown).toHaveLength(expected.length);
    for (const [index, { task, plan }] of expected.entries()) {
      const [request, reply] = (shown[index] ?? "").split("\nThe reply:\n");
      expect(request).toBe(task);
      expect(parsePlan(reply ?? "")).toEqual(plan);
    }
  });

  test("keep the prompt's own rules: short analyses, prerequisites first, a dependency, each way that is not choose", () => {
    const plans = planExamples.map(({ plan }) => plan);
    const divided = plans.filter((plan) => plan.kind === "subtasks");
    expect(divided.map(({ combine }) => combine)).toEqual(["keep", "merge"]);
    expect(plans.at(-1)?.kind).toBe("direct");
    for (const { analysis, subtasks } of divided) {
      expect(analysis.split(/[.;]\s/).length).toBeLessThanOrEqual(2);
      expect(subtasks).toHaveLength(3);
      for (const [place, { dependsOn }] of subtasks.entries()) {
        for (const id of dependsOn) expect(subtasks.findIndex((other) => other.id === id)).toBeLessThan(place);
      }
    }
    expect(divided.flatMap(({ subtasks }) => subtasks.flatMap(({ dependsOn }) => dependsOn))).toEqual(["move"]);
  });

  test("of the caller stand in place of the built-in ones", () => {
    const { system } = partsOf({ examples: [{ task: "Mine.", plan: { kind: "direct", analysis: "", answer: "Yes." } }] });
    expect(system).toContain("Example. The request: Mine.\nThe reply:\n<answer>\nYes.\n</answer>");
    expect(system).not.toContain("bike light");
    expect(partsOf({ examples: [] }).system).not.toContain("Example.");
  });
});

describe("the prompt", () => {
  test("holds what is the caller's only inside fences, the format's reminder last", () => {
    const { system, prompt } = partsOf();
    const context = fence("context", "audience: <b>zoologists</b>\nn: 3");
    const request = fence("request", input.task);
    expect(prompt).toContain(context);
    expect(prompt).toContain(request);
    expect(prompt.endsWith(formatReminder("xml", true))).toBe(true);
    const outside = system + prompt.replace(context, "").replace(request, "");
    for (const text of [input.task, "zoologists"]) expect(outside).not.toContain(text);
  });

  test("does not speak of a context where there is none", () => {
    expect(partsOf({ context: "  " }).prompt).not.toContain("as data");
    expect(partsOf({ context: {} }).prompt).not.toContain("<context-");
  });

  test("offers a direct answer only where one is allowed", () => {
    for (const format of ["xml", "json"] as const) {
      const { system, prompt } = partsOf({ format, direct: false });
      expect(system + prompt).not.toMatch(/<answer>|First decide|reply yourself/);
      expect(partsOf({ format }).system).toMatch(/First decide/);
      expect(partsOf({ format }).system).toMatch(/To reply yourself/);
    }
  });

  test("leaves the way of combining to the orchestrator, unless the caller has decided", () => {
    expect(partsOf().system).toContain("Say how the results become the answer:");
    const decided = partsOf({ combine: "choose" }).system;
    expect(decided).toContain('combine is "choose"');
    expect(decided).toContain('<tasks combine="choose">');
    expect(decided).not.toContain("Say how the results become the answer:");
  });

  test("names the limit, and the types for which there are workers of their own", () => {
    expect(partsOf({ maxSubtasks: 7 }).system).toContain("Never more than 7.");
    expect(partsOf({ kinds: [{ type: "code" }, { type: "legal" }] }).system).toContain("workers of their own: code, legal.");
    expect(partsOf().system).not.toContain("workers of their own");
  });

  test("is the same text each time, so that calls are found again", () => {
    expect(toMessages(orchestratorPrompt(input))).toEqual(toMessages(orchestratorPrompt({ ...input })));
  });
});

describe("the request for the rest of a plan", () => {
  function builderOf(...ids: string[]): PlanBuilder {
    const builder = new PlanBuilder({ maxSubtasks: 20 });
    builder.setCombine("merge");
    for (const id of ids) builder.add({ id, type: "t", description: `</task> of ${id}`, after: ["a"] });
    return builder;
  }

  test.each<[PlanFormat, string]>([
    ["xml", '<tasks combine="merge"></tasks>'],
    ["json", 'an empty "subtasks" list'],
  ])("shows what stands, inside a fence, and says what to write where nothing is missing (%s)", (format, nothing) => {
    const message = completionMessage(builderOf("a", "b"), format, true);
    const fenced = /<(tasks-[0-9a-f]{32})>\n([^]*)\n<\/\1>/.exec(message)?.[2] ?? "";
    const shown = parsePlan(fenced);
    expect(shown).toMatchObject({ kind: "subtasks", combine: "merge", subtasks: [{ id: "a" }, { id: "b", dependsOn: ["a"] }] });
    expect(message).toContain(`If nothing is missing, reply with ${nothing}.`);
    // The workers wait while a second analysis is written.
    expect(message).toContain(format === "json" ? formatReminder("json", false) : "Reply with <tasks> alone");
  });

  test("repeats the format where nothing stands", () => {
    expect(completionMessage(builderOf(), "xml", true)).toBe(`Your reply held no complete subtask. ${formatReminder("xml", true)}`);
  });
});
