import { type Ask, listIn, soundsLikeEmbedding, textIn } from "./local-json.ts";
import type { LocalServer, LocalState } from "./local-server.ts";

const address = "127.0.0.1:1234";

export async function findLmStudio(ask: Ask): Promise<LocalServer> {
  return { provider: "lmstudio", title: "LM Studio", address, ...(await stateOf(ask)) };
}

async function stateOf(ask: Ask): Promise<LocalState> {
  // Its own API tells what kind each model is and whether it is loaded; the compatible one only names them.
  const [own, compatible] = await Promise.all([ask(`http://${address}/api/v0/models`), ask(`http://${address}/v1/models`)]);
  const listed = listIn(own, "data") ?? listIn(compatible, "data");
  if (!listed) return { state: "absent" };
  const chatting = listed.filter((model) => {
    const type = textIn(model, "type");
    return textIn(model, "id") !== "" && (type === "" ? !soundsLikeEmbedding(textIn(model, "id")) : type === "llm" || type === "vlm");
  });
  const inMemory = chatting.find((model) => textIn(model, "state") === "loaded");
  const choice = inMemory ?? chatting[0];
  if (!choice) return { state: "empty" };
  return { state: "ready", models: chatting.map((model) => textIn(model, "id")), choice: textIn(choice, "id"), because: inMemory ? "loaded" : "first" };
}
