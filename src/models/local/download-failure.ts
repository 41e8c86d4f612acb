import { dirname } from "node:path";
import { DivvyError, type Evidence } from "../../errors.ts";
import { systemCodeOf } from "../../system-code.ts";

/** The three ways on without the built-in model's weights. */
export const waysOn: string =
  "Set a provider's key (such as ANTHROPIC_API_KEY), start a local server (such as Ollama), or name a model file with local:/path/to/file.gguf.";

export function weightsError(message: string, evidence?: Evidence, cause?: unknown): DivvyError {
  return new DivvyError("local_model", message, { hint: waysOn, ...(evidence && { evidence }), ...(cause !== undefined && { cause }) });
}

export interface DownloadPlace {
  readonly url: string;
  readonly path: string;
  readonly signal?: AbortSignal;
}

const saidBySystem: ReadonlyMap<string, (place: DownloadPlace) => string> = new Map([
  ...["ENOSPC", "EDQUOT"].map((code) => [code, full] as const),
  ...["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "EISDIR"].map((code) => [code, closed] as const),
  ...["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT"].map(
    (code) => [code, unreachable] as const,
  ),
  ...["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "UND_ERR_BODY_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT"].map((code) => [code, cut] as const),
]);

/** What was thrown while the weights were fetched, as the one error that a user reads. */
export function downloadFailure(thrown: unknown, place: DownloadPlace): DivvyError {
  if (place.signal?.aborted) {
    if (place.signal.reason instanceof DivvyError) return place.signal.reason;
    return new DivvyError("aborted", "The download of the built-in model was stopped.", {
      hint: "What has arrived is kept; the next download goes on from there.",
      cause: place.signal.reason,
    });
  }
  if (thrown instanceof DivvyError) return thrown.code === "local_model" ? weightsError(thrown.message, thrown.evidence, thrown.cause) : thrown;
  const systemCode = systemCodeOf(thrown);
  const say = systemCode === undefined ? undefined : saidBySystem.get(systemCode);
  const reason = reasonOf(thrown);
  const message = say?.(place) ?? `The built-in model could not be downloaded from ${host(place)}: ${reason}`;
  return weightsError(message, systemCode === undefined ? undefined : { systemCode }, thrown);
}

function full({ path }: DownloadPlace): string {
  return `There is no room left for the built-in model in ${dirname(path)}.`;
}

function closed({ path }: DownloadPlace): string {
  return `The built-in model cannot be stored: ${dirname(path)} cannot be written to (DIVVY_MODEL_CACHE names another folder).`;
}

function unreachable(place: DownloadPlace): string {
  return `The built-in model could not be downloaded: ${host(place)} cannot be reached.`;
}

function cut(place: DownloadPlace): string {
  return `The download of the built-in model from ${host(place)} was cut off; the next one goes on from there.`;
}

function host({ url }: DownloadPlace): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

/** "fetch failed" says nothing; what caused it does. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? reasonOf(thrown.cause) : thrown.message;
}
