import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { UIMessage } from "ai";
import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { requestOfPrompt, type TaskAndContext, toRequest } from "./conversation.ts";

const user = (...parts: UIMessage["parts"]): Pick<UIMessage, "role" | "parts"> => ({ role: "user", parts });
const says = (role: UIMessage["role"], text: string): Pick<UIMessage, "role" | "parts"> => ({ role, parts: [{ type: "text", text }] });
const requestOf = (messages: readonly Pick<UIMessage, "role" | "parts">[]): TaskAndContext => toRequest({ id: "c1", messages });
const text = (words: string): { type: "text"; text: string } => ({ type: "text", text: words });

describe("a chat's messages", () => {
  test("of one are a task without context", () => {
    expect(requestOf([says("user", "Describe the bottle")])).toEqual({ task: "Describe the bottle", context: "" });
  });

  test("make the last one of the user the task, and all others the context, told apart by who said it", () => {
    const messages = [says("system", "Be brief."), says("user", "What is it?"), says("assistant", "A bottle."), says("user", "Describe it.")];
    expect(requestOf(messages)).toEqual({
      task: "Describe it.",
      context: { instructions: "Be brief.", conversation: "user: What is it?\n\nassistant: A bottle." },
    });
  });

  test("count what the assistant answered, not how it came to that", () => {
    const answer = [
      { type: "reasoning", text: "Facts first." },
      { type: "data-subtask", id: "facts", data: {} },
      { type: "text", text: "A bottle." },
    ] as const;
    const { context } = requestOf([says("user", "What is it?"), { role: "assistant", parts: [...answer] }, says("user", "Describe it.")]);
    expect(context).toEqual({ conversation: "user: What is it?\n\nassistant: A bottle." });
  });

  test.each([
    ["base64", `data:text/plain;base64,${Buffer.from("Größe: 0.5 l").toString("base64")}`],
    ["percent signs", "data:text/plain,Gr%C3%B6%C3%9Fe: 0.5 l"],
  ])("hold text files in %s as what they say", (_, url) => {
    const { task } = requestOf([user({ type: "file", mediaType: "text/plain", url }, text("Describe it."))]);
    expect(task).toBe("Größe: 0.5 l\n\nDescribe it.");
  });

  test.each([
    ["nothing of the user's", [says("assistant", "Hello.")], "There is no task"],
    ["a last message without text", [says("user", "Hello."), says("user", " ")], "There is no task"],
    ["a picture", [user({ type: "file", mediaType: "image/png", url: "data:image/png;base64,AA==" }, text("What is it?"))], "image/png"],
    ["a file somewhere else", [user({ type: "file", mediaType: "text/plain", url: "https://example.com/a.txt" }, text("Sum up."))], "text/plain"],
    ["a file that breaks off", [user({ type: "file", mediaType: "text/plain", url: "data:text/plain,%C3%B" }, text("Sum up."))], "text/plain"],
  ])("with %s are refused, saying what to do", (_, messages, said) => {
    expect(() => requestOf(messages)).toThrow(expect.objectContaining({ code: "invalid_option", message: expect.stringContaining(said) }));
    expect(() => requestOf(messages)).toThrow(DivvyError);
  });
});

test.each([
  ["nothing", undefined],
  ["messages without their body", [says("user", "Describe it.")]],
  ["a prompt", { prompt: "Describe it." }],
  ["messages of another make", { messages: [{ role: "user", content: "Describe it." }] }],
  ["a role that there is not", { messages: [{ role: "tool", parts: [] }] }],
  ["parts that are none", { messages: [{ role: "user", parts: ["Describe it."] }] }],
])("a body that is no chat's is refused as such: %s", (_, posted) => {
  expect(() => toRequest(posted)).toThrow(expect.objectContaining({ code: "invalid_option", message: expect.stringContaining("not what a chat posts") }));
});

describe("a model's prompt", () => {
  test("is read as a chat is, and says what it leaves out", () => {
    const prompt: LanguageModelV4Prompt = [
      { role: "system", content: "Be brief." },
      { role: "user", content: [text("What is it?")] },
      {
        role: "assistant",
        content: [{ type: "reasoning", text: "Look it up." }, text("I look."), { type: "tool-call", toolCallId: "1", toolName: "look", input: {} }],
      },
      { role: "tool", content: [{ type: "tool-result", toolCallId: "1", toolName: "look", output: { type: "text", value: "A bottle." } }] },
      { role: "user", content: [text("Describe it."), text("At length.")] },
      { role: "assistant", content: [text("It is")] },
    ];
    expect(requestOfPrompt(prompt)).toEqual({
      task: "Describe it.\n\nAt length.",
      context: { instructions: "Be brief.", conversation: "user: What is it?\n\nassistant: I look.\n\nassistant: It is" },
      leftOut: ["tool calls", "tool results"],
    });
  });

  test.each([
    ["as text", { type: "text", text: "0.5 l" }],
    ["as bytes", { type: "data", data: new TextEncoder().encode("0.5 l") }],
    ["as base64", { type: "data", data: Buffer.from("0.5 l").toString("base64") }],
  ] as const)("has text files as what they say: %s", (_, data) => {
    const { task } = requestOfPrompt([{ role: "user", content: [{ type: "file", mediaType: "text/plain", data }, text("Describe it.")] }]);
    expect(task).toBe("0.5 l\n\nDescribe it.");
  });
});
