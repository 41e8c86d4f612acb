import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const root = new URL("../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

interface Row {
  readonly line: number;
  readonly term: string;
  readonly where: readonly { readonly symbol: string; readonly file: string }[];
  readonly shownBy: readonly { readonly file: string; readonly name: string }[];
}

/** Every row of every table, heads left out. */
const rows: readonly Row[] = read("docs/pattern.md")
  .split("\n")
  .flatMap((text, index): Row[] => {
    if (!text.startsWith("| ") || text.startsWith("| In the pattern |")) return [];
    const [, term = "", , where = "", shownBy = ""] = text.split("|").map((cell) => cell.trim());
    return [
      {
        line: index + 1,
        term,
        where: [...where.matchAll(/`([^`]+)` in `([^`]+)`/g)].map(([, symbol = "", file = ""]) => ({ symbol, file })),
        shownBy: [...shownBy.matchAll(/`([^`]+)`: "([^"]+)"/g)].map(([, file = "", name = ""]) => ({ file, name })),
      },
    ];
  });

/** The pattern's terms as it is published: each has a row. */
const terms = [
  ...["Dynamic task decomposition", "distinct approaches", "subtasks depend on input", "strategy comparison"],
  ...["single-output tasks", "latency is critical", "predictable and pre-definable"],
  ...["Two-phase workflow", "Phase 1: analysis and planning", "Phase 2: execution", "XML task breakdown", "Aggregated results"],
  ...["`<analysis>`", "`<tasks>`", "`<task>`", "`<type>`", "`<description>`", "`extract_xml`", "`parse_tasks`"],
  ...["`ORCHESTRATOR_PROMPT`", "`WORKER_PROMPT`", "`{task}`", "`{context}`", "`{task_type}`", "`{task_description}`"],
  ...[
    "`FlexibleOrchestrator`",
    "`orchestrator_prompt`",
    "`worker_prompt`",
    "`orchestrate`",
    "`execute_worker`",
    "`original_task`",
    "`task_spec`",
    "`llm_call`",
  ],
  ...["Results of `type`, `description`, `result`", "`[Error: Empty response]`"],
  ...["Marketing copy generation", "eco-friendly water bottle", "e-commerce, social media and retail"],
  ...["N+1 calls", "Sequential processing", "Parallel workers", "thread pools", "`max_workers`", "Model selection strategy"],
  ...["Suboptimal decomposition", "Empty responses", "Malformed responses", "XML parsing failures", "JSON as alternative format", "High API costs"],
  ...["Retry logic", "Synthesis phase", "Adaptive workers", "Caching of orchestrator decisions for similar tasks", "Feedback loop with an evaluator"],
];

/** Exported from the file, or defined in it: a declaration, a method, or a property. */
function isDefined(symbol: string, source: string): boolean {
  const name = symbol.replaceAll("$", "\\$");
  const declared = new RegExp(`\\b(?:function|class|const|interface|type)\\s+${name}\\b`);
  const member = new RegExp(`^\\s+(?:readonly |async |get |static )*${name}\\??[(:]`, "m");
  return declared.test(source) || member.test(source);
}

/** A title of a test, or of a group of them. */
function isTitle(name: string, source: string): boolean {
  return source.split("\n").some((line) => line.includes(name) && /^\s*(?:(?:test|it|describe)\b|\]\)\()/.test(line));
}

describe("docs/pattern.md", () => {
  test.each(terms)("has a row for %s", (term) => {
    expect(rows.filter((row) => row.term.includes(term))).not.toHaveLength(0);
  });

  test.each(rows.map((row) => [row.line, row.term, row] as const))("line %i, %s: file, symbol and test are there", (_, __, { where, shownBy }) => {
    expect({ where: where.length > 0, shownBy: shownBy.length > 0 }).toEqual({ where: true, shownBy: true });
    for (const { symbol, file } of where) {
      expect(existsSync(new URL(file, root)), file).toBe(true);
      expect(isDefined(symbol, read(file)), `${symbol} in ${file}`).toBe(true);
    }
    for (const { file, name } of shownBy) {
      expect(existsSync(new URL(file, root)), file).toBe(true);
      expect(isTitle(name, read(file)), `"${name}" in ${file}`).toBe(true);
    }
  });

  test("leaves out no cell that it could not read", () => {
    const cells = rows.map(({ where, shownBy }) => where.length + shownBy.length).reduce((sum, count) => sum + count, 0);
    const text = read("docs/pattern.md");
    expect(cells).toBe([...text.matchAll(/` in `/g)].length + [...text.matchAll(/\.test\.ts`: /g)].length);
  });
});
