import type { OrchestratorOptions } from "../../options.ts";
import type { Evaluate } from "../../role-options.ts";

/** How work is to be judged, as it was typed. */
export interface Judging {
  /** By which criteria the workers' results are. */
  readonly results: string | undefined;
  /** By which the answer is. */
  readonly answer: string | undefined;
  readonly threshold: number;
  readonly tries: number | undefined;
}

/** The models of those whose work is judged, and of who judges it, where they were named. */
type Named = { readonly [role in "worker" | "synthesizer" | "evaluator"]?: string | undefined };

/** Good enough, where nobody says what is. */
export const usualThreshold = 0.8;

interface Sampled {
  readonly samples?: number;
}

interface Windowed {
  readonly contextTokens?: number;
}

interface Judged extends Sampled, Windowed {
  readonly model?: string;
  readonly evaluate?: Evaluate;
}

type Roles = Pick<OrchestratorOptions, "worker" | "synthesizer">;

/**
 * The roles with what their work is judged by, the workers with their tries, the synthesizer with its window; a role of which nothing was
 * said keeps what it has.
 */
export function judgedRoles(
  { worker, synthesizer, evaluator }: Named,
  judging: Judging | undefined,
  samples: number | undefined,
  contextTokens: number | undefined,
): Roles {
  const role = (model: string | undefined, criteria: string | undefined, more: Sampled | Windowed | undefined): string | Judged | undefined => {
    if ((criteria === undefined || judging === undefined) && more === undefined) return model;
    return {
      ...(model !== undefined && { model }),
      ...(criteria !== undefined && judging !== undefined && { evaluate: evaluateBy(criteria, judging, evaluator) }),
      ...more,
    };
  };
  const working = role(worker, judging?.results, samples === undefined ? undefined : { samples });
  const joining = role(synthesizer, judging?.answer, contextTokens === undefined ? undefined : { contextTokens });
  return { ...(working !== undefined && { worker: working }), ...(joining !== undefined && { synthesizer: joining }) };
}

function evaluateBy(criteria: string, { threshold, tries }: Judging, model: string | undefined): Evaluate {
  return { criteria, threshold, ...(tries !== undefined && { maxAttempts: tries }), ...(model !== undefined && { model }) };
}
