/** A place where a model server may be running, and what was found there. */
export type LocalServer = {
  /** Its name in model names. */
  readonly provider: "ollama" | "lmstudio" | "llamacpp";
  /** Its name for people. */
  readonly title: string;
  /** Host and port. */
  readonly address: string;
} & LocalState;

export type LocalState =
  | { readonly state: "absent" }
  /** It answers, and has no model that can chat. */
  | { readonly state: "empty" }
  | {
      readonly state: "ready";
      /** The models that can chat. */
      readonly models: readonly string[];
      /** The one to take where none is named, and what speaks for it. */
      readonly choice: string;
      readonly because: "loaded" | "newest" | "first";
    };

/** What was found, in a phrase for people. */
export function describeServer(server: LocalServer): string {
  const where = `${server.title} at ${server.address}`;
  if (server.state === "absent") return `${server.title} does not answer at ${server.address}`;
  if (server.state === "empty") return `${where} has no model that can chat`;
  switch (server.because) {
    case "loaded":
      return `${where} has ${server.choice} loaded`;
    case "newest":
      return `${where} has no model loaded; ${server.choice} is its newest that can chat`;
    case "first":
      return `${where} offers ${server.choice}`;
  }
}
