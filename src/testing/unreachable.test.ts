import { expect, test } from "vitest";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { systemCodeOf } from "../system-code.ts";
import { type UnreachableBy, unreachableProvider } from "./unreachable.ts";

test.each<[UnreachableBy, string]>([
  ["refused", "ECONNREFUSED"],
  ["unknown-host", "ENOTFOUND"],
  ["tls", "DEPTH_ZERO_SELF_SIGNED_CERT"],
])("%s: nobody gets there, in either format", async (by, code) => {
  await using nowhere = await unreachableProvider(by);
  for (const model of [
    createAnthropic({ baseURL: nowhere.anthropicBaseUrl, apiKey: "key" })("small"),
    createOpenAICompatible({ name: "double", baseURL: nowhere.openaiBaseUrl })("small"),
  ]) {
    const call = Promise.resolve(model.doStream({ prompt: [{ role: "user", content: [{ type: "text", text: "q" }] }] }));
    expect(systemCodeOf(await call.catch((thrown: unknown) => thrown))).toBe(code);
  }
});

test("an address that was closed has no connection open, and is refused", async () => {
  const nowhere = await unreachableProvider("tls");
  await fetch(nowhere.url).catch(() => undefined);
  await nowhere[Symbol.asyncDispose]();
  await nowhere[Symbol.asyncDispose]();
  await expect.poll(() => nowhere.openSockets).toBe(0);
  expect(systemCodeOf(await fetch(nowhere.url).catch((thrown: unknown) => thrown))).toBe("ECONNREFUSED");
});
