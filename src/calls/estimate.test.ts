import { describe, expect, test } from "vitest";
import { planJsonSchema } from "../plan/plan-schema.ts";
import { aRequest } from "../../test/call-fixture.ts";
import { estimateInput } from "./estimate.ts";

describe("the input of a call is estimated with", () => {
  test.each([
    ["the form of its reply", { responseFormat: { type: "json", schema: planJsonSchema(true), name: "plan" } }],
    ["its tools", { tools: [{ type: "function", name: "look", description: "Looks something up. ".repeat(20), inputSchema: {} }] }],
  ] as const)("%s", (_, sent) => {
    expect(estimateInput(aRequest(sent))).toBeGreaterThan(estimateInput(aRequest()) + 60);
  });
});
