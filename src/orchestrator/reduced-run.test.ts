import { describe, expect, test } from "vitest";
import { z } from "zod";
import { allRoles, eventsOf, verdict } from "../../test/all-roles.ts";
import { estimateText } from "../calls/estimate.ts";
import { FlexibleOrchestrator, memoryLedger } from "../index.ts";
import { reduce } from "../reduce.ts";
import { initialRunState } from "../run-state.ts";
import type { DoubleCall } from "../testing/index.ts";

const planOf = (count: number): string =>
  `<tasks combine="merge">${Array.from({ length: count }, (_, n) => `<task id="part-${n}"><type>part</type><description>Do part ${n}.</description></task>`).join("")}</tasks>`;

const partIn = ({ prompt }: DoubleCall): number => Number(/Do part (\d+)\./.exec(prompt)?.[1]);

/** What must not be lost, where it stands in the result. */
const factOf = (part: number): string => `FACT: part ${part} measures ${part * 7919 + 13} mm`;

/** So many tokens, about, with the fact somewhere in between. */
function longResult(part: number, tokens: number): string {
  const line = "Words that say little come before and after what matters here.";
  const lines = Array.from({ length: Math.ceil(tokens / estimateText(`${line}\n`)) }, () => line);
  return lines.with(Math.floor(((part * 37) % 100) * (lines.length / 100)), factOf(part)).join("\n");
}

/** A model that keeps what is marked, and nothing else. */
const copyFacts = ({ prompt }: DoubleCall): string => (prompt.match(/^(?:- )?FACT: .*$/gm) ?? []).join("\n") || "nothing that matters";

const partsOf = (text: string): number[] =>
  [...text.matchAll(/^FACT: part (\d+) measures (\d+) mm$/gm)].flatMap(([, n, size]) => (Number(size) === Number(n) * 7919 + 13 ? Number(n) : []));

const all = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

function modelFor(count: number, tokens: number, reducer: (call: DoubleCall) => string = copyFacts): ReturnType<typeof allRoles> {
  return allRoles({ plan: planOf(count), worker: (call) => longResult(partIn(call), tokens), synthesizer: copyFacts, reducer });
}

/** Prompt and cap of a call, in tokens. */
const sizeOf = ({ messages, maxOutputTokens = 0 }: DoubleCall): number => messages.reduce((sum, { text }) => sum + estimateText(text), maxOutputTokens);

const isReduction = ({ system }: DoubleCall): boolean => system.startsWith("You shorten");
const isSynthesis = ({ system }: DoubleCall): boolean => system.startsWith("Several workers");

const optionsFor = (contextTokens: number) => ({ retry: { backoffMs: 0 }, limits: { subtasks: 100 }, synthesizer: { contextTokens } });

