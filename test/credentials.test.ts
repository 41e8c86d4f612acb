import { APICallError, type LanguageModelV4, type LanguageModelV4StreamPart } from "@ai-sdk/provider";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FlexibleOrchestrator, type Ledger, memoryLedger, type OrchestratorOptions } from "../src/index.ts";
import { scriptedModel } from "../src/testing/index.ts";
import { modelThat, text, usageSaid } from "./call-fixture.ts";

/** A worker's model whose package tells everything it knows, its credential too, wherever a package can. */
function talkative(secret: string): LanguageModelV4 {
  const told = { headers: { authorization: `Bearer ${secret}` }, apiKey: secret };
  const parts: readonly LanguageModelV4StreamPart[] = [
    { type: "stream-start", warnings: [{ type: "other", message: secret }] },
    { type: "response-metadata", id: secret, modelId: "model", ...told },
    { type: "raw", rawValue: told },
    ...text("Written."),
    { type: "finish", finishReason: { unified: "stop", raw: "stop" }, providerMetadata: { talkative: told }, usage: { ...usageSaid(1, 1), raw: told } },
  ];
  return modelThat(async ({ prompt }) => {
    if (JSON.stringify(prompt).includes("Fail.")) {
      throw new APICallError({
        message: "No.",
        url: "https://test.invalid/v1",
        requestBodyValues: told,
        statusCode: 400,
        responseHeaders: told.headers,
        responseBody: "no",
      });
    }
    return {
      stream: new ReadableStream<LanguageModelV4StreamPart>({
        start: (controller) => {
          for (const part of parts) controller.enqueue(part);
          controller.close();
        },
      }),
      request: { body: told },
      response: { headers: told.headers },
    };
  }, "talkative");
}

const plan = `<tasks combine="keep">
<task><type>a</type><description>Write.</description></task>
<task><type>b</type><description>Fail.</description></task>
</tasks>`;

test("nothing of a credential is ever given to the ledger, wherever it is said", async () => {
  await fc.assert(
    fc.asyncProperty(fc.stringMatching(/^[A-Za-z0-9]{20,40}$/), async (secret) => {
      const kept = memoryLedger();
      const given: unknown[] = [];
      const ledger: Ledger = {
        ...kept,
        commit: (batch) => {
          given.push(batch);
          return kept.commit(batch);
        },
        takeLease: (...args) => {
          given.push(args);
          return kept.takeLease(...args);
        },
      };
      const planner = { model: scriptedModel([{ when: "You are", reply: plan }]), id: "planner" };
      const options: OrchestratorOptions = {
        orchestrator: planner,
        synthesizer: planner,
        worker: { model: "groq:m", apiKey: secret, providerOptions: { talkative: { apiKey: secret, headers: { "x-api-key": secret } } } },
        ledger,
      };
      const load = (): Promise<unknown> => Promise.resolve({ createGroq: () => ({ languageModel: () => talkative(secret) }) });
      const orchestrator = new FlexibleOrchestrator(options, { models: { load, env: {} } });
      const outcome = await orchestrator.orchestrate("t");
      expect(outcome.results.map(({ status }) => status)).toEqual(["done", "failed"]);
      const all = JSON.stringify(given);
      expect(all).toContain("Written.");
      expect(all).not.toContain(secret);
    }),
    { numRuns: 20 },
  );
});
