import { expect, test } from "vitest";
import { aResult } from "../../test/call-fixture.ts";
import { DivvyError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { memoryLedger } from "../ledger/memory-ledger.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { answersOf } from "./answers.ts";

test("a ledger's answers are the same for all who use it: whoever shares them shares calls on their way", () => {
  const ledger = memoryLedger();
  expect(answersOf(ledger, virtualClock())).toBe(answersOf(ledger, virtualClock()));
  expect(answersOf(memoryLedger(), virtualClock())).not.toBe(answersOf(ledger, virtualClock()));
});

test("an answer is found though the ledger was busy for a moment", async () => {
  const kept = memoryLedger();
  const clock = virtualClock();
  let busy = 2;
  const ledger: Ledger = {
    ...kept,
    readCall: async (scope, key) => {
      if (busy-- > 0) throw new DivvyError("ledger_busy", "Busy.");
      return await kept.readCall(scope, key);
    },
  };
  const answers = answersOf(ledger, clock);
  await answers.keep("shared:s", "key", aResult("paid"));
  const found = answers.find("shared:s", "key");
  await clock.advance(200);
  expect(await found).toEqual(aResult("paid"));
});
