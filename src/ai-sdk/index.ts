/** Runs in the AI SDK's terms: published as `divvy/ai-sdk`. Of `ai` it needs the types alone. */
export { type TaskAndContext, toRequest } from "./conversation.ts";
export { runAsModel, type RunAsModelOptions } from "./run-as-model.ts";
export { toUIMessageStream, type UIMessageStreamOptions } from "./ui-message-stream.ts";
export type { DivvyDataParts, DivvyMetadata, DivvyUIMessage, DivvyUIMessageChunk, ErrorPart, OutcomePart, SubtaskPart } from "./ui-message.ts";
