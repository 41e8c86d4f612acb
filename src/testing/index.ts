/** Test doubles for code that uses Divvy or the AI SDK: published as `divvy/testing`. */
export type { Fault } from "./fault.ts";
export { type FaultInjection, injectFaults } from "./fault-injection.ts";
export { type ConformanceCase, ledgerConformance } from "./ledger-conformance.ts";
export { type LatencyModel, latencyModel, type LatencyOptions, type Lognormal } from "./latency.ts";
export type { PromptCacheOptions } from "./prompt-cache.ts";
export { type EmbeddingRequest, type ProviderRequest, type ProviderServer, providerServer, type ProviderServerOptions } from "./provider-server.ts";
export { type ModelCall, type ScriptedModel, scriptedModel, type ScriptedModelOptions } from "./scripted-model.ts";
export {
  type DoubleCall,
  type DoubleFinish,
  type DoubleMessage,
  type DoubleReply,
  type DoubleUsage,
  type Question,
  type ReplyFunction,
  type ReplyOptions,
  type Script,
  type ScriptRule,
  UnscriptedCallError,
} from "./script.ts";
export type { VariationOptions } from "./script-reader.ts";
export { type UnreachableBy, type UnreachableProvider, unreachableProvider } from "./unreachable.ts";
export { type TestRuntime, testRuntime, type VirtualClock, virtualClock } from "./virtual-clock.ts";
