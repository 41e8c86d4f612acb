import { expect, test } from "vitest";
import { FlexibleOrchestrator } from "../../index.ts";
import { scriptedModel } from "../../testing/index.ts";

const words = (count: number): string => Array.from({ length: count }, (_, index) => `word${index % 10}`).join(" ");

test("whatever is done of a run can be read by its answer: with the plan's analysis, what was asked for, and why the rest is missing", async () => {
  const task = (index: number): string =>
    `<task id="part-${index}"><type>some sort of text</type><description>Do part ${index}. ${words(60)}</description></task>`;
  const model = scriptedModel([
    {
      when: "You are the orchestrator",
      reply: `<analysis>${words(150)}</analysis><tasks combine="merge">${Array.from({ length: 12 }, (_, i) => task(i)).join("")}</tasks>`,
    },
    { when: "Several workers each", reply: "The joined answer." },
    { when: "one subtask", reply: words(30) },
  ]);
  const modes = new Map<string, number>();
  for (let tokens = 6_000; tokens < 16_000; tokens += 37) {
    const orchestrator = new FlexibleOrchestrator({
      orchestrator: { model, maxOutputTokens: 2_000 },
      worker: { model, maxOutputTokens: 70, prompt: ({ description }) => ({ prompt: `one subtask: ${description.slice(0, 10)}` }) },
      synthesizer: { model, maxOutputTokens: 700 },
    });
    const { coverage } = await orchestrator.orchestrate("t", "", { budget: { tokens } });
    if (coverage.done < 2) continue;
    const mode = `${coverage.answer}${coverage.done < 12 ? ", some left out" : ""}`;
    modes.set(mode, (modes.get(mode) ?? 0) + 1);
  }
  expect([...modes.keys()].sort()).toEqual(["merge", "merge, some left out"]);
}, 60_000);
