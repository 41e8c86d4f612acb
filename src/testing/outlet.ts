import type { IncomingMessage, ServerResponse } from "node:http";
import { isRecord } from "../json.ts";

/** Where a reply goes out. */
export interface Outlet {
  /** Sends the status and the headers at once. */
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /** Resolves when the text is handed to the network. */
  write(text: string | Uint8Array): Promise<void>;
  end(text: string): void;
  /** Breaks the connection. */
  reset(): void;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
}

export function outletOf(response: ServerResponse): Outlet {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("The connection was closed.")));
  return {
    signal: gone.signal,
    head(status, headers) {
      response.writeHead(status, headers);
      response.flushHeaders();
    },
    // One write at a time, so that each delta travels on its own. A closed connection is the signal's matter.
    write: (text) =>
      new Promise((resolve) => {
        if (text.length === 0 || response.destroyed) resolve();
        else response.write(text, () => resolve());
      }),
    end: (text) => void response.end(text),
    reset() {
      // Before the headers with a reset packet; later without one, for it would take back deltas that were not yet read.
      if (response.headersSent) response.socket?.destroy();
      else response.socket?.resetAndDestroy();
    },
  };
}

/** A request's body; `undefined` where it is not a JSON object. */
export async function readJson(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  let text = "";
  request.setEncoding("utf8");
  for await (const chunk of request) text += String(chunk);
  try {
    const body: unknown = JSON.parse(text);
    return isRecord(body) ? body : undefined;
  } catch {
    return undefined;
  }
}
