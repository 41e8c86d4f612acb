import { createServer, type ServerResponse } from "node:http";
import { type Asked, due, now, read, replyParts, subtaskOf, write } from "./chat-completion.ts";
import { networkMs, planPartMs, type Throttler, throttlers, workerMs } from "./throttling-workload.ts";
import { models, planParts, warmUp } from "./workload.ts";

/** A provider that throttles, in a process of its own, behind a network that takes its time. Each run has its limits for itself. */
export interface ThrottlingSeen {
  /** Times of requests that were taken, and of those that were sent back, in milliseconds after the planner's. */
  readonly takenAt: number[];
  readonly throttledAt: number[];
  mostAtOnce: number;
}

interface Limited {
  readonly seen: ThrottlingSeen;
  planAt: number;
  inFlight: number;
}

const runs = new Map<string, Limited>();

function runOf(run: string): Limited {
  const known = runs.get(run) ?? { seen: { takenAt: [], throttledAt: [], mostAtOnce: 0 }, planAt: 0, inFlight: 0 };
  runs.set(run, known);
  return known;
}

async function plan(asked: Asked, limited: Limited, response: ServerResponse): Promise<void> {
  const at = now();
  limited.planAt = at;
  const parts = planParts(asked, "keep").map((text, n) => ({ text, atMs: planPartMs(asked.seed, n) }));
  await due(at, 2 * networkMs);
  // As the client sees it: the network's part is within these times.
  await write(response, at, parts, asked.stream);
}

async function work(asked: Asked, limited: Limited, throttler: Throttler, response: ServerResponse): Promise<void> {
  const { seen } = limited;
  await due(now(), networkMs);
  const at = now();
  const { slots = Number.POSITIVE_INFINITY, perSecond = Number.POSITIVE_INFINITY, retryAfterS, tells } = throttler;
  const lately = (): number => seen.takenAt.filter((takenAt) => takenAt > at - limited.planAt - 1000).length;
  const isTaken = asked.seed === warmUp || (limited.inFlight < slots && lately() < perSecond);
  if (isTaken) seen.takenAt.push(at - limited.planAt);
  if (tells) {
    response.setHeader("x-ratelimit-limit-requests", perSecond);
    response.setHeader("x-ratelimit-remaining-requests", perSecond - lately());
    response.setHeader("x-ratelimit-reset-requests", `${Math.ceil((lately() * 1000) / perSecond)}ms`);
  }
  if (!isTaken) {
    seen.throttledAt.push(at - limited.planAt);
    await due(at, networkMs);
    if (retryAfterS !== undefined) response.setHeader("retry-after", retryAfterS);
    response.writeHead(429, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { message: "Rate limit reached.", type: "requests", param: null, code: "rate_limit_exceeded" } }));
    return;
  }
  limited.inFlight++;
  seen.mostAtOnce = Math.max(seen.mostAtOnce, limited.inFlight);
  const totalMs = workerMs(asked.seed, subtaskOf(asked));
  const leave = async (): Promise<void> => {
    await due(at, networkMs);
    await write(response, at + networkMs, replyParts(totalMs), asked.stream);
  };
  const free = async (): Promise<void> => {
    await due(at, totalMs);
    limited.inFlight--;
  };
  await Promise.all([leave(), free()]);
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
  if (request.method === "GET") {
    response.end(JSON.stringify(runs.get(searchParams.get("run") ?? "")?.seen ?? null));
    return;
  }
  const throttler = throttlers.get(pathname.split("/")[1] ?? "");
  if (throttler === undefined) throw new Error(`There is no provider at ${pathname}.`);
  const asked = await read(request);
  const limited = runOf(asked.run);
  await (asked.model === models.planner ? plan(asked, limited, response) : work(asked, limited, throttler, response));
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" ? address?.port : undefined });
});
process.on("disconnect", () => process.exit());
