/** Codes of certificates and handshakes: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const tlsCodes: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "EPROTO",
]);
const tlsPrefixes = ["CERT_", "CRL_", "UNABLE_TO_", "ERR_SSL_", "ERR_TLS_"];

export function isTlsCode(code: string): boolean {
  return tlsCodes.has(code) || tlsPrefixes.some((prefix) => code.startsWith(prefix));
}

/**
 * The operating system's or Node's code (`ENOENT`, `ECONNREFUSED`, `UND_ERR_SOCKET`), wherever in the causes it stands: `fetch`
 * wraps what happened, sometimes twice, and gathers the tries of several addresses.
 */
export function systemCodeOf(thrown: unknown, depth = 0): string | undefined {
  if (!(thrown instanceof Error) || depth > 8) return undefined;
  if ("code" in thrown && typeof thrown.code === "string" && isSystemCode(thrown.code)) return thrown.code;
  const inner: readonly unknown[] = thrown instanceof AggregateError ? thrown.errors : [];
  for (const cause of [...inner, thrown.cause]) {
    const code = systemCodeOf(cause, depth + 1);
    if (code !== undefined) return code;
  }
  return undefined;
}

/** Other libraries give their errors codes too (`RESOURCE_EXHAUSTED`); those are names of kinds, and not the system's. */
function isSystemCode(code: string): boolean {
  return /^(?:E[A-Z0-9]+|(?:UND_)?ERR_[A-Z0-9_]+)$/.test(code) || code === "EAI_AGAIN" || isTlsCode(code);
}
