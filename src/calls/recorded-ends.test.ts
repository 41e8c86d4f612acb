import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import { type CallContext, type CallResult, textOf } from "./call.ts";
import type { RunBudget } from "./run-budget.ts";
import { aContext, aRequest, aResult, aRun, errorOf, partsSeen, settle } from "../../test/call-fixture.ts";
import type { Answers } from "./answers.ts";
import { recorded } from "./recorded.ts";
import { answersInMemory, isPending, stage } from "./recorded-fixture.ts";

describe("where a flight ends for what concerns one run alone, in the midst of its reply", () => {
  const begun = async (ctx: Partial<CallContext> = {}) => {
    const { call, at } = stage();
    const own = call();
    const other = call({ run: aRun(), ...ctx });
    (await at(0)).say("one half");
    await (await at(0)).fail(new DivvyError("run_taken_over", "Another has it."));
    expect(await errorOf(own)).toMatchObject({ code: "run_taken_over" });
    return { other, at };
  };

  test("the others hear that what came is void, and then another reply", async () => {
    const { onPart, seen } = partsSeen();
    const { other, at } = await begun({ onPart });
    const anew = await at(1);
    anew.say("all ");
    anew.restart(2);
    anew.say("all of it");
    await anew.end(aResult("all of it"));
    expect(textOf(await other)).toBe("all of it");
    expect(seen()).toEqual(["text: one half", "attempt 2", "text: all ", "attempt 3", "text: all of it"]);
  });

  test("those who cannot take back what came have a reply that broke off", async () => {
    const { other } = await begun({ mayRestart: () => false });
    expect(await errorOf(other)).toMatchObject({ code: "stream_broken", retryable: true, evidence: { partialText: "one half" } });
  });
});

test("where another try was refused for the payer's budget, the others ask anew: theirs may allow it", async () => {
  const { call, at } = stage();
  const [own, other] = [call(), call({ run: aRun() })];
  await (await at(0)).fail(new DivvyError("server_error", "It broke.", { evidence: { budget: { calls: 5 } } }));
  expect(await errorOf(own)).toMatchObject({ code: "server_error" });
  await (await at(1)).end(aResult("after all"));
  expect(textOf(await other)).toBe("after all");
});

test("where another try was refused for the budget of one who came to pay, it is that one's end: its own run has begun the call", async () => {
  const { call, at } = stage();
  const abort = new AbortController();
  const [own, other] = [call({ signal: abort.signal }), call({ run: aRun() })];
  const flight = await at(0);
  abort.abort();
  expect(await errorOf(own)).toMatchObject({ code: "aborted" });
  await flight.fail(new DivvyError("server_error", "It broke.", { evidence: { budget: { calls: 5 } } }));
  expect(await errorOf(other)).toMatchObject({ code: "server_error" });
});

test("where a flight ends for what concerns one run alone, between two of its tries, the others can tell its tries from those to come", async () => {
  for (const mayRestart of [undefined, () => false]) {
    const { call, at } = stage();
    const { onPart, seen } = partsSeen();
    const own = call();
    const other = call({ run: aRun(), onPart, ...(mayRestart && { mayRestart }) });
    const first = await at(0);
    first.say("one half");
    first.restart(2);
    await first.fail(new DivvyError("run_taken_over", "Another has it."));
    expect(await errorOf(own)).toMatchObject({ code: "run_taken_over" });
    const anew = await at(1);
    anew.say("another half");
    anew.restart(2);
    anew.say("all of it");
    await anew.end(aResult("all of it"));
    expect(textOf(await other)).toBe("all of it");
    expect(seen()).toEqual(["text: one half", "attempt 2", "attempt 3", "text: another half", "attempt 4", "text: all of it"]);
  }
});

