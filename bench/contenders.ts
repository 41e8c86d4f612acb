import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ledger } from "../src/index.ts";
import { divvyBuilt, sqliteBuilt } from "./built.ts";
import { asMessages, bareText, type Contender, type Models, workerPrompts } from "./contender.ts";

/** What this package does, from its build. */
export async function divvy({ planner, worker, synthesizer }: Models, ledger?: Ledger): Promise<Contender> {
  const { FlexibleOrchestrator } = await divvyBuilt();
  const orchestrator = new FlexibleOrchestrator({
    orchestrator: planner,
    worker,
    // The others put all results into one prompt, whatever its length; in the usual window those of a thousand workers would be reduced first.
    synthesizer: { model: synthesizer, contextTokens: 1_000_000 },
    concurrency: 10_000,
    limits: { subtasks: 10_000, workers: 10_000 },
    ...(ledger && { ledger }),
  });
  return {
    name: ledger === undefined ? "divvy" : "divvy, kept in SQLite",
    run: async (task, { subtasks }) => {
      const outcome = await orchestrator.orchestrate(task);
      if (outcome.status !== "ok" || outcome.results.length !== subtasks) throw new Error(`divvy: ${outcome.status}, ${outcome.results.length} results`);
    },
  };
}

/** The same, every run kept on disk. */
export async function divvyKept(models: Models): Promise<Contender> {
  const { sqliteLedger } = await sqliteBuilt();
  return await divvy(models, sqliteLedger(join(mkdtempSync(join(tmpdir(), "divvy-bench-")), "runs.sqlite")));
}

/** The pattern with the AI SDK: the whole plan, then `Promise.all` over `generateText`, then one more. */
export async function promiseAll({ planner, worker, synthesizer }: Models): Promise<Contender> {
  const { generateText, streamText } = await import("ai");
  return {
    name: "Promise.all over the AI SDK",
    run: async (task, workload) => {
      await generateText({ model: planner, prompt: task, maxOutputTokens: 8192 });
      const results = await Promise.all(
        workerPrompts(task, workload).map(({ system, prompt }) => generateText({ model: worker, instructions: system, prompt, maxOutputTokens: 8192 })),
      );
      await streamText({ model: synthesizer, prompt: `${task}\n${results.map(({ text }) => text).join("\n\n")}`, maxOutputTokens: 8192 }).text;
    },
  };
}

/** The pattern as it was published: one call after another. */
export async function sequential({ planner, worker, synthesizer }: Models): Promise<Contender> {
  const { generateText } = await import("ai");
  return {
    name: "sequential",
    run: async (task, workload) => {
      await generateText({ model: planner, prompt: task, maxOutputTokens: 8192 });
      const texts: string[] = [];
      for (const { system, prompt } of workerPrompts(task, workload))
        texts.push((await generateText({ model: worker, instructions: system, prompt, maxOutputTokens: 8192 })).text);
      await generateText({ model: synthesizer, prompt: `${task}\n${texts.join("\n\n")}`, maxOutputTokens: 8192 });
    },
  };
}

/**
 * The same calls by `doStream` at the same times, and nothing else: the floor of what any engine costs. It knows beforehand what the
 * plan will be, and starts each worker when the plan's next piece arrives.
 */
export function bare({ planner, worker, synthesizer }: Models): Contender {
  return {
    name: "bare doStream",
    run: async (task, workload) => {
      const waiting = workerPrompts(task, workload);
      const working: Promise<string>[] = [];
      const startNext = (): void => {
        const prompt = waiting.shift();
        if (prompt !== undefined) working.push(bareText(worker, asMessages(prompt)));
      };
      let tasks = 0;
      await bareText(planner, asMessages({ system: "plan", prompt: task }), (delta) => {
        if (delta.includes("</task>") && tasks++ < workload.subtasks) startNext();
      });
      const texts = await Promise.all(working);
      await bareText(synthesizer, asMessages({ system: "join", prompt: `${task}\n${texts.join("\n\n")}` }));
    },
  };
}
