import { inspect } from "node:util";

/** Secrets that look like no key of any provider: only who knows them can hide them. */
export const canaries = {
  environment: "wren7Bqz0fXk4Lmv9TsY2hJd",
  "another variable": "robin3Hc8Wp5nRg1Zy6Vt0Ax",
  "the option apiKey": "siskin5Jd1Kx9Qe3Lw7Mb4Pz",
  "a key with signs in it": "linnet/2+Gv=8:Nf&6~Rk;Ts",
  "a header": "plover9Xa4Cu2Ih6Oy8Es1Dw",
  "a URL's password": "dunlin6Tz3Yk8Fb0Ql5Vn7Rg",
  "a URL's query": "whimbrel1Pm7Sj4Ud9Hx2Ce6",
  "a provider's option": "turnstone8Wf5Ab3Zi0Gk9Ny",
} as const;

const window = 9;

/** Every piece of a secret that is long enough to be known again, as it is and in base64, wherever it began there. */
function piecesOf(secret: string): string[] {
  const texts = [
    secret,
    encodeURIComponent(secret),
    ...["", "x", "xx"].map((before) =>
      Buffer.from(`${before}${secret}`)
        .toString("base64")
        .slice(before.length + 1, -4),
    ),
  ];
  return texts.flatMap((text) => Array.from({ length: text.length - window + 1 }, (_, at) => text.slice(at, at + window)));
}

const pieces = Object.entries(canaries).map(([place, secret]) => ({ place, pieces: piecesOf(secret) }));

/** The places whose secret shows in a text, in whole or in part. */
export function canariesIn(text: string): string[] {
  return pieces.filter((canary) => canary.pieces.some((piece) => text.includes(piece))).map(({ place }) => place);
}

/** All that a logger could print of it: with hidden properties, stacks and causes, at any depth; and as JSON. */
export function printed(value: unknown): string {
  return `${inspect(value, { depth: null, showHidden: true, maxArrayLength: null, maxStringLength: null })}\n${JSON.stringify(value)}`;
}
