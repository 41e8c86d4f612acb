/**
 * Marketing copy: one product, three channels.
 *
 * The orchestrator reads what the product is and whom it is for, and decides how each channel is to be written for. The workers
 * write side by side. Each text is a deliverable of its own, so the plan says `keep`: they are laid out as they are, by code.
 *
 *   npm run build
 *   node examples/marketing-copy/main.ts                      a model that can be used here (`node dist/cli.js models` says which)
 *   node examples/marketing-copy/main.ts ollama:llama3.2      that one
 */
import { FlexibleOrchestrator, type OrchestratorOptions, type Run } from "divvy";
import { runFromTerminal } from "../terminal.ts";

const task = "Write the product description of a new eco-friendly water bottle for three channels: e-commerce, social media, and retail.";

// What the workers may say. What is not here they leave out, or mark as to be filled in.
const product = {
  name: "Rill",
  target_audience: "environmentally conscious millennials",
  key_features: ["plastic-free", "double-wall insulated steel", "lifetime warranty"],
  facts: ["0.5 litres, 310 grams", "cold for 24 hours, hot for 12", "steel is 90% recycled", "fits bicycle cages and car cup holders"],
};

export function marketingCopy(options: OrchestratorOptions = {}): Run {
  const orchestrator = new FlexibleOrchestrator({ direct: "never", ...options });
  return orchestrator.start(task, product);
}

if (process.argv[1] === import.meta.filename) await runFromTerminal(marketingCopy);
