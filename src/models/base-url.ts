import { DivvyError } from "../errors.ts";

/** A base URL as people write it, checked; `said` names the option or variable it comes from. */
export function checkedUrl(text: string, said: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new DivvyError("invalid_option", `${said} is not a URL that begins with http:// or https://.`, {
      hint: "Write it whole, as http://127.0.0.1:8000/v1.",
    });
  }
  // Such a URL would carry its secret into logs, and fetch refuses it anyway.
  if (url.username || url.password) {
    throw new DivvyError("invalid_option", `${said} carries a user name or password.`, { hint: "Give the credential as the API key instead." });
  }
  // Paths are appended to it as to a text.
  if (url.search || url.hash) throw new DivvyError("invalid_option", `${said} carries a query or a fragment, which a base URL cannot have.`);
  return url;
}

/** A base URL as it may be shown, logged and hashed. */
export function shownUrl(url: URL): string {
  return (url.origin + url.pathname).replace(/\/+$/, "");
}

export function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname;
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

/**
 * The root of the Ollama server that `OLLAMA_HOST` names, read as Ollama itself reads it: scheme and port may be
 * missing. An address to listen on (0.0.0.0) stands for this machine.
 */
export function ollamaRoot(host: string, said = "OLLAMA_HOST"): string {
  const hasScheme = /^https?:\/\//i.test(host);
  const url = checkedUrl(hasScheme ? host : `http://${host.startsWith(":") ? `127.0.0.1${host}` : host}`, said);
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  if (url.hostname === "[::]") url.hostname = "[::1]";
  if (!hasScheme && !/:\d+(\/|$)/.test(host)) url.port = "11434";
  // The API's own paths are ours to add; /v1 is the one that drops the context size.
  return shownUrl(url).replace(/\/(api|v1)$/, "");
}
