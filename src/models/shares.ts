import { hash } from "node:crypto";

/** What a model's calls share with others: a rate limit with those of its lane, a key and a spending cap with those of its credential. */
export interface Shares {
  readonly lane: string;
  readonly credential: string;
}

/** A credential goes by its hash, so that nothing here holds a secret. */
export function sharesOf(baseUrl: string, secret: string, model: string): Shares {
  const mark = secret === "" ? "open" : hash("sha256", secret, "hex").slice(0, 16);
  const credential = `${baseUrl}#${mark}`;
  return { lane: `${credential}#${model}`, credential };
}

const numbers = new WeakMap<object, number>();
let last = 0;

/** Of a model instance, whose endpoint and credential cannot be seen: it shares them with nobody but itself, or its namesakes by `id`. */
export function instanceShares(instance: object, name: string, id: string | undefined): Shares {
  const lane = `instance:${id ?? `${name}#${numberOf(instance)}`}`;
  return { lane, credential: lane };
}

function numberOf(instance: object): number {
  const number = numbers.get(instance) ?? ++last;
  numbers.set(instance, number);
  return number;
}
