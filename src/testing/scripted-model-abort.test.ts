import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { asking, failing, partsOf, rejection, saying } from "./scripted-model-fixture.ts";
import { scriptedModel } from "./scripted-model.ts";
import { virtualClock } from "./virtual-clock.ts";

describe("an abort", () => {
  test("errors the stream with the signal's reason at once, voids what was not read, and leaves no timer", async () => {
    const clock = virtualClock();
    const model = saying({ text: "abcdef", chunkSize: 2, chunkMs: 60_000 }, { clock });
    const abort = new AbortController();
    const reason = new Error("enough");
    const { stream } = await model.doStream(asking("q", { abortSignal: abort.signal }));
    const reader = stream.getReader();
    for (let i = 0; i < 4; i++) await reader.read();
    const next = rejection(reader.read());
    await clock.advance(1_000);
    expect([clock.pending, model.inFlight]).toEqual([1, 1]);
    abort.abort(reason);
    expect(await next).toBe(reason);
    expect([clock.pending, model.inFlight]).toEqual([0, 0]);
    expect(model.calls[0]).toMatchObject({ endedAt: 1_000, signal: { aborted: true, reason } });
  });

  test("between two reads errors the next one", async () => {
    const abort = new AbortController();
    const { stream } = await saying("abc").doStream(asking("q", { abortSignal: abort.signal }));
    const reader = stream.getReader();
    await reader.read();
    await setImmediate();
    abort.abort("why");
    expect(await rejection(reader.read())).toBe("why");
  });

  test("before the response rejects doStream and doGenerate, even while the script ponders", async () => {
    const clock = virtualClock();
    const abort = new AbortController();
    const options = asking("q", { abortSignal: abort.signal });
    const pondering = scriptedModel(() => new Promise<string>(() => {}));
    const slow = saying({ text: "x", firstMs: 1_000 }, { clock });
    const all = [pondering.doStream(options), slow.doStream(options), slow.doGenerate(options)].map(rejection);
    await clock.advance(10);
    expect([pondering.inFlight, slow.inFlight, clock.pending]).toEqual([1, 2, 2]);
    abort.abort("why");
    expect(await Promise.all(all)).toEqual(["why", "why", "why"]);
    expect([pondering.inFlight, slow.inFlight, clock.pending]).toEqual([0, 0, 0]);
  });

  test("at whatever turn it comes, is the end", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const model = failing({ kind: "silence", afterChunks: 2 });
      const abort = new AbortController();
      const failed = rejection(partsOf(model, asking("q", { abortSignal: abort.signal })));
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      abort.abort("why");
      expect([await failed, model.inFlight]).toEqual(["why", 0]);
    }
  });

  test("before the call means that there was none", async () => {
    const model = saying("x");
    expect(await rejection(model.doStream(asking("q", { abortSignal: AbortSignal.abort("why") })))).toBe("why");
    expect(model.calls).toEqual([]);
  });

  test("after the end changes nothing", async () => {
    const abort = new AbortController();
    const model = saying("x");
    await partsOf(model, asking("q", { abortSignal: abort.signal }));
    abort.abort();
    expect(model.calls[0]?.signal?.aborted).toBe(false);
  });

  test("cancelling the stream ends the call and its timers", async () => {
    const clock = virtualClock();
    const model = saying({ text: "abcdef", chunkSize: 2, chunkMs: 60_000 }, { clock });
    const { stream } = await model.doStream(asking("q"));
    const reader = stream.getReader();
    for (let i = 0; i < 4; i++) await reader.read();
    const read = reader.read();
    await clock.advance(1);
    await reader.cancel("no more");
    expect(await read).toEqual({ done: true, value: undefined });
    await clock.advance(0);
    expect([clock.pending, model.inFlight, model.calls[0]?.signal?.aborted]).toEqual([0, 0, true]);
  });
});
