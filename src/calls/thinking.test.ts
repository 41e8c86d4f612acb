import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { FlexibleOrchestrator } from "../flexible-orchestrator.ts";
import { isRecord } from "../json.ts";
import { governed } from "./governed.ts";
import { sent } from "./sent.ts";
import { timed } from "./timed.ts";
import { aContext, aRequest, aRun, rejection, tableOf } from "../../test/call-fixture.ts";
import { adaptiveGovernor } from "../governor/adaptive-governor.ts";
import { testRuntime, virtualClock } from "../testing/virtual-clock.ts";
import { withThinkingInCap } from "./thinking.ts";
import type { CallSettings } from "./call.ts";

/** What went over the wire, and what was reserved for it. */
async function sentBy(make: (fetch: typeof globalThis.fetch) => LanguageModelV4, settings: CallSettings) {
  const bodies: unknown[] = [];
  const model = make(async (_, init) => {
    bodies.push(JSON.parse(String(init?.body)));
    return new Response("{}", { status: 400, headers: { "content-type": "application/json" } });
  });
  const clock = virtualClock();
  const run = aRun();
  const models = tableOf(model);
  const calls = governed({ governor: adaptiveGovernor(testRuntime({ clock })), models, clock, admissionMs: 1_000 })(timed(clock)(sent(models, clock)));
  await rejection(calls(aRequest({ settings }), { ...aContext({ run }), attempt: 1 }));
  const [body] = bodies;
  return { body: isRecord(body) ? body : {}, reserved: run.of("attempt.started")[0]?.reserved.outputTokens };
}

const claude =
  (id: string) =>
  (fetch: typeof globalThis.fetch): LanguageModelV4 =>
    createAnthropic({ apiKey: "k", fetch })(id);

const ids = [
  "claude-opus-5-5",
  "claude-haiku-4-5",
  "claude-sonnet-4-5-20250929",
  "claude-opus-4-6",
  "claude-sonnet-4-20250514",
  "claude-opus-4-1",
  "claude-3-7-sonnet-latest",
];
const reasonings = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

describe("the output cap that is reserved", () => {
  test.each(ids)("is what %s is sent, however much it is to reason", async (id) => {
    for (const reasoning of reasonings) {
      for (const maxOutputTokens of [500, 1_500, 2_048, 8_192]) {
        const { body, reserved } = await sentBy(claude(id), { maxOutputTokens, reasoning });
        expect([reasoning, body["max_tokens"], reserved]).toEqual([reasoning, maxOutputTokens, maxOutputTokens]);
      }
    }
  });

  test.each(["claude-haiku-4-5", "claude-opus-4-6", "some-other-model"])("is what %s is sent with a budget for thinking of the user's own", async (id) => {
    const settings = { maxOutputTokens: 4_000, providerOptions: { anthropic: { thinking: { type: "enabled", budgetTokens: 3_000 } } } };
    const { body, reserved } = await sentBy(claude(id), settings);
    expect(body).toMatchObject({ max_tokens: 4_000, thinking: { budget_tokens: 3_000 } });
    expect(reserved).toBe(4_000);
  });

  test("covers the reasoning of other providers' models too", async () => {
    const openai = await sentBy((fetch) => createOpenAI({ apiKey: "k", fetch })("gpt-6-sol"), { maxOutputTokens: 8_192, reasoning: "high" });
    expect(openai.body).toMatchObject({ max_output_tokens: openai.reserved });
    const google = await sentBy((fetch) => createGoogle({ apiKey: "k", fetch })("gemini-3.8-flash"), { maxOutputTokens: 8_192, reasoning: "high" });
    expect(google.body).toMatchObject({ generationConfig: { maxOutputTokens: google.reserved } });
  });
});

test("a model that thinks within a budget gets a share of the cap for it, and leaves room for the reply", async () => {
  const thinkingOf = async (settings: CallSettings): Promise<unknown> => (await sentBy(claude("claude-sonnet-4-5"), settings)).body["thinking"];
  expect(await thinkingOf({ maxOutputTokens: 10_000, reasoning: "high" })).toEqual({ type: "enabled", budget_tokens: 6_000 });
  expect(await thinkingOf({ maxOutputTokens: 10_000, reasoning: "minimal" })).toEqual({ type: "enabled", budget_tokens: 1_024 });
  expect(await thinkingOf({ maxOutputTokens: 3_000, reasoning: "max" })).toEqual({ type: "enabled", budget_tokens: 1_976 });
  expect(await thinkingOf({ maxOutputTokens: 2_000, reasoning: "max" })).toEqual({ type: "disabled" });
  expect(await thinkingOf({ maxOutputTokens: 10_000, reasoning: "high", providerOptions: { anthropic: { thinking: { type: "disabled" } } } })).toEqual({
    type: "disabled",
  });
});

test("behind the AI Gateway the same package adds to the cap; elsewhere nothing is changed", () => {
  const settings = { maxOutputTokens: 10_000, reasoning: "high" } as const;
  const given = { anthropic: { thinking: { type: "enabled", budgetTokens: 6_000 } } };
  expect(withThinkingInCap(settings, { provider: "gateway", modelId: "anthropic/claude-haiku-4.5" })).toMatchObject({
    maxOutputTokens: 4_000,
    providerOptions: given,
  });
  expect(withThinkingInCap(settings, { provider: "gateway", modelId: "anthropic/claude-opus-5.5" })).toBe(settings);
  expect(withThinkingInCap(settings, { provider: "openrouter", modelId: "anthropic/claude-haiku-4.5" })).toBe(settings);
});

test("a budget for thinking that leaves no room for a reply is refused before anything is asked", async () => {
  const worker = { maxOutputTokens: 8_192, providerOptions: { anthropic: { thinking: { type: "enabled", budgetTokens: 20_000 } } } };
  const outcome = await new FlexibleOrchestrator({ model: createAnthropic({ apiKey: "k" })("claude-sonnet-4-5"), worker }).orchestrate("t");
  expect(outcome).toMatchObject({
    status: "failed",
    calls: 0,
    error: { code: "invalid_option", message: expect.stringContaining("20000 tokens for thinking") },
  });
});
