import { describe, expect, test } from "vitest";
import { type DoubleCall, type Question, scriptFunction, spoken, UnscriptedCallError } from "./script.ts";
import { scriptReader } from "./script-reader.ts";

function question(prompt: string, more: Partial<Question> = {}): Question {
  return {
    modelId: "m",
    json: false,
    ...spoken([
      { role: "system", text: "You plan." },
      { role: "user", text: prompt },
    ]),
    ...more,
  };
}

const call = (prompt: string): DoubleCall => ({ ...question(prompt), n: 1, asked: 1 });

test("spoken joins the texts of system and user messages, and leaves the others out of them", () => {
  const messages = [
    { role: "system", text: "S" },
    { role: "user", text: "one" },
    { role: "assistant", text: "reply" },
    { role: "user", text: "two" },
  ] as const;
  expect(spoken(messages)).toEqual({ system: "S", prompt: "one\ntwo", messages });
});

describe("rules", () => {
  test("match text in the system text or the prompt, an expression over both, or a test", () => {
    const reply = scriptFunction([
      { when: "apples", reply: "by text" },
      { when: /plan\.\npears/, reply: "by expression" },
      { when: ({ prompt }) => prompt.length > 20, reply: ({ prompt }) => `by test: ${prompt.length}` },
      { when: "You plan", reply: "by system" },
    ]);
    expect(reply(call("apples"))).toBe("by text");
    expect(reply(call("pears"))).toBe("by expression");
    expect(reply(call("x".repeat(25)))).toBe("by test: 25");
    expect(reply(call("none of these"))).toBe("by system");
  });

  test("answer in order, each as often as it may", () => {
    const reply = scriptFunction([
      { when: "q", reply: "first", times: 2 },
      { when: "q", reply: "then" },
    ]);
    expect([1, 2, 3, 4].map(() => reply(call("q")))).toEqual(["first", "first", "then", "then"]);
  });

  test("match the same each time when an expression keeps a position", () => {
    const reply = scriptFunction([{ when: /apples/g, reply: "yes" }]);
    expect([reply(call("apples")), reply(call("apples"))]).toEqual(["yes", "yes"]);
  });

  test("fail loudly on a call that none of them foresees, quoting it and themselves", () => {
    const isLong = ({ prompt }: DoubleCall): boolean => prompt.length > 5_000;
    const reply = scriptFunction([
      { when: "apples", reply: "a", times: 1 },
      { when: /pears/i, reply: "b" },
      { when: isLong, reply: "c" },
    ]);
    expect(reply(call("apples"))).toBe("a");
    const thrown = (): unknown => {
      try {
        return reply(call(`apples again ${"x".repeat(500)}`));
      } catch (error) {
        return error;
      }
    };
    const error = thrown();
    expect(error).toBeInstanceOf(UnscriptedCallError);
    const message = error instanceof UnscriptedCallError ? error.message : "";
    expect(message).toContain("call 1 (m;");
    expect(message).toContain('System: "You plan."');
    expect(message).toContain('Prompt: "apples again xxx');
    expect(message.length).toBeLessThan(700);
    expect(message).toContain('1. "apples", used 1 of 1 time(s)');
    expect(message).toContain("2. /pears/i, used 0 time(s)");
    expect(message).toContain("3. test isLong(), used 0 time(s)");
  });
});

describe("scriptReader", () => {
  test("numbers calls as they come, and counts how often a question was asked", () => {
    const reader = scriptReader(() => "x");
    const asked = [
      question("a"),
      question("b"),
      question("a"),
      question("a", { json: true }),
      question("a", { modelId: "other" }),
      question("a", { maxOutputTokens: 9 }),
    ];
    expect(asked.map((one) => reader.ask(one)).map(({ n, asked: times }) => [n, times])).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
      [4, 1],
      [5, 1],
      [6, 3],
    ]);
  });

  test("answers a question verbatim at first and otherwise after that", async () => {
    const reader = scriptReader(() => "The sky is blue.", { seed: 4 });
    const ask = async (prompt: string): Promise<string> => (await reader.answer(reader.ask(question(prompt)))).text;
    const answers = [await ask("a"), await ask("a"), await ask("a"), await ask("b")];
    expect(new Set(answers.slice(0, 3)).size).toBe(3);
    expect([answers[0], answers[3]]).toEqual(["The sky is blue.", "The sky is blue."]);
    const again = scriptReader(() => "The sky is blue.", { seed: 4 });
    await again.answer(again.ask(question("a")));
    expect((await again.answer(again.ask(question("a")))).text).toBe(answers[1]);
  });

  test("does not count a reply of which no word came as an answer", async () => {
    const reader = scriptReader([
      { when: "a", times: 1, reply: { fault: { kind: "status", status: 429 } } },
      { when: "a", times: 1, reply: { text: "cut off here", fault: { kind: "cut", afterChunks: 1 } } },
      { when: "a", reply: "whole" },
    ]);
    const ask = async (): Promise<string> => (await reader.answer(reader.ask(question("a")))).text;
    expect(await ask()).toBe("");
    expect(await ask()).toBe("cut off here");
    expect(await ask()).toMatch(/^.+ whole \(/);
  });

  test("says the same each time where it is told not to vary", async () => {
    const reader = scriptReader(() => "same", { vary: false });
    const ask = async (): Promise<string> => (await reader.answer(reader.ask(question("a")))).text;
    expect([await ask(), await ask()]).toEqual(["same", "same"]);
  });

  test("passes on what the script throws", async () => {
    const reader = scriptReader([]);
    await expect(reader.answer(reader.ask(question("a")))).rejects.toThrow("The script has no rules.");
  });
});
