import { isRecord } from "../json.ts";

/** The JSON a server on this machine answers with; `undefined` where it does not answer with any, soon. */
export type Ask = (url: string, body?: unknown) => Promise<unknown>;

/** On loopback whoever listens answers at once; a probe must not delay the start. */
const WAIT_MS = 300;

export function asking(fetch: typeof globalThis.fetch): Ask {
  return async (url, body) => {
    try {
      const response = await fetch(url, {
        signal: AbortSignal.timeout(WAIT_MS),
        // What is asked on loopback stays there.
        redirect: "error",
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      if (!response.ok) return undefined;
      const answer: unknown = await response.json();
      return answer;
    } catch {
      return undefined;
    }
  };
}

/** The objects in a list under `key`; `undefined` where there is no such list. */
export function listIn(value: unknown, key: string): readonly Record<string, unknown>[] | undefined {
  const list = isRecord(value) ? value[key] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : undefined;
}

export function textIn(value: Readonly<Record<string, unknown>>, key: string): string {
  const text = value[key];
  return typeof text === "string" ? text : "";
}

export function textsIn(value: unknown, key: string): readonly string[] | undefined {
  const list = isRecord(value) ? value[key] : undefined;
  return Array.isArray(list) ? list.filter((entry) => typeof entry === "string") : undefined;
}

/** Models that turn text into vectors say so in their names, where they say it nowhere else. */
export function soundsLikeEmbedding(name: string): boolean {
  return /bert|embed|minilm|bge-|rerank/i.test(name);
}
