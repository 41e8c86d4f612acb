import type { DoubleCall, ReplyOptions } from "../../../src/testing/script.ts";
import { chance } from "../chance.ts";
import { type Asked, askedFrom, replyTo } from "../double.ts";
import type { ComparisonSchedule } from "./comparison-schedule.ts";

/** Begins what is asked in one call, without a plan. */
const alone = "You answer a request";

/** Whose call it is, from what is asked. */
export type Way = "divided" | "one" | "judging";

export interface AskedFor extends Asked {
  readonly way: Way;
}

export function askedForFrom(n: number, call: DoubleCall): AskedFor {
  if (!call.system.startsWith(alone)) {
    const asked = askedFrom(n, 1, call);
    return { ...asked, way: asked.pair === undefined ? "divided" : "judging" };
  }
  const { messages, json, maxOutputTokens = 0 } = call;
  return { n, pid: 1, role: "worker", question: JSON.stringify([messages, json]), maxOutputTokens, description: "", way: "one" };
}

/** What a model says: as in a run; in one call what a synthesizer would say; of two answers as fair as it is. */
export function comparisonReply(asked: AskedFor, call: DoubleCall, { run, seed, weather, fair }: ComparisonSchedule): ReplyOptions {
  const draw = chance(seed, `call ${asked.n}`);
  if (asked.way === "one") return replyTo({ ...asked, role: "synthesizer" }, { ...call, system: "merge" }, run, weather, draw);
  const reply = replyTo(asked, call, run, weather, draw);
  const { pair } = asked;
  if (pair === undefined || reply.text?.startsWith("{") !== true) return reply;
  const texts = [pair.first, pair.second].toSorted();
  const { happens, of } = chance(seed, `verdict on ${texts.join("\n")}`);
  if (!happens(fair)) return reply;
  const winner = of([...texts, "neither"]);
  const better = winner === pair.first ? "first" : winner === pair.second ? "second" : "tie";
  return { ...reply, text: JSON.stringify({ reasons: `So says #${asked.n}#.`, better }) };
}
