import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { textOf } from "./call.ts";
import { aRun, errorOf, partsSeen, settle } from "../../test/call-fixture.ts";
import { stage } from "./recorded-fixture.ts";

describe("a call that was answered", () => {
  test("is answered again from memory, with one delta and without being sent", async () => {
    const { sent, call, at } = stage();
    const first = call();
    (await at(0)).say("ans");
    (await at(0)).say("wer");
    await (await at(0)).end();
    expect(await first).toMatchObject({ cached: false, attempts: 2 });
    const { onPart, parts } = partsSeen();
    const again = await call({ onPart, role: "synthesizer" });
    expect(again).toEqual({ ...(await first), cached: true });
    expect(parts).toEqual([{ type: "text", delta: "answer" }]);
    expect(sent.length).toBe(1);
  });

  test("is sent again in another run, and for another sample", async () => {
    const { sent, call, at } = stage();
    void call();
    await (await at(0)).end();
    void call({ run: { ...aRun(), cache: "run-2" } });
    void call({}, { sample: 1 });
    await settle();
    expect(sent.length).toBe(3);
  });

  test("is sent again where it failed", async () => {
    const { call, at } = stage();
    const first = call();
    const error = new DivvyError("server_error", "no");
    await (await at(0)).fail(error);
    expect(await errorOf(first)).toBe(error);
    const second = call();
    await (await at(1)).end();
    expect(await second).toMatchObject({ cached: false });
  });

  test("is sent again by whoever asks in the very moment of its failure", async () => {
    const { sent, call, at } = stage();
    const retried = call().catch(() => call());
    await (await at(0)).fail(new DivvyError("server_error", "no"));
    await (await at(1)).end();
    expect([await retried, sent.length]).toMatchObject([{ cached: false }, 2]);
  });
});

describe("calls that are alike at once", () => {
  test("share one flight and its answer", async () => {
    const { sent, call, at } = stage();
    const all = [call(), call(), call()];
    await (await at(0)).end();
    expect((await Promise.all(all)).map(textOf)).toEqual(["answer", "answer", "answer"]);
    expect(sent.length).toBe(1);
  });

  test("share its failure", async () => {
    const { call, at } = stage();
    const all = [call(), call()];
    const error = new DivvyError("refused", "no");
    await (await at(0)).fail(error);
    expect(await Promise.all(all.map(errorOf))).toEqual([error, error]);
  });

  test("see all of it: who comes late gets first what was written in the running attempt", async () => {
    const { call, at } = stage();
    const [early, late, later] = [partsSeen(), partsSeen(), partsSeen()];
    void call({ onPart: early.onPart });
    const flight = await at(0);
    flight.say("void");
    flight.restart(2);
    flight.say("Once ");
    void call({ onPart: late.onPart });
    flight.say("upon");
    void call({ onPart: later.onPart });
    expect(early.seen()).toEqual(["text: void", "attempt 2", "text: Once ", "text: upon"]);
    expect(late.seen()).toEqual(["attempt 2", "text: Once ", "text: upon"]);
    expect(later.seen()).toEqual(["attempt 2", "text: Once upon"]);
  });

  test("may be tried again only if all of them can take it back", async () => {
    const { call, at } = stage();
    void call({ mayRestart: () => true });
    const { ctx } = await at(0);
    expect(ctx.mayRestart?.()).toBe(true);
    void call({ mayRestart: () => false });
    expect(ctx.mayRestart?.()).toBe(false);
  });
});

test("what nobody waits for any more fails without being an unhandled rejection", async () => {
  const seen: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void seen.push(reason);
  process.on("unhandledRejection", onUnhandled);
  const { call, at } = stage();
  const abort = new AbortController();
  const first = call({ signal: abort.signal });
  const second = call();
  await at(0);
  abort.abort();
  await errorOf(first);
  await (await at(0)).fail(new DivvyError("refused", "no"));
  await errorOf(second);
  await settle();
  process.off("unhandledRejection", onUnhandled);
  expect(seen).toEqual([]);
});
