import type { Notice } from "./notice.ts";

const ofPlans: ReadonlySet<Notice["code"]> = new Set<Notice["code"]>(["dependency_unknown", "duplicate_dropped", "subtasks_dropped", "kind_unknown"]);

/** What is left of notices when the plan that stood is void. */
export function withoutPlanNotices(notices: readonly Notice[]): readonly Notice[] {
  return notices.filter(({ code }) => !ofPlans.has(code));
}
