import { createServer, type ServerResponse } from "node:http";
import { type Asked, now, read, replyParts, subtaskOf, write } from "./chat-completion.ts";
import { models, planPartMs, planParts, synthesisMs, workerMs } from "./workload.ts";

/** The provider of the benchmark, in a process of its own: chat completions, streamed, each byte at its time. */

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

const runs = new Map<string, Seen>();

function seenOf(run: string): Seen {
  const known = runs.get(run) ?? { planAt: 0, planEndAt: 0, tagAt: [], workerAt: [], workerEndAt: [], synthesisAt: 0, synthesisEndAt: 0 };
  runs.set(run, known);
  return known;
}

async function serve(asked: Asked, response: ServerResponse): Promise<void> {
  const { run, model, stream } = asked;
  const seen = seenOf(run);
  const at = now();
  if (model === models.planner) {
    seen.planAt = at;
    const parts = planParts(asked).map((text, n) => ({
      text,
      atMs: planPartMs(asked, n),
      after: () => {
        // The first part opens the plan, the last closes it.
        if (n > 0 && n <= asked.subtasks) seen.tagAt[n - 1] = now();
      },
    }));
    await write(response, at, parts, stream);
    seen.planEndAt = now();
  } else if (model === models.worker) {
    const subtask = subtaskOf(asked);
    seen.workerAt[subtask] = at;
    await write(response, at, replyParts(workerMs(asked, subtask)), stream);
    seen.workerEndAt[subtask] = now();
  } else {
    seen.synthesisAt = at;
    await write(response, at, replyParts(synthesisMs(asked)), stream);
    seen.synthesisEndAt = now();
  }
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (request.method === "GET") {
    const run = url.searchParams.get("run") ?? "";
    response.end(JSON.stringify(runs.get(run) ?? null));
    runs.delete(run);
    return;
  }
  await serve(await read(request), response);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" ? address?.port : undefined });
});
process.on("disconnect", () => process.exit());
