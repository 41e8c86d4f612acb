import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { cli } from "../src/cli/test-world.ts";
import type { Ledger, Outcome } from "../src/index.ts";
import { migrations } from "../src/ledger/sqlite-schema.ts";
import { sqliteLedger } from "../src/ledger/sqlite-ledger.ts";
import type { DoubleCall } from "../src/testing/index.ts";
import { context, goldenProcess, type GoldenProcess, nameOf, odd, writeGolden } from "./fixtures/ledgers/golden.ts";

const golden = new URL("fixtures/ledgers/", import.meta.url);
const versions = readdirSync(golden).flatMap((name) => /^(v\d+)\.sqlite$/.exec(name)?.[1] ?? []);
const folder = mkdtempSync(join(tmpdir(), "divvy-golden-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A data folder with a copy of the ledger: the file itself stays as it was left. */
function copyOf(version: string): string {
  const copy = mkdtempSync(join(folder, "data-"));
  copyFileSync(new URL(`${version}.sqlite`, golden), join(copy, "runs.sqlite"));
  return copy;
}

/** Does something with a golden ledger, as a process of today whose model is asked for what is missing. */
async function today<T>(version: string, act: (process: GoldenProcess, ledger: Ledger) => Promise<T>, shared?: string): Promise<T> {
  const ledger = sqliteLedger(join(copyOf(version), "runs.sqlite"));
  try {
    return await act(goldenProcess(ledger, "today", [], nothingMore, shared === undefined ? {} : { cache: { shared } }), ledger);
  } finally {
    await ledger.close();
  }
}

/** Shown the results, its orchestrator asks for nothing more. */
const nothingMore = (_: string, { prompt }: DoubleCall): string | undefined => {
  const mark = /So write (mark="\w+")/.exec(prompt)?.[1];
  return mark === undefined ? undefined : `<tasks ${mark}></tasks>`;
};

const asked = ({ model }: GoldenProcess): string[] => model.calls.map(nameOf);

/** Who wrote each result. */
function authors({ results }: Outcome): Record<string, string> {
  const author = (text: string): string => /^(golden|today): (\w+); /.exec(text)?.[1] ?? text;
  return Object.fromEntries(results.map((one) => [one.id, one.status === "done" ? author(one.result) : one.status]));
}

const byGolden = { facts: "golden", story: "golden", end: "golden" };

test("there is a golden ledger for every version", () => {
  expect(versions.sort()).toEqual(migrations.map((_, index) => `v${index + 1}`).sort());
});

describe.each(versions)("the golden ledger %s", (version) => {
  test.each([
    ["ok", `golden: answer; ${odd}`, byGolden],
    ["rerun", `golden: answer; ${odd}`, byGolden],
    ["direct", "golden: by itself", {}],
    ["shared", `golden: answer; ${odd}`, byGolden],
  ])("gives the outcome of what ended well, to the letter, without a call: %s", async (runId, text, results) => {
    await today(version, async (process) => {
      const outcome = await (await process.orchestrator.resume(runId)).outcome;
      expect(outcome).toMatchObject({ status: "ok", runId, text });
      expect(authors(outcome)).toEqual(results);
      for (const one of outcome.results) expect(one).toMatchObject({ result: `golden: ${one.type}; ${odd}` });
      expect(asked(process)).toEqual([]);
    });
  });

  test("is gone on with where a process died in its plan: the rest is planned, what was done is not done again", async () => {
    await today(version, async (process, ledger) => {
      const outcome = await (await process.orchestrator.resume("killed")).outcome;
      expect([outcome.status, authors(outcome)]).toEqual(["ok", { facts: "golden", story: "today", end: "today" }]);
      expect(asked(process)).toEqual(["plan", "story", "end", "answer"]);
      expect(outcome.usage.presumedTokens).toBeGreaterThan(0);
      expect(await ledger.readRun("killed")).toMatchObject({ status: "ok", calls: outcome.calls });
    });
  });

  test("is gone on with where something failed: that, what waited for it, and the answer", async () => {
    await today(version, async (process) => {
      const outcome = await (await process.orchestrator.resume("partial")).outcome;
      expect([outcome.status, authors(outcome)]).toEqual(["ok", { facts: "golden", story: "today", end: "today" }]);
      expect(asked(process)).toEqual(["story", "end", "answer"]);
    });
  });

  test("is rerun over: one subtask anew, and the answer", async () => {
    await today(version, async (process) => {
      const outcome = await (await process.orchestrator.rerun("ok", { subtask: "facts" })).outcome;
      expect([outcome.status, authors(outcome)]).toEqual(["ok", { ...byGolden, facts: "today" }]);
      expect(asked(process)).toEqual(["facts", "answer"]);
    });
  });

  test("answers the same request from its shared cache", async () => {
    await today(
      version,
      async (process) => {
        const outcome = await process.orchestrator.orchestrate("The shared one", context);
        expect(outcome).toMatchObject({ status: "ok", text: `golden: answer; ${odd}` });
        expect([authors(outcome), asked(process)]).toEqual([byGolden, []]);
      },
      "golden",
    );
  });

  test("is listed and shown in the terminal", async () => {
    const env = { DIVVY_DATA_DIR: copyOf(version) };
    const { stdout: listed } = await cli(["runs", "--json"], { env });
    const runs: unknown[] = JSON.parse(listed);
    expect(runs).toHaveLength(version === "v1" ? 6 : 9);
    for (const [runId, status, calls] of [
      ["ok", "ok", 5],
      ["rerun", "ok", 2],
      ["direct", "ok", 1],
      ["shared", "ok", 5],
      ["partial", "partial", 3],
    ] as const) {
      expect(runs).toContainEqual(
        expect.objectContaining({ runId, status, calls, task: expect.stringMatching(/^The \w+ one$/), tokens: expect.any(Number), cost: expect.any(Number) }),
      );
    }
    expect(runs).toContainEqual(expect.objectContaining({ runId: "killed", task: "The killed one" }));

    const shown = await cli(["show", "partial", "--json"], { env });
    expect(JSON.parse(shown.stdout)).toMatchObject({
      status: "partial",
      request: { task: "The partial one", context },
      plan: { complete: true, analysis: "Three parts.", combine: "merge" },
      subtasks: [
        { subtask: { id: "facts" }, status: "done", text: `golden: facts; ${odd}`, attempt: 2 },
        { subtask: { id: "story" }, status: "failed", error: { code: "bad_request" } },
        { subtask: { id: "end", dependsOn: ["story"] }, status: "skipped" },
      ],
      outcome: { status: "partial", coverage: { planned: 3, done: 1, failed: 1, skipped: 1 } },
    });
    const text = await cli(["show", "direct"], { env });
    expect([text.code, text.stdout]).toEqual([0, "golden: by itself\n"]);
    expect((await cli(["show", "killed", "--events"], { env })).stdout.trimEnd().split("\n").length).toBeGreaterThan(5);
  });

  // A log is read by the names of its fields, and one that has another name now reads as if it had never been there.
  test("has no fact with a field that is not written any more", async () => {
    const file = join(mkdtempSync(join(folder, "today-")), "runs.sqlite");
    const ours = sqliteLedger(file);
    await writeGolden(ours);
    const [before, now] = [await today(version, (_, ledger) => fieldsIn(ledger)), await fieldsIn(ours)];
    await ours.close();
    expect(before.length).toBeGreaterThan(100);
    expect(before.filter((field) => !now.includes(field))).toEqual([]);
  });
});

describe.each(versions.filter((version) => version !== "v1"))("the golden ledger %s", (version) => {
  test("gives the outcome of a run of two rounds without a call", async () => {
    await today(version, async (process) => {
      const outcome = await (await process.orchestrator.resume("rounds")).outcome;
      expect([outcome.status, authors(outcome)]).toEqual(["ok", { ...byGolden, more: "golden" }]);
      expect(asked(process)).toEqual([]);
    });
  });

  test("is gone on with where a process died while its orchestrator looked: it is shown the same again", async () => {
    await today(version, async (process) => {
      const outcome = await (await process.orchestrator.resume("look")).outcome;
      expect([outcome.status, authors(outcome)]).toEqual(["ok", byGolden]);
      expect(asked(process)).toEqual(["plan", "answer"]);
      expect(process.model.calls[0]?.prompt).toContain(`golden: story; ${odd}`);
    });
  });

  test("is gone on with where nobody had approved the plan: it is asked about as it stands, without a call", async () => {
    await today(version, async (process) => {
      const outcome = await (await process.orchestrator.resume("waiting", { approvePlan: async (plan) => plan })).outcome;
      expect(outcome.status).toBe("ok");
      expect(asked(process)).toEqual(["facts", "story", "end", "answer"]);
    });
  });
});

/** All fields of all facts and records that a ledger holds, each with its path, such as "subtask.planned subtask.id". */
async function fieldsIn(ledger: Ledger): Promise<string[]> {
  const fields = new Set<string>();
  for (const record of await ledger.listRuns()) {
    for (const path of pathsIn(record)) fields.add(`record ${path}`);
    for (const fact of await ledger.readFacts(record.runId)) for (const path of pathsIn(fact)) fields.add(`${fact.type} ${path}`);
  }
  return [...fields];
}

function pathsIn(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, `${path}[]`));
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, path === "" ? key : `${path}.${key}`));
}
