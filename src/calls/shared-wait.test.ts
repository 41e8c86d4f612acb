import { describe, expect, test } from "vitest";
import { aContext, aRequest, aRun, errorOf, failed, finish, modelOf, modelThat, tableOf, text } from "../../test/call-fixture.ts";
import { DivvyError } from "../errors.ts";
import { adaptiveGovernor } from "../governor/adaptive-governor.ts";
import { warmingGovernor } from "../governor/warming-governor.ts";
import { memoryLedger } from "../ledger/memory-ledger.ts";
import { sleep } from "../runtime.ts";
import { testRuntime, virtualClock } from "../testing/virtual-clock.ts";
import { answersOf } from "./answers.ts";
import { type CallResult, textOf } from "./call.ts";
import { callPipeline } from "./pipeline.ts";

/** A server that carries out one call at a time, and two runs that wait for the same one. */
function stage(firstMs: number, retryAfterMs?: number) {
  const clock = virtualClock();
  const runtime = testRuntime({ clock });
  let asked = 0;
  const model = modelThat(async (options) => {
    const n = ++asked;
    if (n === 1) await sleep(clock, firstMs, new AbortController().signal);
    if (n === 1 && retryAfterMs !== undefined) throw failed("rate_limited", { retryAfterMs }, false).error;
    return await modelOf([...text(`reply ${n}`), finish()]).doStream(options);
  });
  const calls = callPipeline({
    models: tableOf(model, { maxConcurrency: 1 }),
    governor: warmingGovernor(adaptiveGovernor(runtime), clock),
    runtime,
    answers: answersOf(memoryLedger(), clock),
    retry: { attempts: 1, backoffMs: 0, maxBackoffMs: 0 },
    admissionMs: 600_000,
  });
  /** As a run does it: when its time is up it ends its calls. */
  const callUntil = (endsAt: number, sample = 1): Promise<CallResult> => {
    const abort = new AbortController();
    clock.setTimer(endsAt - clock.now(), () => abort.abort(new DivvyError("run_timeout", "Over.")));
    const call = calls(aRequest({ sample }), aContext({ run: { ...aRun(), cache: "shared:s", endsAt: () => endsAt }, signal: abort.signal }));
    call.catch(() => undefined);
    return call;
  };
  return { clock, callUntil };
}

describe("of two runs that wait for one call, the one whose time is up first", () => {
  test("leaves, and the other has its turn", async () => {
    const { clock, callUntil } = stage(4_500);
    const other = callUntil(60_000, 0);
    const first = callUntil(3_000);
    await clock.advance(2_500);
    const second = callUntil(5_500);
    await clock.advance(10_000);
    expect(await errorOf(first)).toMatchObject({ code: "run_timeout" });
    expect([textOf(await other), textOf(await second)]).toEqual(["reply 1", "reply 2"]);
  });

  test("keeps nobody from waiting for what opens in the other's time", async () => {
    const { clock, callUntil } = stage(100, 4_500);
    const first = callUntil(3_000);
    await clock.advance(50);
    const second = callUntil(9_000);
    await clock.advance(20_000);
    expect(await errorOf(first)).toMatchObject({ code: "run_timeout" });
    expect(textOf(await second)).toBe("reply 2");
  });

  test("is told at once where neither has the time", async () => {
    const { clock, callUntil } = stage(100, 60_000);
    const both = [callUntil(3_000), callUntil(5_500)];
    await clock.advance(100);
    expect((await Promise.all(both.map(errorOf))).map(({ code }) => code)).toEqual(["rate_limited", "rate_limited"]);
    expect(clock.now()).toBe(100);
  });
});
