import { hash } from "node:crypto";

/** What shares one rate limit, as `base URL # hash of the credential # model`. A hash, so that no lane holds a secret. */
export function laneOf(baseUrl: string, credential: string, model: string): string {
  const mark = credential === "" ? "open" : hash("sha256", credential, "hex").slice(0, 16);
  return `${baseUrl}#${mark}#${model}`;
}

const numbers = new WeakMap<object, number>();
let last = 0;

/** The lane of a model instance, whose endpoint and credential cannot be seen: the object itself, unless it has an id. */
export function instanceLane(instance: object, name: string, id: string | undefined): string {
  if (id !== undefined) return `instance:${id}`;
  const number = numbers.get(instance) ?? ++last;
  numbers.set(instance, number);
  return `instance:${name}#${number}`;
}
