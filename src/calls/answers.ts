import type { Ledger } from "../ledger/ledger.ts";
import { writerOf } from "../ledger/ledger-writer.ts";
import { patiently } from "../ledger/patience.ts";
import { DivvyError } from "../errors.ts";
import { isParsed, isRecord, type Json } from "../json.ts";
import type { Clock } from "../runtime.ts";
import type { CallResult } from "./call.ts";

/** Answers that were paid for, by scope and key. */
export interface Answers {
  find(scope: string, key: string): Promise<CallResult | undefined>;
  /** Resolves when it is committed. */
  keep(scope: string, key: string, result: CallResult): Promise<void>;
}

const answersIn = new WeakMap<Ledger, Answers>();

/** The answers in a ledger: the same for all who use it in this process, since whoever shares them shares calls on their way. */
export function answersOf(ledger: Ledger, clock: Clock): Answers {
  const known = answersIn.get(ledger);
  if (known !== undefined) return known;
  const answers = ledgerAnswers(ledger, clock);
  answersIn.set(ledger, answers);
  return answers;
}

function ledgerAnswers(ledger: Ledger, clock: Clock): Answers {
  const writer = writerOf(ledger, clock);
  return {
    find: async (scope, key) => {
      const answer: unknown = await patiently(clock, () => ledger.readCall(scope, key));
      // What another version wrote otherwise is asked for again.
      return isCallResult(answer) ? answer : undefined;
    },
    keep: (scope, key, result) => writer.writeCall({ scope, key, answer: asJson(result) }),
  };
}

function isCallResult(value: unknown): value is CallResult {
  return isRecord(value) && Array.isArray(value["content"]) && isRecord(value["finishReason"]) && isRecord(value["usage"]);
}

/** As it will be read again, whatever the ledger. */
function asJson(result: CallResult): Json {
  const answer: unknown = JSON.parse(JSON.stringify(result, bytesAsText));
  if (!isParsed(answer)) throw new DivvyError("internal", "An answer is no JSON.");
  return answer;
}

/** A file that a model made may come as bytes; as base64 it says the same. */
function bytesAsText(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}
