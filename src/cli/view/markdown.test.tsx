import { expect, test } from "vitest";
import { paintFor, plain } from "../writing/paint.ts";
import { Screen } from "../test-world.ts";
import { renderMarkdown } from "./markdown.tsx";

const styled = paintFor({ FORCE_COLOR: "1" }, new Screen());

const answer = `# The bottle

Some **bold**, *soft* and ~~old~~ text with \`code\` &amp; a [link](https://example.com/x), which is long enough to be wrapped.

- one item that is long enough to be wrapped in forty columns
- two
  1. nested
  2. more
- [x] checked

| Size | Price | Remark |
|---|---|---|
| 0.5 l | 19 | steel |
| 1 l | 29 | steel, and a longer remark here |

> quoted words

\`\`\`ts
const a = 1;
  return a;
\`\`\`

---

End.`;

test("lays an answer out", () => {
  expect(renderMarkdown(answer, 40, plain)).toMatchInlineSnapshot(`
    "# The bottle

    Some bold, soft and old text with code &
    a link (https://example.com/x), which is
    long enough to be wrapped.

    • one item that is long enough to be
      wrapped in forty columns
    • two
      1. nested
      2. more
    ☑ checked

    Size   Price  Remark
    ─────  ─────  ──────────────────────────
    0.5 l  19     steel
    1 l    29     steel, and a longer remark
                  here

    │ quoted words

      const a = 1;
        return a;

    ────────────────────────────────────────

    End."
  `);
});

test("styles what is set off", () => {
  expect(renderMarkdown("# A\n\n**b** `c`", 40, styled)).toBe("\u001B[1m\u001B[4mA\u001B[24m\u001B[22m\n\n\u001B[1mb\u001B[22m \u001B[36mc\u001B[39m");
});

test("a table too wide becomes a list of what its columns say", () => {
  expect(renderMarkdown("| Size | Price | A | B |\n|-|-|-|-|\n| 1 | 2 | 3 | 4 |\n| 5 | 6 | 7 | 8 |", 30, plain)).toMatchInlineSnapshot(`
    "Size: 1
    Price: 2
    A: 3
    B: 4

    Size: 5
    Price: 6
    A: 7
    B: 8"
  `);
});

test("a link always shows where it goes", () => {
  expect(renderMarkdown("[https://bank.example](https://evil.example) <https://a.example>", 80, plain)).toBe(
    "https://bank.example (https://evil.example) https://a.example",
  );
});

test("no line is wider than the terminal", () => {
  for (const columns of [12, 20, 40, 80, 300]) {
    for (const line of renderMarkdown(answer.repeat(2), columns, plain).split("\n")) expect(line.length).toBeLessThanOrEqual(Math.min(columns, 100));
  }
});

test("what cannot be laid out is shown as it is", () => {
  const deep = `${"> ".repeat(5000)}deep`;
  expect(renderMarkdown(deep, 40, plain)).toContain("deep");
  const long = "# x\n".repeat(60_000);
  expect(renderMarkdown(long, 40, plain)).toBe(long);
});
