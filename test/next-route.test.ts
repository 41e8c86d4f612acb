import { readFileSync } from "node:fs";
import { DefaultChatTransport, readUIMessageStream } from "ai";
import type { DivvyUIMessage } from "divvy/ai-sdk";
import { providerServer, type ProviderServer } from "divvy/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { markdown } from "./markdown.ts";

const plan = `<analysis>Facts and a story.</analysis><tasks combine="merge"><task id="facts"><type>facts</type><description>List the facts.</description></task><task id="story"><type>story</type><description>Tell the story.</description></task></tasks>`;

let slow = false;
let server: ProviderServer;
let handler: (req: Request) => Promise<Response>;

/** As where it is deployed: the model is named by the environment, and reached over HTTP. */
beforeAll(async () => {
  server = await providerServer(
    [
      { when: "You are the orchestrator", reply: plan },
      { when: "You carry out one subtask", reply: () => (slow ? { fault: { kind: "silence", afterChunks: 0 } } : "It is blue.") },
      { when: "Several workers each", reply: "Red, then blue." },
    ],
    { vary: false },
  );
  vi.stubEnv("DIVVY_MODEL", "openai-compatible:double");
  vi.stubEnv("OPENAI_COMPATIBLE_BASE_URL", server.openaiBaseUrl);
  handler = (await import("../examples/next-route/route.ts")).POST;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
});
afterEach(() => {
  slow = false;
});

const says = (id: string, role: "user" | "assistant", text: string): DivvyUIMessage => ({ id, role, parts: [{ type: "text", text }] });

/** What `useChat` sends, and how it reads what comes back, with the route in place of the network. */
async function ask(messages: DivvyUIMessage[]): Promise<DivvyUIMessage | undefined> {
  const transport = new DefaultChatTransport<DivvyUIMessage>({
    api: "http://chat.test/api/chat",
    fetch: (url, init) => handler(new Request(url instanceof Request ? url.url : url, init)),
  });
  const stream = await transport.sendMessages({ trigger: "submit-message", chatId: "c1", messageId: undefined, messages, abortSignal: undefined });
  return (await Array.fromAsync(readUIMessageStream<DivvyUIMessage>({ stream }))).at(-1);
}

describe("next-route", () => {
  test("answers a chat's request with the run as a message", async () => {
    const message = await ask([says("m1", "user", "Describe the bottle")]);
    expect(message?.parts.map((part) => (part.type === "data-subtask" ? [part.data.id, part.data.status] : part.type))).toEqual([
      "reasoning",
      ["facts", "done"],
      ["story", "done"],
      "text",
    ]);
    expect(message?.metadata?.outcome).toMatchObject({ status: "ok", calls: 4 });
  });

  test("gives earlier messages to the workers as context", async () => {
    const before = server.requests.length;
    await ask([says("m1", "user", "What is it?"), says("m2", "assistant", "A bottle."), says("m3", "user", "Describe it.")]);
    for (const { prompt } of server.requests.slice(before)) expect(prompt).toContain("assistant: A bottle.");
  });

  test("stops the run, and its calls, when the reader goes away", async () => {
    slow = true;
    const body = JSON.stringify({ messages: [says("m1", "user", "Describe the bottle")] });
    const response = await handler(new Request("http://chat.test/api/chat", { method: "POST", body }));
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; !text.includes("running"); text += (await reader?.read())?.value ?? "");
    await vi.waitFor(() => expect(server.inFlight).toBe(2));
    await reader?.cancel();
    await vi.waitFor(() => expect(server.inFlight).toBe(0));
  });

  test("stands in the README as it is", () => {
    const code = readFileSync(new URL("../examples/next-route/route.ts", import.meta.url), "utf8").replace(/^\/\*\*[^]*?\*\/\n/, "");
    expect(markdown("README.md").blocks.map(({ text }) => text.trim())).toContain(code.trim());
  });
});
