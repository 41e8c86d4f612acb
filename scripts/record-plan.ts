/**
 * Records what a real model writes when it is asked for a plan, as a fixture of the plan readers: the raw reply, and beside it
 * where it comes from and what is read from it today, to be checked by hand. The built-in model, unless another is named.
 *
 *   npm run record -- <name> "<task>" [-c key=value]... [-m provider:model] [--json] [--free] [--long-prompt]
 *
 * `--json` asks for JSON (give such a fixture a name that begins with "json-"), `--free` takes the grammar away that holds a
 * local model's plan, `--long-prompt` takes the default prompt in place of a small model's own.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { FlexibleOrchestrator } from "../src/flexible-orchestrator.ts";
import { builtInModel } from "../src/models/local/built-in.ts";
import type { Model } from "../src/models/model.ts";
import { jsonPlanReader } from "../src/plan/reading/json-reader.ts";
import { orchestratorPrompt } from "../src/plan/prompts/orchestrator-prompt.ts";
import type { Draft } from "../src/plan/reading/reader.ts";
import { xmlPlanReader } from "../src/plan/reading/xml-reader.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    context: { type: "string", short: "c", multiple: true, default: [] },
    model: { type: "string", short: "m", default: "local:" },
    json: { type: "boolean", default: false },
    free: { type: "boolean", default: false },
    "long-prompt": { type: "boolean", default: false },
  },
});
const [name, task] = positionals;
if (name === undefined || task === undefined) throw new Error('It takes a name and a task: npm run record -- <name> "<task>"');
const context = Object.fromEntries(
  flags.context.map((pair): [string, string] => {
    const [key = "", value = ""] = pair.split(/=(.*)/s);
    return [key, value];
  }),
);

/** What is known of the model that answered. */
let modelId = "";
let policy: Model["policy"];

async function localModel(path: string | undefined): Promise<Model> {
  const model = await builtInModel({ env: process.env, ...(path !== undefined && { path }) });
  if (model.policy === undefined) return model;
  const { planProviderOptions: _, ...withoutGrammar } = model.policy;
  policy = flags.free ? withoutGrammar : model.policy;
  return { ...model, policy };
}

/** The first reply, to its end, as it came. */
async function firstReply(request: string): Promise<string> {
  const abort = new AbortController();
  const orchestrator = new FlexibleOrchestrator(
    {
      model: flags.model,
      ...(flags["long-prompt"] && { orchestrator: { prompt: orchestratorPrompt } }),
      planFormat: flags.json ? "json" : "xml",
      // No worker starts before the plan is over.
      concurrency: 1,
      retry: { attempts: 1 },
    },
    { models: { local: localModel } },
  );
  let reply = "";
  for await (const event of orchestrator.start(request, context, { signal: abort.signal }).events) {
    if (event.type === "run.started") modelId = event.models.orchestrator;
    else if (event.type === "plan.delta") reply += event.text;
    else if (["plan.finished", "plan.answered", "plan.asked_again", "plan.failed"].includes(event.type)) break;
  }
  abort.abort();
  return reply;
}

function readingOf(reply: string): Record<string, unknown> {
  const reader = flags.json ? jsonPlanReader() : xmlPlanReader();
  const items = reader.push(reply);
  const { items: last, state, analysis } = reader.end();
  let combine = "keep";
  let answer = "";
  const subtasks: Draft[] = [];
  for (const item of [...items, ...last]) {
    if (item.type === "combine") combine = item.combine;
    else if (item.type === "answer") answer += item.delta;
    else subtasks.push(item.draft);
  }
  return { state, analysis, combine, answer, subtasks };
}

const reply = await firstReply(task);
const ownPrompt = !flags.json && !flags["long-prompt"] && policy?.prompts !== undefined;
const recorded = {
  model: modelId,
  date: new Date().toISOString().slice(0, 10),
  task,
  context,
  prompt: ownPrompt ? "small" : "default",
  heldBy: flags.json ? "schema" : policy?.planProviderOptions === undefined ? "nothing" : "grammar",
};
const folder = new URL("../test/fixtures/plans/", import.meta.url);
writeFileSync(new URL(`${name}.txt`, folder), reply);
writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify({ quirk: "", recorded, ...readingOf(reply) }, null, 2)}\n`);
console.log(reply);
