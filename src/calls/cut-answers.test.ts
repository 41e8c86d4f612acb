import { describe, expect, test } from "vitest";
import { aContext, aRequest, aResult, aRun, rules } from "../../test/call-fixture.ts";
import { memoryLedger } from "../ledger/memory-ledger.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { answersOf } from "./answers.ts";
import { type CallResult, textOf } from "./call.ts";
import { recorded } from "./recorded.ts";

/** The layer over a ledger and a model whose reply is cut, unless whoever asks takes no cut text: that is asked for more. */
function stage() {
  let paid = 0;
  const answers = answersOf(memoryLedger(), virtualClock());
  const calls = recorded(
    () => "key",
    answers,
  )(async (_, ctx) => {
    paid++;
    const cut: Partial<CallResult> = ctx.rules.allowLength ? { finishReason: { unified: "length", raw: "max_tokens" } } : {};
    return aResult(ctx.rules.allowLength ? "half a" : "half a text, and the rest", cut);
  });
  const run = { ...aRun(), cache: "shared:tests" };
  const ask = async (allowLength: boolean): Promise<string> => textOf(await calls(aRequest(), aContext({ run, rules: { ...rules, allowLength } })));
  return { takesCut: () => ask(true), takesWhole: () => ask(false), paid: () => paid };
}

describe("a recorded answer that was cut", () => {
  test("serves again who takes such", async () => {
    const { takesCut, paid } = stage();
    expect([await takesCut(), await takesCut(), paid()]).toEqual(["half a", "half a", 1]);
  });

  test("never serves who takes none, whose own answer is paid for once", async () => {
    const { takesCut, takesWhole, paid } = stage();
    await takesCut();
    expect([await takesWhole(), await takesWhole(), await takesWhole(), paid()]).toEqual([...Array(3).fill("half a text, and the rest"), 2]);
  });

  test("is passed over for the whole one, where that is there as well", async () => {
    const { takesCut, takesWhole, paid } = stage();
    await takesCut();
    await takesWhole();
    expect([await takesCut(), paid()]).toEqual(["half a text, and the rest", 2]);
  });

  test("is never on its way for who takes none, and theirs is nobody's failure", async () => {
    const { takesCut, takesWhole, paid } = stage();
    expect(await Promise.all([takesCut(), takesWhole(), takesCut()])).toEqual(["half a", "half a text, and the rest", "half a"]);
    expect([await takesWhole(), paid()]).toEqual(["half a text, and the rest", 2]);
  });
});
