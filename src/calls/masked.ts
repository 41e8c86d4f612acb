const hidden = "[hidden]";

/** Each linear in its input; what the groups catch is kept. */
const shapes: readonly RegExp[] = [
  // Keys that say themselves what they are: Anthropic, OpenAI, OpenRouter, Groq, xAI, Hugging Face, Google, AWS, JSON web tokens.
  /()\b(?:sk|pk|rk|gsk|csk|xai|hf|r8|fw|tgp|vck|pplx|nvapi|ghp|glpat)[-_][\w-]{8,}/g,
  /()\b(?:AIza|AQ\.|AKIA|eyJ)[\w.-]{12,}/g,
  /(\bBearer\s+)(?:(?=[^\s"',;]*\d)[^\s"',;]{8,}|[^\s"',;]{24,})/gi,
  // Named as a key: `Incorrect API key provided: …`, `"api_key": "…"`, `x-api-key=…`. A figure is looked for among the first 200 characters.
  /((?:api[-_ ]?key|(?:access|auth)[-_ ]?token|authorization|password|secret)["']?(?:\s+(?:provided|supplied|given|is|was))?(?:\s*[:=]\s*|\s+)?["']?)(?=[^\s"',;]{0,200}\d)[^\s"',;]{8,}/gi,
  /([?&](?:key|api[-_]?key|token|access_token)=)[^\s&"']+/gi,
  // In an address.
  /(:\/\/)[^\s/@:]{0,200}:[^\s/@]{1,500}(?=@)/g,
  // What `fetch` says of a header that it does not take, a key with a line break in it for example.
  /(\bHeaders\.\w+: )"[^]*"/g,
];

/**
 * Words of others without what looks like a credential: providers and proxies quote keys when they refuse them. Nothing here
 * knows the key itself, so a key without a shape, in a sentence that does not call it one, would stay.
 */
export function masked(text: string): string {
  return shapes.reduce((shown, shape) => shown.replace(shape, `$1${hidden}`), text);
}
