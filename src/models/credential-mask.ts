import { isRecord } from "../json.ts";

/** Hides a model's own credentials in words of others. Closes over them, so that no structure that is logged holds one. */
export type CredentialMask = (text: string) => string;

const hidden = "[hidden]";

/** Shorter ones ("ollama", "none") are words that occur by themselves, and protect nothing. */
const shortest = 8;

/** Hides each of the secrets, as it is and as JSON, URLs, and base64 write it. */
export function credentialMask(secrets: readonly string[]): CredentialMask {
  const forms = [...new Set(secrets.filter((secret) => secret.length >= shortest).flatMap(formsOf))].sort((a, b) => b.length - a.length);
  return (text) => forms.reduce((shown, form) => shown.replaceAll(form, hidden), text);
}

function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const plain = [secret, json, json.replaceAll("/", "\\/"), ...urlFormsOf(secret.toWellFormed())];
  return [...plain, ...[0, 1, 2].map((offset) => withinBase64(secret, offset)).flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")])];
}

/** In a path, and in a query. */
function urlFormsOf(secret: string): string[] {
  return [encodeURIComponent(secret), new URLSearchParams([["", secret]]).toString().slice(1)];
}

/** What stands for the secret in the base64 of a longer text, where it begins `offset` bytes after a group of three: all but its edges. */
function withinBase64(secret: string, offset: number): string {
  const bytes = Buffer.from(secret);
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}

/** What every request has in its headers or its address, and that says nothing about an account. */
const publicNames = /^(?:accept|content-type|user-agent|.*-(?:version|beta))$/i;

/**
 * The same for a model instance: the AI SDK's models keep in `config` what headers they send and where to. What another model
 * hides is nobody's to know.
 */
export function instanceMask(instance: object): CredentialMask {
  const config: unknown = Reflect.get(instance, "config");
  if (!isRecord(config)) return credentialMask([]);
  // Looked up when there is something to hide: until then it is kept in one place only.
  return (text) =>
    credentialMask([...headersOf(config), ...addressOf(config)].flatMap(([name, value]) => (publicNames.test(name) ? [] : secretsIn(value))))(text);
}

type Config = Readonly<Record<string, unknown>>;
type Named = [name: string, value: string];

function headersOf(config: Config): Named[] {
  const given = resultOf(config, "headers", []);
  return isRecord(given) ? Object.entries(given).filter((entry): entry is Named => typeof entry[1] === "string") : [];
}

/** The password and the query of the address. */
function addressOf(config: Config): Named[] {
  const url = resultOf(config, "url", [{ path: "", modelId: "" }]) ?? config["baseURL"];
  if (typeof url !== "string" || !URL.canParse(url)) return [];
  const { username, password, searchParams } = new URL(url);
  return [["username", decodeURIComponent(username)], ["password", decodeURIComponent(password)], ...searchParams];
}

function resultOf(config: Config, key: string, args: readonly unknown[]): unknown {
  const held = config[key];
  if (typeof held !== "function") return held;
  try {
    return Reflect.apply(held, config, args);
  } catch {
    // It has no key, for example, and says so when it is asked.
    return undefined;
  }
}

/** A header's value, and what follows its scheme: `Bearer <key>`, `Basic <base64 of user:password>`. */
function secretsIn(value: string): string[] {
  const [, scheme = "", rest = ""] = /^(\w+) +(\S+)$/.exec(value) ?? [];
  const pair = scheme.toLowerCase() === "basic" ? Buffer.from(rest, "base64").toString() : "";
  return [value, rest, pair, pair.slice(pair.indexOf(":") + 1)];
}
