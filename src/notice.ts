/** Something a user should know that is not an error; it also stands in the outcome's coverage. */
export interface Notice {
  readonly code:
    | "dependency_unknown"
    | "dependency_cycle"
    | "duplicate_dropped"
    | "subtasks_dropped"
    | "repeat_dropped"
    | "rounds_unused"
    | "round_unread"
    | "kind_unknown"
    | "upstream_cut"
    | "built_in_model"
    | "over_budget"
    | "not_saved"
    | "plan_cache_failed"
    | "samples_left_out"
    | "samples_not_compared"
    | "answer_not_judged";
  readonly message: string;
  readonly subtaskIds?: readonly string[];
}
