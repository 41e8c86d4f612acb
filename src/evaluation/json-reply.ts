/** The JSON object in a model's reply; nothing where there is none. Prose or a code fence around it is passed over. */
export function jsonIn(reply: string): unknown {
  try {
    return JSON.parse(reply.slice(reply.indexOf("{"), reply.lastIndexOf("}") + 1));
  } catch {
    return undefined;
  }
}
