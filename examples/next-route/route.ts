/**
 * A chat's route: each message becomes a run, and the run a message of the AI SDK's `useChat`.
 *
 * Put it where Next.js looks for it, into the folder app/api/chat; whatever else serves a `Request` with a `Response` takes it as it is.
 * The page calls `useChat<DivvyUIMessage>()` and shows a message's parts: the analysis as reasoning, one `data-subtask` for each
 * subtask, the answer as text; docs/ai-sdk.md has them all. When the reader goes away, the run is stopped.
 *
 * The model is the one that can be used here: of the provider whose key is set, or as DIVVY_MODEL says.
 */
import { createUIMessageStreamResponse } from "ai";
import { FlexibleOrchestrator } from "divvy";
import { toRequest, toUIMessageStream } from "divvy/ai-sdk";

const divvy = new FlexibleOrchestrator({ budget: { tokens: 200_000 } });

export async function POST(req: Request): Promise<Response> {
  const { task, context } = toRequest(await req.json());
  const run = divvy.start(task, context);
  return createUIMessageStreamResponse({ stream: toUIMessageStream(run) });
}
