import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import type { Clock } from "../../runtime.ts";
import { weightsError } from "./download-failure.ts";
import { Watchdog } from "./watchdog.ts";

export interface DownloadProgress {
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface DownloadOptions {
  readonly url: string;
  /** Where the file shall be, whole and verified; until then it is `<path>.part`. */
  readonly path: string;
  readonly weights: { readonly bytes: number; readonly sha256: string };
  readonly fetch: typeof globalThis.fetch;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly clock: Clock;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
}

/** Fetches the file, from where an earlier try ended. The caller holds the lock. Rejects with whatever went wrong. */
export async function downloadWeights(options: DownloadOptions): Promise<void> {
  const { path, weights, signal } = options;
  const part = `${path}.part`;
  if ((await sizeOf(part)) > weights.bytes) await rm(part, { force: true });
  if ((await sizeOf(part)) < weights.bytes && !(await fetchRest(part, options))) {
    // The server does not know our range: what we have is not the beginning of what it has.
    await rm(part, { force: true });
    if (!(await fetchRest(part, options))) throw weightsError("The server of the built-in model refuses to send it (status 416).", { status: 416 });
  }
  const size = await sizeOf(part);
  if (size < weights.bytes) {
    throw weightsError(`The download of the built-in model was cut off after ${size} of ${weights.bytes} bytes; the next one goes on from there.`);
  }
  if ((await sumOf(part, signal)) !== weights.sha256) {
    await rm(part, { force: true });
    throw weightsError("What was downloaded is not the built-in model: its SHA-256 sum is wrong. It was deleted.");
  }
  await rename(part, path);
}

/** Appends what is missing to the part. False where the server rejects the range. */
async function fetchRest(part: string, options: DownloadOptions): Promise<boolean> {
  const { url, fetch, signal, connectMs, idleMs, clock, weights } = options;
  const from = await sizeOf(part);
  using watchdog = new Watchdog(clock, signal);
  watchdog.expect(connectMs, `the server did not answer within ${connectMs / 1000} s`);
  const response = await fetch(url, { signal: watchdog.signal, ...(from > 0 && { headers: { range: `bytes=${from}-` } }) });
  const body = response.body;
  if (response.status === 416 && from > 0) {
    await body?.cancel();
    return false;
  }
  const resumed = response.status === 206 && startOf(response) === from;
  if (!body || !(resumed || response.status === 200)) {
    await body?.cancel();
    throw weightsError(`The built-in model could not be downloaded: ${new URL(url).host} answered with status ${response.status}.`, {
      status: response.status,
    });
  }
  const alive = (): void => watchdog.expect(idleMs, `the server was silent for ${idleMs / 1000} s`);
  const size = await write(body, part, resumed ? from : 0, options, alive);
  if (size > weights.bytes) {
    await rm(part, { force: true });
    throw weightsError(`What is sent is not the built-in model: it is larger than ${weights.bytes} bytes. It was deleted.`);
  }
  return true;
}

/** Writes the body into the part from `offset` on; the size that the part then has. Stops when it is too large. */
async function write(body: AsyncIterable<Uint8Array>, part: string, offset: number, options: DownloadOptions, alive: () => void): Promise<number> {
  const { onProgress, weights } = options;
  await using file = await open(part, offset > 0 ? "a" : "w");
  let size = offset;
  const tell = (): void => onProgress?.({ receivedBytes: size, totalBytes: weights.bytes });
  tell();
  alive();
  for await (const chunk of body) {
    alive();
    await file.appendFile(chunk);
    size += chunk.byteLength;
    if (size > weights.bytes) return size;
    tell();
  }
  // The file gets its name after this; a crash must not leave the name on bytes that never reached the disk.
  await file.sync();
  return size;
}

/** Where a partial answer starts, as it says itself. */
function startOf(response: Response): number | undefined {
  const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

export async function sumOf(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const chunks: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) });
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}
