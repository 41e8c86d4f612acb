import { phases } from "./phase.ts";

export type WantedKind =
  | "subtasks"
  | "plan"
  | "plan cache"
  | "answer"
  | "fault"
  | "refusal"
  | "limit"
  | "abort"
  | "crash"
  | "takeover"
  | "ledger"
  | "death at"
  | "run"
  | "budget"
  | "form"
  | "choice"
  | "reduction"
  | "samples"
  | "code"
  | "warming"
  | "approval"
  | "comparison"
  | "end";

/** What simulations are to meet with, by kind. */
const wanted = {
  subtasks: Array.from({ length: 13 }, (_, index) => String(index + 3)),
  plan: [
    "xml",
    "json",
    "given",
    "direct",
    "cut",
    "asked again as json",
    "over the limit",
    "chain of 3",
    "chain of 5",
    "cycle",
    "copies",
    "unknown dependency",
    "round 2",
    "round 3",
    "round 5",
    "written anew",
    "repeat dropped",
  ],
  "plan cache": ["hit", "miss", "refused", "failed", "gone on with", "died in between", "sent back", "died while asking", "not allowed"],
  answer: ["merge", "keep", "choose", "direct", "none"],
  fault: [
    ...["rate limited (429)", "overloaded (503)", "overloaded (529)", "server error (500)", "rejected (400)", "rejected (401)", "rejected (403)"],
    ...["reset", "silence", "cut", "error-event", "body", "pings", "empty", "no usage"],
  ],
  refusal: ["unable", "refused", "content_filter", "output_truncated"],
  limit: ["run_timeout", "total_timeout", "idle_timeout", "admission_timeout", "throttled", "upstream_cut", "one call at a time", "truncated and taken"],
  abort: [...phases, "by abort()", "by the signal", "in a run that goes on", "while it is taken on"],
  crash: [...phases, "unseen", "in a run that goes on", "twice", "three times", "with a lease to wait for"],
  takeover: ["taken for dead", "stands still", "rival"],
  ledger: ["slow", "busy", "failed", "on SQLite"],
  "death at": ["commit", "readCall", "readFacts", "readRun", "readLease", "takeLease", "renewLease", "releaseLease"].flatMap((what) => [
    `${what} before`,
    `${what} after`,
  ]),
  run: [
    "two at once",
    "shared cache",
    "answer of another run",
    "rerun",
    "rerun killed",
    "drifted",
    "lost",
    "kinds with a price",
    "kind with a model",
    "presumed usage",
  ],
  budget: [
    ...["usd", "tokens", "calls", "seconds", "several"],
    ...["higher total", "same total", "lower total", "another total"],
    ...["no plan", "subtask left out", "no answer call", "low", "over", "cap broken", "cap used up", "raised", "not raised"],
  ],
  form: ["mended", "not mended", "in a judged try", "asked anew by a resume", "of the answer", "of an answer, mended", "of an answer, not mended"],
  choice: ["compared", "tied", "another than the first", "no verdict", "asked anew by a resume", "gone on with", "in one reply"],
  reduction: ["level 1", "level 2", "of some texts", "gone on with", "failed", "answered"],
  samples: ["2", "3", "chosen among all", "some failed", "tied", "not compared", "the first", "another"],
  code: [
    "good at once",
    "good in the end",
    "never good",
    "judge not heard",
    "judged by a resume",
    "not tried again",
    "threw when tried again",
    "no budget to go on",
  ],
  warming: ["one after the first", "all at once behind it", "another leads"],
  approval: [
    "as it is",
    "edited",
    "sent back",
    "sent back twice",
    "rejected",
    "failed",
    "asked again",
    "after an hour",
    "decided elsewhere",
    "of a given plan",
    "of a rerun",
  ],
  comparison: [
    ...["not judged", "judged by the orchestrator's", "judged by another", "nobody can pay the judge", "judging used", "judge is asked again"],
    ...["two tasks", "several tries", "whole", "nothing", "beyond a cap"],
    ...["one is better", "divided is better", "tie is better", "judge goes by the place", "no verdict"],
    ...["no answer in one call", "no answer divided", "no answer either way", "partial answer"],
    ...["stopped", "stopped before it began", "stopped after a try", "stopped while judging"],
    ...["budget used up", "budget used up by judging", "allowance used up", "within usd", "within tokens", "within calls", "within seconds"],
  ],
  end: ["ok", "partial", "failed", "aborted", "none"],
} as const satisfies Record<WantedKind, readonly string[]>;

export const wantedFaults: readonly string[] = wanted.fault;

/** All that is to be met with, as `kind: thing`. */
export const wantedNames: readonly string[] = Object.entries(wanted).flatMap(([kind, things]) => things.map((thing) => `${kind}: ${thing}`));
