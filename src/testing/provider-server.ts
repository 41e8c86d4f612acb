import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { systemClock } from "../runtime.ts";
import { anthropicWire } from "./anthropic-wire.ts";
import { embeddingsPath, embeddingsReply } from "./openai-embeddings.ts";
import { openaiWire } from "./openai-wire.ts";
import { type Outlet, outletOf, readJson } from "./outlet.ts";
import { untilAbort } from "./playback.ts";
import { type PromptCacheOptions, promptCache } from "./prompt-cache.ts";
import type { DoubleCall, Script } from "./script.ts";
import { scriptReader, type VariationOptions } from "./script-reader.ts";
import type { Wire } from "./wire.ts";
import { sendBody, sendReply } from "./wire-reply.ts";

export interface ProviderServerOptions extends VariationOptions {
  /** Port on 127.0.0.1. @default 0, any that is free */
  readonly port?: number | undefined;
  /** Caches prompts up to their marks, as Anthropic does, and counts what it writes and reads in `usage`. @default no cache */
  readonly promptCache?: PromptCacheOptions | undefined;
  /** What goes wrong with a request for vectors, `n` counted from 1. @default nothing */
  readonly embeddingFault?: (n: number) => { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | undefined;
}

/** A call that a provider server got. */
export interface ProviderRequest extends DoubleCall {
  readonly path: string;
  readonly wire: "anthropic" | "openai";
  /** As it came, parsed. */
  readonly body: Record<string, unknown>;
  /** Names in lower case; its credentials included. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Times are milliseconds since the Unix epoch. */
  readonly receivedAt: number;
  /** When the response's headers left. Absent where they never did. */
  readonly firstByteAt?: number;
  /** When the response was complete or its connection closed. Absent while it is in flight. */
  readonly endedAt?: number;
  /** True where the client went away before the response was complete. */
  readonly closedByClient?: boolean;
  /** Why the script had no reply: usually an `UnscriptedCallError`. The client got a 400 with its message. */
  readonly error?: unknown;
}

/** A request for vectors that a provider server got. */
export interface EmbeddingRequest {
  readonly modelId: string;
  readonly texts: readonly string[];
  /** Names in lower case; its credentials included. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** A provider on 127.0.0.1 that says what a script says. */
export interface ProviderServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  /** For `createAnthropic({ baseURL })`. */
  readonly anthropicBaseUrl: string;
  /** For `createOpenAICompatible({ baseURL })` and `createOpenAI({ baseURL })`. */
  readonly openaiBaseUrl: string;
  /** Calls in the order in which they came. Requests to other paths, and bodies that are no JSON object, are none. */
  readonly requests: readonly ProviderRequest[];
  /** Requests for vectors, in the order in which they came. */
  readonly embeddings: readonly EmbeddingRequest[];
  /** Connections that are open, idle ones included. */
  readonly openSockets: number;
  /** Calls whose response is neither complete nor broken off. */
  readonly inFlight: number;
  /** The most calls that ever were in flight at once. */
  readonly maxInFlight: number;
  /** Breaks off what is in flight and closes every connection. Closing twice is closing once. */
  close(): Promise<void>;
}

const wires: readonly Wire[] = [anthropicWire, openaiWire];

type Recorded = { -readonly [K in keyof ProviderRequest]: ProviderRequest[K] };

/**
 * Starts a server that speaks the Anthropic Messages API (`POST /v1/messages`) and OpenAI chat completions
 * (`POST /v1/chat/completions`), streamed and whole, and answers from a script; besides, OpenAI embeddings (`POST /v1/embeddings`),
 * whose vectors are alike where texts have words in common. It answers differently every time it is
 * asked the same (`vary: false` turns that off), carries out every `Fault`, and records what it was asked. A call that
 * the script does not foresee gets a 400, which no client should try again, and stands in `requests` with its `error`.
 */
export async function providerServer(script: Script, options: ProviderServerOptions = {}): Promise<ProviderServer> {
  const reader = scriptReader(script, options);
  const cache = options.promptCache && promptCache(options.promptCache, systemClock);
  const requests: Recorded[] = [];
  const embeddings: EmbeddingRequest[] = [];
  const sockets = new Set<Socket>();
  let inFlight = 0;
  let maxInFlight = 0;
  let closing: Promise<void> | undefined;

  /** Notes when the response begins and how it ends. */
  const watch = (request: Recorded, response: ServerResponse, outlet: Outlet): Outlet => {
    let reset = false;
    response.once("close", () => {
      inFlight--;
      request.endedAt = systemClock.now();
      if (!response.writableFinished && !reset && closing === undefined) request.closedByClient = true;
    });
    return {
      ...outlet,
      head(status, headers) {
        request.firstByteAt = systemClock.now();
        outlet.head(status, headers);
      },
      reset() {
        reset = true;
        outlet.reset();
      },
    };
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const plain = outletOf(response);
    const path = new URL(incoming.url ?? "/", "http://127.0.0.1").pathname;
    if (path === embeddingsPath && incoming.method === "POST") {
      const asked = await readJson(incoming);
      if (asked === undefined) return sendBody(plain, 400, openaiWire.errorBody(400, "The body is not a JSON object."));
      const { reply, ...question } = embeddingsReply(asked);
      embeddings.push({ ...question, headers: incoming.headers });
      const fault = options.embeddingFault?.(embeddings.length);
      if (fault === undefined) return sendBody(plain, 200, reply);
      return sendBody(plain, fault.status, openaiWire.errorBody(fault.status, `Scripted status ${fault.status}`), fault.headers);
    }
    const wire = wires.find((known) => known.path === path);
    if (wire === undefined || incoming.method !== "POST") {
      const known = [...wires.map((other) => other.path), embeddingsPath].map((other) => `POST ${other}`).join(" and ");
      return sendBody(plain, 404, openaiWire.errorBody(404, `There is nothing at ${incoming.method} ${path}; there is ${known}.`));
    }
    const body = await readJson(incoming);
    if (body === undefined) return sendBody(plain, 400, wire.errorBody(400, "The body is not a JSON object."));

    const { question, stream } = wire.read(body);
    const call = reader.ask({ ...question, signal: plain.signal });
    const receivedAt = systemClock.now();
    const request: Recorded = { ...call, path, wire: wire.name, body, headers: incoming.headers, receivedAt };
    requests.push(request);
    maxInFlight = Math.max(maxInFlight, ++inFlight);
    const outlet = watch(request, response, plain);
    try {
      const scripted = await Promise.race([reader.answer(call), untilAbort(outlet.signal)]);
      const { reply, begun } = cache?.read(body, scripted) ?? { reply: scripted };
      await sendReply(wire, { call, reply, body, at: receivedAt }, stream, begun === undefined ? outlet : toldOf(outlet, begun));
    } catch (error) {
      if (outlet.signal.aborted) return;
      request.error = error;
      sendBody(outlet, 400, wire.errorBody(400, error instanceof Error ? error.message : String(error)));
    }
  };

  const server = createServer({ noDelay: true, keepAliveTimeout: IDLE_MS }, (incoming, response) => {
    // Only a connection that breaks while its request is read can fail here, and then nobody is left to tell.
    serve(incoming, response).catch(() => response.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: options.port ?? 0, backlog: BACKLOG }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  const url = `http://127.0.0.1:${address.port}`;

  const close = (): Promise<void> => {
    closing ??= (async () => {
      // The server says that it is closed before its last sockets say so.
      const gone = [...sockets].map((socket) => once(socket, "close"));
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, ...gone]);
    })();
    return closing;
  };

  return {
    url,
    anthropicBaseUrl: `${url}/v1`,
    openaiBaseUrl: `${url}/v1`,
    requests,
    embeddings,
    get openSockets() {
      return sockets.size;
    },
    get inFlight() {
      return inFlight;
    },
    get maxInFlight() {
      return maxInFlight;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Tells when the first word of a reply leaves. */
function toldOf(outlet: Outlet, begun: () => void): Outlet {
  return {
    ...outlet,
    write(text) {
      begun();
      return outlet.write(text);
    },
  };
}

/** Longer than any client keeps an idle connection, so that none is closed under a request on its way. */
const IDLE_MS = 120_000;

/** Connections that may wait to be accepted: a thousand workers start at once. */
const BACKLOG = 4_096;
