/** Divvy's public API. See README.md for a tour and docs/ for the rest. */
export { FlexibleOrchestrator } from "./flexible-orchestrator.ts";
export { compare, type CompareOptions, type CompareProgress } from "./compare/compare.ts";
export type { Average, Comparison, Figures, ComparedSide, TaskComparison, ComparedTry } from "./compare/comparison.ts";
export type { WinShare } from "./compare/win-share.ts";
export type { ContextInput } from "./context-input.ts";
export type { World } from "./assembly/assembly.ts";
export type { FunctionTools, OutputWorkerFunction, WorkerFunction } from "./work/function-worker.ts";
export type { OutputSchema } from "./output-schema.ts";
export type { RejectedTry } from "./output/rejected-try.ts";
export type { AnswerOf, ResultsOf, TypedOptions } from "./typed-options.ts";
export type { JudgedPiece } from "./evaluation/evaluator-prompt.ts";
export type { JudgeFunction } from "./evaluation/judge.ts";
export type { Evaluation, TryVerdict, Verdict } from "./evaluation/verdict.ts";
export type {
  ApprovePlan,
  Limits,
  OrchestratorOptions,
  PlanCache,
  PlanCallOptions,
  PlanDecision,
  PlanInput,
  Retry,
  RerunOptions,
  ResumeOptions,
  RunCallOptions,
  SubtaskInput,
  Timeout,
  WorkerCallOptions,
} from "./options.ts";
export type {
  Evaluate,
  EvaluateByFunction,
  EvaluateByModel,
  EvaluatorSettings,
  JudgedRoleOption,
  JudgedRoleSettings,
  FunctionSettings,
  FunctionWorker,
  KindOption,
  ModelWorker,
  ModelChoice,
  RoleOption,
  RoleSettings,
  SynthesizerSettings,
  WorkerSettings,
} from "./role-options.ts";
export { DivvyError, type DivvyErrorOptions, type ErrorCode, type ErrorData, errorCodes, type Evidence } from "./errors.ts";
export type { Delta, Fact, RunRequest, RunEvent } from "./events.ts";
export type { Budget } from "./budget.ts";
export type { Estimate, Spend } from "./estimate.ts";
export type { Notice } from "./notice.ts";
export type { CallRef, Role, WorkingRole } from "./role.ts";
export type { SampleChoice } from "./sample-choice.ts";
export type { SkipReason } from "./outcome.ts";
export type { Answered, AnswerMode, Coverage, Outcome, Result, ResultOf, RunUsage } from "./outcome.ts";
export type { Combine, DividedPlan, Plan, Subtask } from "./subtask.ts";
export type { SpentUsage, Usage } from "./usage.ts";
export type { PlanResult } from "./orchestrator/planning/plan-alone.ts";
export type { Run } from "./orchestrator/run-handle.ts";
export { reduce } from "./reduce.ts";
export { type CallState, initialRunState, type RunState, type SubtaskState } from "./run-state.ts";
export type { PlanHit } from "./plan-hit.ts";
export { extractXml } from "./plan/reading/extract-xml.ts";
export { formatPlan, type PlanFormat } from "./plan/format-plan.ts";
export { parsePlan, parseTasks } from "./plan/given-plan.ts";
export { type KindOfWorker, orchestratorPrompt, type OrchestratorPromptInput, type PlanExample, planExamples } from "./plan/prompts/orchestrator-prompt.ts";
export { workerPrompt, type Upstream, type WorkerPromptInput } from "./work/worker-prompt.ts";
export { synthesizerPrompt, type SynthesizerPromptInput } from "./synthesis/synthesizer-prompt.ts";
export { fence, type Fence } from "./prompt/fence.ts";
export type { PromptText } from "./prompt/messages.ts";
export type { RolePrompt } from "./prompt/role-prompt.ts";
export type { Claim } from "./calls/run-budget.ts";
export type { Admission, Governor, Permit } from "./governor/governor.ts";
export type { CallWrite, CommitReport, Ledger, LedgerBatch, Lease, LeaseOwner, PlanVector, RunQuery, RunRecord, RunWrites } from "./ledger/ledger.ts";
export type { ProcessIdentity } from "./ledger/lease-keeper.ts";
export { memoryLedger, type MemoryLedgerOptions } from "./ledger/memory-ledger.ts";
export type { RolePrint, RunPrint } from "./run-print.ts";
export type { Json, JsonRecord } from "./json.ts";
export type { Price } from "./models/model.ts";
export type { Allowance } from "./assembly/run-budget.ts";
export type { ModelSources } from "./assembly/found-models.ts";
export type { Runtime, Clock } from "./runtime.ts";
