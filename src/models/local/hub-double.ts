import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createHash } from "node:crypto";
import type { Weights } from "./weights.ts";

/** A server with one small file, in place of the hub. */
export interface HubDouble extends AsyncDisposable {
  readonly url: string;
  /** The `range` of each request, or "whole". */
  readonly asked: string[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
}

export const content: Buffer = Buffer.from(Array.from({ length: 64 * 1024 }, (_, i) => (i * 31) % 251));

export const fakeWeights: Weights = {
  name: "fake",
  file: "fake.gguf",
  bytes: content.length,
  sha256: createHash("sha256").update(content).digest("hex"),
  repo: "owner/repo",
  revision: "abc",
};

/** Answers as the hub does: the rest of the file where a range is asked for. */
export function serve(request: IncomingMessage, response: ServerResponse): void {
  const from = rangeStart(request);
  if (from >= content.length) return void response.writeHead(416).end();
  const headers = { "content-length": content.length - from };
  if (from > 0) response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${content.length - 1}/${content.length}` });
  else response.writeHead(200, headers);
  response.end(content.subarray(from));
}

export function rangeStart(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
}

export async function hubDouble(answer: HubDouble["answer"] = serve): Promise<HubDouble> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.range ?? "whole");
    double.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const double: HubDouble = {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    answer,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return double;
}
