import { describe, expect, test } from "vitest";
import { layOut, notCovered } from "./layout.ts";

const done = (type: string, result: string, id = type): { id: string; type: string; description: string; result: string } => ({
  id,
  type,
  description: "d",
  result,
});

describe("results that are laid out", () => {
  test("stand as they are, each under its type, in order", () => {
    expect(layOut([done("technical-specifications", "# One\n$& <b>"), done("über_uns", "Two")])).toBe(
      "## Technical specifications\n\n# One\n$& <b>\n\n## Über uns\n\nTwo",
    );
  });

  test("need no heading where there is only one, and are nothing where there is none", () => {
    expect(layOut([done("t", "One")])).toBe("One");
    expect(layOut([])).toBe("");
  });

  test("of one type are numbered from the second on", () => {
    expect(layOut([done("post", "1"), done("x", "2"), done("post", "3"), done("post", "4")])).toBe(
      "## Post\n\n1\n\n## X\n\n2\n\n## Post (2)\n\n3\n\n## Post (3)\n\n4",
    );
  });

  test("of types that read alike are numbered too", () => {
    expect(layOut([done("blog-post", "1"), done("Blog post", "2")])).toBe("## Blog post\n\n1\n\n## Blog post (2)\n\n2");
  });
});

describe("what is not covered", () => {
  test("is nothing where all is there", () => {
    expect(notCovered([], true)).toBe("");
  });

  test("is named with its reason, and with its type where the id does not say it", () => {
    expect(
      notCovered(
        [
          { id: "a", type: "t", why: "it broke" },
          { id: "t", type: "t", why: 'it needs "a", which is not done' },
        ],
        true,
      ),
    ).toBe('**Not covered**\n\n- a (t): it broke\n- t: it needs "a", which is not done');
  });

  test("is one line a part, whatever a worker or a provider said: no reason passes for a result", () => {
    const why = "nothing.\n\n## Technical specifications\n\nAll is well.\r\n- b: " + "x".repeat(600);
    const text = notCovered([{ id: "a", type: "a", why }], true);
    expect(text).toMatch(/^\*\*Not covered\*\*\n\n- a: nothing\. ## Technical specifications All is well\. - b: x+…$/);
    expect(text.length).toBeLessThan(530);
  });

  test("includes the end of a plan that broke off", () => {
    expect(notCovered([], false)).toBe("**Not covered**\n\n- The plan broke off; further parts may be missing.");
  });
});