describe("results that are too long for the synthesizer's window", () => {
  test("a hundred of 20,000 tokens go through a window of 32,000, and every fact is in the answer", async () => {
    const model = modelFor(100, 20_000);
    const run = new FlexibleOrchestrator({ model, ...optionsFor(32_000), worker: { maxOutputTokens: 30_000 } }).start("What measures what?");
    const outcome = await run.outcome;
    expect(outcome).toMatchObject({ status: "ok", coverage: { answer: "merge", done: 100 } });
    expect(partsOf("text" in outcome ? outcome.text : "")).toEqual(all(100));
    const calls = model.calls.filter((call) => isReduction(call) || isSynthesis(call));
    expect(Math.max(...calls.map(sizeOf))).toBeLessThanOrEqual(32_000);
    expect(outcome.calls).toBe(model.calls.length);
    expect(calls.length).toBeGreaterThan(100);
  }, 120_000);

  test("leave room to write an answer anew that does not have its form", async () => {
    const isRepair = ({ prompt }: DoubleCall): boolean => prompt.includes("This is not of the form");
    const model = allRoles({
      plan: planOf(6),
      worker: (call) => longResult(partIn(call), 540),
      // As much as it may write, which is then read by whoever writes it again.
      synthesizer: (call) => (isRepair(call) ? '{"report":"good"}' : JSON.stringify({ wrong: longResult(0, (call.maxOutputTokens ?? 0) * 0.85) })),
      reducer: (call) => longResult(0, (call.maxOutputTokens ?? 0) * 0.85),
    });
    const { synthesizer, ...options } = optionsFor(8_000);
    const output = z.object({ report: z.string() });
    const outcome = await new FlexibleOrchestrator({ model, ...options, synthesizer: { ...synthesizer, maxOutputTokens: 3_000, output } }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", output: { report: "good" } });
    const calls = model.calls.filter((call) => isReduction(call) || isSynthesis(call));
    expect(calls.filter(isRepair)).toHaveLength(1);
    expect(Math.max(...calls.map(sizeOf))).toBeLessThanOrEqual(8_000);
  });

  test("are merged as they are where they fit", async () => {
    const model = modelFor(4, 1_000);
    const outcome = await new FlexibleOrchestrator({ model, ...optionsFor(32_000) }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", calls: 6 });
    expect(model.calls.filter(isReduction)).toEqual([]);
  });

  test("are said to be reduced; what that takes is counted, and the answer's own attempts are the last call's", async () => {
    const model = modelFor(12, 2_000);
    const run = new FlexibleOrchestrator({ model, ...optionsFor(12_000) }).start("t");
    const events = await eventsOf(run);
    const outcome = await run.outcome;
    expect(outcome.status).toBe("ok");
    const levels = events.filter((event) => event.type === "reduction.started");
    expect(levels[0]).toMatchObject({ level: 1, texts: 12 });
    expect(model.calls.filter(isReduction)).toHaveLength(levels.reduce((sum, level) => sum + (level.type === "reduction.started" ? level.groups : 0), 0));
    const during = events
      .slice(
        0,
        events.findLastIndex((event) => event.type === "attempt.started"),
      )
      .reduce(reduce, initialRunState);
    expect(during).toMatchObject({ reduction: { level: levels.length }, answer: { status: "queued", startedAt: undefined } });
    const state = events.reduce(reduce, initialRunState);
    expect(state.calls).toBe(outcome.calls);
    expect(state.reduction).toBeUndefined();
    expect(state.usage).toEqual({ ...outcome.usage, byRole: undefined });
    expect(outcome.estimate?.worst.calls).toBeGreaterThanOrEqual(outcome.calls);
  });

  test("of which one cannot be shortened are laid out, partial, and it is said which", async () => {
    const model = modelFor(6, 3_000, (call) => (call.prompt.includes("part-4") ? "" : copyFacts(call)));
    const outcome = await new FlexibleOrchestrator({ model, ...optionsFor(12_000), retry: { attempts: 1 } }).orchestrate("t");
    expect(outcome).toMatchObject({
      status: "partial",
      coverage: { answer: "keep", done: 6 },
      error: { code: "incomplete", message: expect.stringMatching(/too long for the synthesizer's window and could not be shortened: .*part-4/) },
    });
    expect(partsOf("text" in outcome ? outcome.text : "")).toEqual(all(6));
  });

  test("of a run that is resumed are not reduced twice where that was paid", async () => {
    const ledger = memoryLedger();
    const stop = new AbortController();
    let asked = 0;
    const first = modelFor(12, 2_000, (call) => {
      if (++asked === 3) stop.abort();
      return copyFacts(call);
    });
    const options = { ...optionsFor(12_000), ledger, concurrency: 1 };
    const stopped = await new FlexibleOrchestrator({ ...options, model: first }).start("t", "", { signal: stop.signal }).outcome;
    expect(stopped.status).toBe("aborted");
    const second = modelFor(12, 2_000);
    const drifted = new FlexibleOrchestrator({ ...options, model: second, synthesizer: { contextTokens: 13_000 } }).resume(stopped.runId);
    await expect(drifted).rejects.toMatchObject({ code: "run_drifted", message: expect.stringContaining("the synthesizer's settings changed") });
    const resumed = await new FlexibleOrchestrator({ ...options, model: second }).resume(stopped.runId).then((run) => run.outcome);
    expect(resumed.status).toBe("ok");
    expect(partsOf("text" in resumed ? resumed.text : "")).toEqual(all(12));
    const paid = first.calls
      .filter(isReduction)
      .slice(0, 2)
      .map(({ prompt }) => prompt);
    expect(paid).toHaveLength(2);
    expect(second.calls.map(({ prompt }) => prompt).filter((prompt) => paid.includes(prompt))).toEqual([]);
    expect(second.calls.every((call) => isReduction(call) || isSynthesis(call))).toBe(true);
  });

  test("leave room for what a judge says of the answer, and for the answer, when it is written again", async () => {
    const criteria = "It names all sizes.";
    const synthesizing = (call: DoubleCall): string => `${copyFacts(call)}${call.prompt.includes("This falls short.") ? "\nThat is all." : ""}`;
    const model = allRoles({ plan: planOf(12), worker: (call) => longResult(partIn(call), 2_000), reducer: copyFacts, synthesizer: synthesizing });
    const verdicts = [4, 9];
    const judge = allRoles({ plan: "", evaluator: () => verdict(verdicts.shift() ?? 0, "Not yet. ".repeat(200)) });
    const synthesizer = {
      contextTokens: 12_000,
      maxOutputTokens: 2_000,
      evaluate: { criteria, threshold: 0.8, model: { model: judge, id: "judge", maxOutputTokens: 1_000 } },
    };
    const outcome = await new FlexibleOrchestrator({ model, ...optionsFor(12_000), synthesizer }).orchestrate("t");
    expect(outcome).toMatchObject({ status: "ok", evaluation: { tries: 2, passed: true } });
    expect(partsOf("text" in outcome ? outcome.text : "")).toEqual(all(12));
    expect(Math.max(...model.calls.filter((call) => isReduction(call) || isSynthesis(call)).map(sizeOf))).toBeLessThanOrEqual(12_000);
  });

  test("are merged by a template of one's own", async () => {
    const model = modelFor(8, 3_000);
    const synthesizer = { contextTokens: 12_000, prompt: "Several workers each wrote something:\n{results}" };
    const outcome = await new FlexibleOrchestrator({ model, ...optionsFor(12_000), synthesizer }).orchestrate("t");
    expect(outcome.status).toBe("ok");
    expect(partsOf("text" in outcome ? outcome.text : "")).toEqual(all(8));
    const last = model.calls.at(-1);
    expect(last?.prompt).toMatch(/^Several workers each wrote something:\nA subtask:/);
    expect(sizeOf(last ?? expect.fail())).toBeLessThanOrEqual(12_000);
  });

  test("are reduced within a budget that keeps back what that takes, or else left out before", async () => {
    const modes = new Set<string>();
    for (let tokens = 30_000; tokens < 150_000; tokens += 7_001) {
      const model = modelFor(12, 2_000);
      const outcome = await new FlexibleOrchestrator({
        model,
        ...optionsFor(12_000),
        orchestrator: { maxOutputTokens: 1_000 },
        worker: { maxOutputTokens: 2_050 },
        synthesizer: { contextTokens: 12_000, maxOutputTokens: 700 },
      }).orchestrate("t", "", { budget: { tokens } });
      const { answer, done } = outcome.coverage;
      if (done > 1) modes.add(`${answer}${done < 12 ? ", some left out" : ""}`);
    }
    expect([...modes].sort()).toEqual(["merge", "merge, some left out"]);
  });
});
