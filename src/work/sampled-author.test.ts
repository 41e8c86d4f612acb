import { expect, test } from "vitest";
import { aRun } from "../../test/call-fixture.ts";
import { anyRules, fakeCalls } from "../../test/fake-calls.ts";
import { DivvyError, type ErrorCode } from "../errors.ts";
import { fence } from "../prompt/fence.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import type { Author, Delivered } from "./author.ts";
import { SampledAuthor } from "./sampled-author.ts";
import { SubtaskText } from "./subtask-text.ts";

/** One that writes this, or fails so. */
function author(end: { readonly result: string } | ErrorCode): Author {
  const write = async (): Promise<Delivered> => {
    if (typeof end === "string") throw new DivvyError(end, "So it is.");
    return { ...end, truncated: false };
  };
  return { text: new SubtaskText(() => undefined, "s"), attempts: 1, write };
}

function written(...[first, ...others]: Parameters<typeof author>[0][]): Promise<Delivered> {
  const subtask = { id: "s", type: "t", description: "d", dependsOn: [] };
  const job = { request: { task: "T", context: "" }, subtask, upstream: [], sample: 0 };
  const signal = new AbortController().signal;
  const deps = { calls: fakeCalls([]).calls, run: aRun(), signal, fence, clock: virtualClock() };
  const judge = { model: "m", settings: { maxOutputTokens: 50 }, rules: anyRules };
  return new SampledAuthor([author(first ?? "internal"), ...others.map(author)], judge, job, deps).write();
}

test("where no try comes to anything, one that was begun says why, and not one that the budget did not let begin", async () => {
  await expect(written("budget_exhausted", "output_invalid", "server_error")).rejects.toMatchObject({ code: "output_invalid" });
  await expect(written("budget_exhausted", "budget_exhausted")).rejects.toMatchObject({ code: "budget_exhausted" });
});

test("a stop counts before all that failed, and before what came", async () => {
  await expect(written("server_error", "aborted")).rejects.toMatchObject({ code: "aborted" });
  await expect(written({ result: "It is so." }, "server_error", "aborted")).rejects.toMatchObject({ code: "aborted" });
});
