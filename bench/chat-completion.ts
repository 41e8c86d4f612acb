import type { IncomingMessage, ServerResponse } from "node:http";
import { deltas, reply } from "./workload.ts";

/** Chat completions as the doubles of the bench write them: each part at its time, kept against the clock and not against the last timer. */
export interface Part {
  readonly text: string;
  /** When it is due, after the request came. */
  readonly atMs: number;
  readonly after?: () => void;
}

export const now = (): number => performance.timeOrigin + performance.now();

function chunk(text: string): string {
  return `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 0, model: "bench", choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
}

const usage = { prompt_tokens: 500, completion_tokens: 100, total_tokens: 600 };

const end = `data: ${JSON.stringify({
  id: "c",
  object: "chat.completion.chunk",
  created: 0,
  model: "bench",
  choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
  usage,
})}\n\ndata: [DONE]\n\n`;

/** Written once: each worker's reply is made of them. */
const replyChunks = new Map(reply.map((text) => [text, chunk(text)]));

/** A worker's or the synthesizer's reply, spread evenly over its time. */
export function replyParts(totalMs: number): Part[] {
  return reply.map((text, n) => ({ text, atMs: (totalMs * (n + 1)) / deltas }));
}

export async function due(from: number, atMs: number): Promise<void> {
  const wait = from + atMs - now();
  if (wait > 0.5) await new Promise((resolve) => setTimeout(resolve, wait));
}

/** Writes each part at its time, or all of them as one body when the last is due. */
export async function write(response: ServerResponse, from: number, parts: readonly Part[], stream: boolean): Promise<void> {
  if (!stream) {
    await due(from, parts.at(-1)?.atMs ?? 0);
    for (const { after } of parts) after?.();
    response.writeHead(200, { "content-type": "application/json" });
    response.end(whole(parts.map(({ text }) => text).join("")));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  for (const { text, atMs, after } of parts) {
    await due(from, atMs);
    response.write(replyChunks.get(text) ?? chunk(text));
    after?.();
  }
  response.end(end);
}

function whole(content: string): string {
  return JSON.stringify({
    id: "c",
    object: "chat.completion",
    created: 0,
    model: "bench",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage,
  });
}

export interface Asked {
  readonly model: string;
  /** All messages, as JSON. */
  readonly prompt: string;
  /** What the task names: the run, its workload's size and seed. */
  readonly run: string;
  readonly subtasks: number;
  readonly seed: number;
  readonly stream: boolean;
}

export async function read(request: IncomingMessage): Promise<Asked> {
  let text = "";
  request.setEncoding("utf8");
  for await (const part of request) text += String(part);
  const body: { model: string; messages: unknown; stream?: boolean } = JSON.parse(text);
  const prompt = JSON.stringify(body.messages);
  const [, run = "", subtasks = "0", seed = "0"] = /bench-run (\w+) of (\d+) seed (\d+)/.exec(prompt) ?? [];
  return { model: body.model, prompt, run, subtasks: Number(subtasks), seed: Number(seed), stream: body.stream === true };
}

/** Which of the workers asks. */
export function subtaskOf({ prompt }: Asked): number {
  return Number(/Write part (\d+) of the report/.exec(prompt)?.[1]);
}
