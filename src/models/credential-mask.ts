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
  const plain = [secret, json, json.replaceAll("/", "\\/"), encodeURIComponent(secret.toWellFormed())];
  return [...plain, ...[0, 1, 2].map((offset) => withinBase64(secret, offset)).flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")])];
}

/** What stands for the secret in the base64 of a longer text, where it begins `offset` bytes after a group of three: all but its edges. */
function withinBase64(secret: string, offset: number): string {
  const bytes = Buffer.from(secret);
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}

/** Headers that every request has, and that say nothing about an account. */
const publicHeaders = /^(?:accept|content-type|user-agent|.*-(?:version|beta))$/i;

/** The same for a model instance: the AI SDK's models keep the headers that they send in `config`. What hides them is nobody's to know. */
export function instanceMask(instance: object): CredentialMask {
  return (text) => credentialMask(headersOf(instance).flatMap(([name, value]) => (publicHeaders.test(name) ? [] : secretsIn(value))))(text);
}

function headersOf(instance: object): [string, string][] {
  const config: unknown = Reflect.get(instance, "config");
  if (!isRecord(config)) return [];
  try {
    const given: unknown = typeof config["headers"] === "function" ? Reflect.apply(config["headers"], config, []) : config["headers"];
    if (!isRecord(given)) return [];
    return Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  } catch {
    // It has no key, and says so when it is asked.
    return [];
  }
}

/** A header's value, and what follows its scheme: `Bearer <key>`, `Basic <base64 of user:password>`. */
function secretsIn(value: string): string[] {
  const [, scheme = "", rest = ""] = /^(\w+) +(\S+)$/.exec(value) ?? [];
  const pair = scheme.toLowerCase() === "basic" ? Buffer.from(rest, "base64").toString() : "";
  return [value, rest, pair, pair.slice(pair.indexOf(":") + 1)];
}