describe("an abort", () => {
  test("of the one who pays ends the flight where no other's budget allows it: they ask anew", async () => {
    const { call, at } = stage();
    const abort = new AbortController();
    const refused = new DivvyError("budget_exhausted", "Too dear.");
    const budget: RunBudget = {
      inDollars: false,
      outOfTime: undefined,
      claim: () => ({ reserve: () => refused, giveBack: () => undefined }),
      spend: () => undefined,
      answerReads: () => undefined,
      keepForAnswer: () => undefined,
      answerTakes: () => undefined,
    };
    const own = call({ signal: abort.signal });
    const other = call({ run: { ...aRun(), budget } });
    const flight = await at(0);
    flight.ctx.books?.budget?.claim({ role: "worker", reserved: { inputTokens: 1, outputTokens: 1 }, cost: 0 }).reserve();
    abort.abort();
    expect(flight.ctx.signal.aborted).toBe(true);
    expect(await errorOf(own)).toMatchObject({ code: "aborted" });
    const anew = await at(1);
    expect(anew.ctx.books?.budget?.claim({ role: "worker", reserved: { inputTokens: 1, outputTokens: 1 }, cost: 0 }).reserve()).toBe(refused);
    await anew.end(aResult("its own"));
    expect(textOf(await other)).toBe("its own");
  });

  test("of the one who began the flight ends its own waiting at once, and nobody else's", async () => {
    const { call, at } = stage();
    const abort = new AbortController();
    const [first, second] = [partsSeen(), partsSeen()];
    const own = call({ signal: abort.signal, onPart: first.onPart });
    const other = call({ onPart: second.onPart });
    const flight = await at(0);
    abort.abort(new DivvyError("run_timeout", "Over."));
    expect(await errorOf(own)).toMatchObject({ code: "run_timeout" });
    flight.say("more");
    expect([first.seen(), second.seen()]).toEqual([[], ["text: more"]]);
    expect(flight.ctx.signal.aborted).toBe(false);
    await flight.end();
    expect(textOf(await other)).toBe("answer");
  });

  test("of the last one who waits ends the flight, with that one's reason", async () => {
    const { call, at } = stage();
    const aborts = [new AbortController(), new AbortController()];
    const all = aborts.map(({ signal }) => call({ signal }));
    const { ctx } = await at(0);
    aborts[1]?.abort();
    await settle();
    expect(ctx.signal.aborted).toBe(false);
    aborts[0]?.abort(new DivvyError("run_timeout", "Over."));
    expect(ctx.signal.aborted).toBe(true);
    expect((await Promise.all(all.map(errorOf))).map(({ code }) => code)).toEqual(["run_timeout", "aborted"]);
  });

  test("of the last one waits until the flight has come down, so that what it used is settled", async () => {
    const landing = Promise.withResolvers<CallResult>();
    const calls = recorded(() => "key", answersInMemory())(() => landing.promise);
    const abort = new AbortController();
    const call = calls(aRequest(), aContext({ signal: abort.signal }));
    await settle();
    abort.abort();
    expect(await isPending(call)).toBe(true);
    landing.reject(new DivvyError("aborted", "Down."));
    expect(await errorOf(call)).toMatchObject({ code: "aborted" });
  });

  test("of the last one is not shared by who asks the same a moment later, while the flight is still coming down", async () => {
    const landings = [Promise.withResolvers<CallResult>(), Promise.withResolvers<CallResult>()];
    let flights = 0;
    const calls = recorded(() => "key", answersInMemory())(() => landings[flights++]?.promise ?? Promise.reject(new Error("one too many")));
    const run = aRun();
    const abort = new AbortController();
    const gone = errorOf(calls(aRequest(), aContext({ run, signal: abort.signal })));
    await settle();
    abort.abort();
    const next = calls(aRequest(), aContext({ run }));
    landings[0]?.reject(new DivvyError("aborted", "Down."));
    expect(await gone).toMatchObject({ code: "aborted" });
    const joined = calls(aRequest(), aContext({ run }));
    landings[1]?.resolve(aResult("fresh"));
    expect([textOf(await next), textOf(await joined), flights]).toEqual(["fresh", "fresh", 2]);
  });

  test("of the last one while its answer is being kept leaves the answer to who asks the same a moment later", async () => {
    const keeping = Promise.withResolvers<void>();
    const answers: Answers = { find: async () => undefined, keep: () => keeping.promise };
    let sent = 0;
    const calls = recorded(() => "key", answers)(async () => aResult(`answer ${++sent}`));
    const abort = new AbortController();
    const first = calls(aRequest(), aContext({ run: aRun(), signal: abort.signal }));
    await settle();
    abort.abort();
    const second = calls(aRequest(), aContext({ run: aRun() }));
    await settle();
    keeping.resolve();
    expect([textOf(await first), textOf(await second), sent]).toEqual(["answer 1", "answer 1", 1]);
  });

  test("of the last one while its answer is looked up ends the call, though there is one: it was not shown", async () => {
    const found = Promise.withResolvers<CallResult>();
    const calls = recorded(() => "key", { find: () => found.promise, keep: () => Promise.resolve() })(() => Promise.reject(new Error("not sent")));
    const abort = new AbortController();
    const { onPart, seen } = partsSeen();
    const call = errorOf(calls(aRequest(), aContext({ signal: abort.signal, onPart })));
    await settle();
    abort.abort();
    found.resolve(aResult("known"));
    expect(await call).toMatchObject({ code: "aborted" });
    expect(seen()).toEqual([]);
  });

  test("of the one who began the flight hands its books on to who still waits", async () => {
    const { call, at } = stage();
    const [first, second] = [aRun(), aRun()];
    const abort = new AbortController();
    const gone = errorOf(call({ run: first, signal: abort.signal }));
    const stays = call({ run: second });
    const { ctx, end } = await at(0);
    abort.abort();
    expect(await gone).toMatchObject({ code: "aborted" });
    ctx.books?.emit({ type: "run.noticed", notice: { code: "upstream_cut", message: "Cut." } });
    expect([first.events.length, second.events.length]).toEqual([0, 1]);
    await end();
    await stays;
  });

  test("before the call sends nothing that goes on", async () => {
    const { call, sent } = stage();
    expect(await errorOf(call({ signal: AbortSignal.abort() }))).toMatchObject({ code: "aborted" });
    expect(sent.every(({ ctx }) => ctx.signal.aborted)).toBe(true);
  });

  test("is listened for no longer once the call has ended, well or not", async () => {
    const { call, at } = stage();
    const { signal } = new AbortController();
    const ends = [call({ signal }), call({ signal }, { sample: 1 })];
    await (await at(0)).end();
    await (await at(1)).fail(new DivvyError("refused", "no"));
    await Promise.allSettled(ends);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("an end that concerns only the run in which a flight began", () => {
  const ended = (code: "ledger_failed" | "ledger_busy" = "ledger_failed"): DivvyError => new DivvyError(code, "Its log cannot be written.");

  test.each(["run_taken_over", "ledger_failed", "ledger_busy", "ledger_version"] as const)(
    "is not that of the others: they go on, together (%s)",
    async (code) => {
      const { sent, call, at } = stage();
      const [first, ...others] = [call(), call(), call()];
      const error = new DivvyError(code, "Its log cannot be written.");
      await (await at(0)).fail(error);
      expect(await errorOf(first ?? Promise.resolve())).toBe(error);
      await (await at(1)).end();
      expect((await Promise.all(others)).map(textOf)).toEqual(["answer", "answer"]);
      expect(sent.length).toBe(2);
    },
  );

  test("comes to each of them where no log can be written, and then to no more", async () => {
    const { sent, call, at } = stage();
    const all = [call(), call(), call()];
    const errors = [ended(), ended("ledger_busy"), ended()];
    for (const [index, error] of errors.entries()) await (await at(index)).fail(error);
    expect(await Promise.all(all.map(errorOf))).toEqual(errors);
    expect(sent.length).toBe(3);
  });

  test("is one for all where the answer has come and cannot be recorded: it is not paid for once more", async () => {
    let sends = 0;
    const error = ended();
    const answers: Answers = { find: async () => undefined, keep: () => Promise.reject(error) };
    const calls = recorded(
      () => "key",
      answers,
    )(async () => {
      sends++;
      return aResult("paid");
    });
    const run = aRun();
    const all = [calls(aRequest(), aContext({ run })), calls(aRequest(), aContext({ run }))];
    expect(await Promise.all(all.map(errorOf))).toEqual([error, error]);
    expect(sends).toBe(1);
  });

  test("lets one leave who only waited, and the flight go on with the others", async () => {
    const { sent, call, at } = stage();
    const abort = new AbortController();
    const first = call();
    const leaves = call({ signal: abort.signal });
    const flight = await at(0);
    abort.abort(ended());
    expect(await errorOf(leaves)).toMatchObject({ code: "ledger_failed" });
    const joins = call();
    await settle();
    await flight.end();
    expect((await Promise.all([first, joins])).map(textOf)).toEqual(["answer", "answer"]);
    expect(sent.length).toBe(1);
  });
});

describe("where two orchestrators share their answers, and so a flight", () => {
  const two = (ctx: Partial<CallContext> = {}) => {
    const answers = answersInMemory();
    const landings = [Promise.withResolvers<CallResult>(), Promise.withResolvers<CallResult>()] as const;
    const [begins, joins] = landings.map(({ promise }) => recorded(() => "key", answers)(() => promise));
    if (begins === undefined || joins === undefined) throw new Error("There are two.");
    return { first: begins(aRequest(), aContext({ run: aRun(), ...ctx })), join: () => joins(aRequest(), aContext({ run: aRun() })), landings };
  };

  test("its answer is that of both", async () => {
    const { first, join, landings } = two();
    const second = join();
    landings[0].resolve(aResult("one"));
    expect([textOf(await first), textOf(await second)]).toEqual(["one", "one"]);
  });

  test.each(["authentication", "total_timeout", "admission_timeout", "server_error"] as const)(
    "what one of them fails with is not the other's: that has a key, clocks and tries of its own (%s)",
    async (code) => {
      const { first, join, landings } = two();
      const second = join();
      landings[0].reject(new DivvyError(code, "Not here."));
      expect(await errorOf(first)).toMatchObject({ code });
      landings[1].resolve(aResult("its own"));
      expect(textOf(await second)).toBe("its own");
    },
  );

  test("nor where the one has left, and the other pays for what the one carries out", async () => {
    const abort = new AbortController();
    const { first, join, landings } = two({ signal: abort.signal });
    const second = join();
    abort.abort();
    expect(await errorOf(first)).toMatchObject({ code: "aborted" });
    landings[0].reject(new DivvyError("authentication", "A wrong key."));
    landings[1].resolve(aResult("its own"));
    expect(textOf(await second)).toBe("its own");
  });
});

test("what is taken over of another run's call, from the record or on its way, is to be read by the own answer", async () => {
  const { call, at } = stage();
  const reader = () => {
    const read: number[] = [];
    const budget: RunBudget = {
      inDollars: false,
      outOfTime: undefined,
      claim: () => ({ reserve: () => "reserved", giveBack: () => undefined }),
      spend: () => undefined,
      answerReads: (tokens) => void read.push(tokens()),
      keepForAnswer: () => undefined,
      answerTakes: () => undefined,
    };
    return { read, run: { ...aRun(), budget } };
  };
  const [payer, joined, late] = [reader(), reader(), reader()];
  const asked = [payer, joined].map(({ run }) => call({ run }));
  await (await at(0)).end(aResult("a reply"));
  await Promise.all(asked);
  await call({ run: late.run });
  for (const role of ["synthesizer", "evaluator"] as const) await call({ run: late.run, role });
  // What is paid for is counted where it is paid.
  expect([payer.read, joined.read, late.read]).toEqual([[], [5], [5, 0, 0]]);
});
