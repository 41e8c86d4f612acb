import { describe, expect, test } from "vitest";
import { DivvyError, type ErrorCode, type Evidence } from "../../errors.ts";
import type { Result } from "../../outcome.ts";
import { noUsage } from "../../usage.ts";
import { firstGap } from "./gap.ts";

const base = (id: string) => ({ id, type: "default", description: id, dependsOn: [], kind: "default", attempts: 1, usage: noUsage, durationMs: 0 });
const lost = (id: string, code: ErrorCode, evidence?: Evidence): Result => ({
  ...base(id),
  status: "failed",
  error: new DivvyError(code, `It is ${code}.`, evidence && { evidence }).toJSON(),
});
const done = (id: string): Result => ({ ...base(id), status: "done", result: "x" });

function gapOf(...results: readonly Result[]): ReturnType<typeof firstGap> {
  const missing = results.flatMap(({ id, status }) => (status === "done" ? [] : [{ id, type: "default", why: "" }]));
  return firstGap(
    {
      planned: { kind: "subtasks", analysis: "" },
      census: { subtasks: [], results, done: results.filter((result) => result.status === "done"), missing, dropped: 0, planComplete: true },
      synthesis: { mode: "none" },
    },
    undefined,
  );
}

describe("where nothing is done, the error", () => {
  test("is the one that all have in common", () => {
    expect(gapOf(lost("a", "refused"), lost("b", "refused"))).toMatchObject({ code: "refused", message: "It is refused." });
  });

  test("names the commonest of several causes, and how many failed so", () => {
    expect(gapOf(lost("a", "unable"), lost("b", "refused"), lost("c", "refused"))).toMatchObject({
      code: "nothing_done",
      message: "None of the 3 subtasks succeeded. 2 of them failed alike: It is refused.",
      evidence: { causes: { refused: 2, unable: 1 } },
    });
  });

  test("names none where each failed for another", () => {
    expect(gapOf(lost("a", "unable"), lost("b", "refused"))).toMatchObject({
      message: "None of the 2 subtasks succeeded. Each failed for a reason of its own.",
      evidence: { causes: { unable: 1, refused: 1 } },
    });
  });

  test("is the provider's throttling where that is behind all of them", () => {
    const results = [lost("a", "admission_timeout"), lost("b", "admission_timeout"), lost("c", "rate_limited", { status: 429 })];
    expect(gapOf(...results)).toMatchObject({
      code: "rate_limited",
      message: "None of the 3 subtasks succeeded. It is rate_limited. 2 waited for their turn in vain.",
      evidence: { status: 429, causes: { admission_timeout: 2, rate_limited: 1 } },
    });
    expect(gapOf(lost("a", "overloaded"), lost("b", "overloaded"), lost("c", "rate_limited"))).toMatchObject({
      code: "overloaded",
      message: "None of the 3 subtasks succeeded. It is overloaded.",
    });
  });

  test("counts what failed, not what waited for it", () => {
    const skipped: Result = { ...base("b"), status: "skipped", reason: "upstream" };
    expect(gapOf(lost("a", "refused"), skipped)).toMatchObject({ code: "refused" });
    expect(gapOf(skipped)).toMatchObject({ code: "nothing_done", message: "None of the 1 subtasks succeeded." });
  });
});

test("where something is done, the reason that several have in common is named, with how many they are", () => {
  expect(gapOf(done("a"), lost("b", "refused"), lost("c", "refused"), lost("d", "unable"))).toMatchObject({
    code: "incomplete",
    message: "1 of 4 subtasks are done. Missing: b, c, d. 2 of them failed alike: It is refused.",
  });
  expect(gapOf(done("a"), lost("b", "refused"))).toMatchObject({ message: "1 of 2 subtasks are done. Missing: b." });
});

test("a larger budget is asked for where it would have allowed another try, as large as any of them would need", () => {
  const results = [lost("a", "server_error", { budget: { calls: 5, tokens: 200 } }), lost("b", "server_error", { budget: { calls: 6, tokens: 100 } })];
  expect(gapOf(done("c"), ...results)).toMatchObject({ code: "budget_exhausted", evidence: { budget: { calls: 6, tokens: 200 } } });
  expect(gapOf(lost("a", "server_error", { budget: {} }))).toMatchObject({ code: "budget_exhausted" });
});

describe("where all is done, the error", () => {
  const judged = (id: string, score?: number): Result => {
    const error = score === undefined ? { error: new DivvyError("no_verdict", "The judge gave no verdict.").toJSON() } : {};
    return { ...base(id), status: "done", result: "x", evaluation: { ...(score !== undefined && { score }), reasons: "", passed: false, tries: 1, ...error } };
  };

  test("tells what falls short from what nobody could judge", () => {
    expect(gapOf(judged("a", 0.4), done("b"))).toMatchObject({
      code: "below_threshold",
      message: "All is there, and not all as good as was asked for: 1 of 2 results (a).",
    });
    expect(gapOf(judged("a"), judged("b"))).toMatchObject({
      code: "below_threshold",
      message: "All is there, and not all could be judged: 2 of 2 results (a and b). The judge gave no verdict.",
    });
    expect(gapOf(judged("a", 0.4), judged("b"))?.message).toBe(
      "All is there, and not all as good as was asked for: 1 of 2 results (a). And not all could be judged: 1 of 2 results (b). The judge gave no verdict.",
    );
  });
});
