import { isRecord } from "../json.ts";
import { type Ask, listIn, soundsLikeEmbedding, textIn } from "./local-json.ts";
import type { LocalServer, LocalState } from "./local-server.ts";

const address = "127.0.0.1:8080";

export async function findLlamaCpp(ask: Ask): Promise<LocalServer> {
  return { provider: "llamacpp", title: "llama.cpp", address, ...(await stateOf(ask)) };
}

async function stateOf(ask: Ask): Promise<LocalState> {
  const [list, properties] = await Promise.all([ask(`http://${address}/v1/models`), ask(`http://${address}/props`)]);
  const listed = listIn(list, "data");
  // Everyone's development server listens on 8080: it must say that it is llama.cpp.
  const isIt = listed?.some((model) => textIn(model, "owned_by") === "llamacpp") || (isRecord(properties) && "default_generation_settings" in properties);
  if (!listed || !isIt) return { state: "absent" };
  const models = listed.map((model) => textIn(model, "id")).filter((id) => id !== "" && !soundsLikeEmbedding(id));
  const choice = models[0];
  return choice === undefined ? { state: "empty" } : { state: "ready", models, choice, because: "loaded" };
}
