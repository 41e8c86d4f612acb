import { callsAPair } from "../../evaluation/pairwise.ts";
import { type Evaluator, modelJudge } from "../../evaluation/judge.ts";
import type { Form } from "../../output/form.ts";
import type { WorkerKind } from "../../work/worker.ts";
import type { Costs } from "../run-setup.ts";
import { type Guess, usual } from "./guess.ts";
import type { Sizes } from "./sizes.ts";

/** Of what is said to be wrong with a reply that does not have its form, at most, in tokens. */
const issuesTokens = 2_500;

/** One call as far as it can be seen from here. */
export interface CallAhead {
  readonly role: Parameters<Costs["priceOf"]>[0];
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What holds for what a call writes. */
export interface Written {
  readonly form?: Form;
  readonly evaluator?: Evaluator;
}

/** A call that writes, and those that may follow for its form and its verdicts. */
export function judged(call: CallAhead, { form, evaluator }: Written, guess: Guess, sizes: Sizes): CallAhead[] {
  return [call, ...repairing(call, form, guess), ...judging(call, { ...(form && { form }), ...(evaluator && { evaluator }) }, guess, sizes)];
}

/** The same of a worker, with its tries at once. @param described tokens of the subtask's description */
export function worked(call: CallAhead, kind: WorkerKind, described: number, guess: Guess, sizes: Sizes): CallAhead[] {
  return [...sampled(call, kind, described, guess, sizes), ...judging(call, kind, guess, sizes)];
}

/** The tries of one subtask, and what compares them two at a time. */
function sampled(call: CallAhead, { sampling, form }: WorkerKind, described: number, guess: Guess, sizes: Sizes): CallAhead[] {
  const written = [call, ...repairing(call, form, guess)];
  if (sampling === undefined) return written;
  const { count, judge } = sampling;
  const { reply, pairAsks } = guess;
  const inputTokens = sizes.comparison() + described + 2 * call.outputTokens;
  const comparison = { role: judge, inputTokens, outputTokens: reply(usual.verdict, judge.settings.maxOutputTokens) };
  const questions = callsAPair * (count - 1) * pairAsks;
  return [...Array.from({ length: count }, () => written).flat(), ...Array.from({ length: questions }, () => comparison)];
}

/** What comes after a call whose work is judged: verdicts, and further tries, each with the one before and what was said of it. */
function judging(call: CallAhead, { form, evaluator }: Written, guess: Guess, sizes: Sizes): CallAhead[] {
  if (evaluator === undefined) return [];
  const verdicts = verdictsOn(call.outputTokens, evaluator, guess, sizes);
  const again = { ...call, inputTokens: call.inputTokens + call.outputTokens + verdictTokens(evaluator, guess) };
  const further = Array.from({ length: guess.tries(evaluator.maxAttempts) - 1 }, () => [again, ...repairing(again, form, guess), ...verdicts]);
  return [...verdicts, ...further.flat()];
}

/** A function takes no call; who judges what it makes may. */
export function madeByFunction(outputTokens: number, evaluator: Evaluator | undefined, guess: Guess, sizes: Sizes): CallAhead[] {
  if (evaluator === undefined) return [];
  return Array.from({ length: guess.tries(evaluator.maxAttempts) }, () => verdictsOn(outputTokens, evaluator, guess, sizes)).flat();
}

/** On one text of so many tokens; none where a function judges. */
function verdictsOn(outputTokens: number, evaluator: Evaluator, guess: Guess, sizes: Sizes): CallAhead[] {
  const role = modelJudge(evaluator);
  if (role === undefined) return [];
  const verdict = { role, inputTokens: sizes.verdict(role.criteria) + outputTokens, outputTokens: verdictTokens(evaluator, guess) };
  return Array.from({ length: guess.asks }, () => verdict);
}

function verdictTokens(evaluator: Evaluator, { reply }: Guess): number {
  const by = modelJudge(evaluator);
  return by === undefined ? usual.verdict : reply(usual.verdict, by.settings.maxOutputTokens);
}

/** Replies that take the place of one that does not have its form, each asked for with the one before and what is wrong with it. */
function repairing(call: CallAhead, form: Form | undefined, { repairs }: Guess): CallAhead[] {
  if (form === undefined) return [];
  const again = { ...call, inputTokens: call.inputTokens + call.outputTokens + issuesTokens };
  return Array.from({ length: repairs(form.repairs) }, () => again);
}
