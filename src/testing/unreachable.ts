import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { selfSigned } from "./self-signed.ts";

/** A provider that nobody gets to: there is an address, and no answer. */
export interface UnreachableProvider extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  /** For `createAnthropic({ baseURL })`. */
  readonly anthropicBaseUrl: string;
  /** For `createOpenAICompatible({ baseURL })` and `createOpenAI({ baseURL })`. */
  readonly openaiBaseUrl: string;
  /** Connections that are open. */
  readonly openSockets: number;
}

/**
 * Why it is not reached. `refused`: nobody listens at its port on 127.0.0.1. `unknown-host`: its name has no address (RFC 6761 keeps
 * `.invalid` free). `tls`: it shows a certificate that it signed itself.
 */
export type UnreachableBy = "refused" | "unknown-host" | "tls";

/** An address at which every request fails before anything of it has arrived. */
export async function unreachableProvider(by: UnreachableBy): Promise<UnreachableProvider> {
  switch (by) {
    case "unknown-host":
      return at("http://provider.invalid");
    case "refused": {
      const server = createServer();
      const port = await listen(server);
      await close(server);
      return at(`http://127.0.0.1:${port}`);
    }
    case "tls": {
      const server = createTlsServer(selfSigned);
      return at(`https://127.0.0.1:${await listen(server)}`, server);
    }
  }
}

function at(url: string, server?: Server): UnreachableProvider {
  const sockets = new Set<Socket>();
  server?.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return {
    url,
    anthropicBaseUrl: `${url}/v1`,
    openaiBaseUrl: `${url}/v1`,
    get openSockets() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (server?.listening) await close(server);
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address.port;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  await closed;
}
