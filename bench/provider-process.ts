import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { deltas, models, planPartMs, planParts, reply, synthesisMs, type Workload, workerMs } from "./workload.ts";

/**
 * The provider of the benchmark, in a process of its own: chat completions, streamed, each byte at its time. Times are kept
 * against the clock and not against the last timer, so that a reply of many deltas takes as long as the model says.
 */

/** What was seen of one run, in epoch milliseconds. */
export interface Seen {
  /** When the planner's request came. */
  planAt: number;
  /** When the planner's reply was over. */
  planEndAt: number;
  /** When each subtask's closing tag left. */
  readonly tagAt: number[];
  /** When each worker's request came, and when its reply was over. */
  readonly workerAt: number[];
  readonly workerEndAt: number[];
  synthesisAt: number;
  synthesisEndAt: number;
}

const now = (): number => performance.timeOrigin + performance.now();

const runs = new Map<string, Seen>();

function seenOf(run: string): Seen {
  const known = runs.get(run) ?? { planAt: 0, planEndAt: 0, tagAt: [], workerAt: [], workerEndAt: [], synthesisAt: 0, synthesisEndAt: 0 };
  runs.set(run, known);
  return known;
}

function chunk(text: string): string {
  return `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 0, model: "bench", choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
}

const end = `data: ${JSON.stringify({
  id: "c",
  object: "chat.completion.chunk",
  created: 0,
  model: "bench",
  choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
  usage: { prompt_tokens: 500, completion_tokens: 100, total_tokens: 600 },
})}\n\ndata: [DONE]\n\n`;

const replyChunks = reply.map(chunk);

interface Part {
  readonly text: string;
  /** When it is due, after the request came. */
  readonly atMs: number;
  readonly after?: () => void;
}

async function due(from: number, atMs: number): Promise<void> {
  const wait = from + atMs - now();
  if (wait > 0.5) await new Promise((resolve) => setTimeout(resolve, wait));
}

/** Writes each part at its time, or all of them as one body when the last is due. */
async function write(response: ServerResponse, from: number, parts: readonly Part[], stream: boolean): Promise<void> {
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
    response.write(text);
    after?.();
  }
  response.end(end);
}

function whole(events: string): string {
  const content = [...events.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data).choices[0].delta.content).join("");
  const usage = { prompt_tokens: 500, completion_tokens: 100, total_tokens: 600 };
  return JSON.stringify({
    id: "c",
    object: "chat.completion",
    created: 0,
    model: "bench",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage,
  });
}

function replyParts(totalMs: number): { text: string; atMs: number }[] {
  return replyChunks.map((text, n) => ({ text, atMs: (totalMs * (n + 1)) / deltas }));
}

async function serve(body: { model: string; messages: unknown; stream?: boolean }, response: ServerResponse): Promise<void> {
  const prompt = JSON.stringify(body.messages);
  const [, run = "", count = "0", seed = "0"] = /bench-run (\w+) of (\d+) seed (\d+)/.exec(prompt) ?? [];
  const workload: Workload = { subtasks: Number(count), seed: Number(seed) };
  const seen = seenOf(run);
  const at = now();
  const stream = body.stream === true;
  if (body.model === models.planner) {
    seen.planAt = at;
    const parts = planParts(workload).map((text, n) => ({
      text: chunk(text),
      atMs: planPartMs(workload, n),
      after: () => {
        // The first part opens the plan, the last closes it.
        if (n > 0 && n <= workload.subtasks) seen.tagAt[n - 1] = now();
      },
    }));
    await write(response, at, parts, stream);
    seen.planEndAt = now();
  } else if (body.model === models.worker) {
    const subtask = Number(/Write part (\d+) of the report/.exec(prompt)?.[1]);
    seen.workerAt[subtask] = at;
    await write(response, at, replyParts(workerMs(workload, subtask)), stream);
    seen.workerEndAt[subtask] = now();
  } else {
    seen.synthesisAt = at;
    await write(response, at, replyParts(synthesisMs(workload)), stream);
    seen.synthesisEndAt = now();
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  request.setEncoding("utf8");
  for await (const part of request) text += String(part);
  return text;
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (request.method === "GET") {
    const run = url.searchParams.get("run") ?? "";
    response.end(JSON.stringify(runs.get(run) ?? null));
    runs.delete(run);
    return;
  }
  await serve(JSON.parse(await textOf(request)), response);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" ? address?.port : undefined });
});
process.on("disconnect", () => process.exit());
