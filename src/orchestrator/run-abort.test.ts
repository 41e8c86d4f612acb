import { describe, expect, test } from "vitest";
import { FlexibleOrchestrator } from "../index.ts";
import { scriptedModel } from "../testing/index.ts";

const model = scriptedModel(() => "<answer>Yes.</answer>");

describe("a run that is stopped by a signal", () => {
  test.each<[unknown, string]>([
    [new Error("user closed tab"), "The run was stopped: user closed tab."],
    ["because", "The run was stopped: because."],
    [undefined, "The run was stopped."],
  ])("repeats the words of its reason: %s", async (reason, message) => {
    const outcome = await new FlexibleOrchestrator({ model }).orchestrate("t", "", { signal: AbortSignal.abort(reason) });
    expect(outcome).toMatchObject({ status: "aborted", error: { code: "aborted", message } });
  });

  test("hands the reason to functions, as the cause of what their signal says", async () => {
    const stop = new AbortController();
    let seen: unknown;
    const run = (_: unknown, { signal }: { readonly signal: AbortSignal }): Promise<string> => {
      signal.addEventListener("abort", () => (seen = signal.reason));
      stop.abort(new Error("user closed tab"));
      return new Promise(() => undefined);
    };
    const orchestrator = new FlexibleOrchestrator({ model, workers: { own: { run } } });
    const outcome = await orchestrator.orchestrate("t", "", { signal: stop.signal, plan: { subtasks: [{ type: "own", description: "d" }] } });
    expect(outcome.status).toBe("aborted");
    expect(seen).toMatchObject({ code: "aborted", cause: { message: "user closed tab" } });
  });
});
