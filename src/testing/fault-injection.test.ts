import { describe, expect, test } from "vitest";
import type { Fault } from "./fault.ts";
import { injectFaults } from "./fault-injection.ts";
import { type DoubleCall, type DoubleReply, spoken } from "./script.ts";

const faults: readonly Fault[] = [{ kind: "status", status: 429 }, { kind: "reset", afterChunks: 1 }, { kind: "pings" }];

const call = (prompt: string, asked = 1): DoubleCall => ({ modelId: "m", json: false, ...spoken([{ role: "user", text: prompt }]), n: 1, asked });

const faultOf = (reply: DoubleReply): Fault | undefined => (typeof reply === "string" ? undefined : reply.fault);

describe("injectFaults", () => {
  const calls = Array.from({ length: 1_000 }, (_, i) => call(`question ${i}`));

  test("spoils the share it is told to, with each of the faults", async () => {
    const script = injectFaults(() => "fine", { seed: 1, share: 0.2, faults });
    const found = await Promise.all(calls.map(async (one) => faultOf(await script(one))));
    const spoiled = found.filter((fault) => fault !== undefined);
    expect(spoiled.length).toBeGreaterThan(150);
    expect(spoiled.length).toBeLessThan(250);
    expect(new Set(spoiled.map(({ kind }) => kind))).toEqual(new Set(["status", "reset", "pings"]));
  });

  test("spoils a reply whose fault is undefined like one that has none", async () => {
    const script = injectFaults(() => ({ text: "fine", fault: undefined }), { seed: 1, share: 1, faults });
    expect(faultOf(await script(call("q")))).toBeDefined();
  });

  test("does not depend on the order of calls, only on seed, question and how often it was asked", async () => {
    const run = async (seed: number, order: readonly DoubleCall[]): Promise<Map<string, Fault | undefined>> => {
      const script = injectFaults(() => "fine", { seed, share: 0.5, faults });
      const found = new Map<string, Fault | undefined>();
      for (const one of order) found.set(`${one.prompt}/${one.asked}`, faultOf(await script(one)));
      return found;
    };
    const once = await run(1, calls);
    const reversed = await run(1, calls.toReversed());
    expect(calls.map(({ prompt }) => reversed.get(`${prompt}/1`))).toEqual([...once.values()]);
    expect([...(await run(2, calls)).values()]).not.toEqual([...once.values()]);
    const twice = calls.map(({ prompt }) => call(prompt, 2));
    expect([...(await run(1, twice)).values()]).not.toEqual([...once.values()]);
  });

  test("keeps the reply, and a fault of its own", async () => {
    const own: Fault = { kind: "cut", afterChunks: 3 };
    const always = { seed: 1, share: 1, faults: [{ kind: "pings" }] as const };
    expect(await injectFaults(() => "fine", always)(call("a"))).toEqual({ text: "fine", fault: { kind: "pings" } });
    expect(await injectFaults([{ when: "a", reply: { text: "x", fault: own } }], always)(call("a"))).toEqual({ text: "x", fault: own });
    expect(await injectFaults(() => "fine", { ...always, share: 0 })(call("a"))).toBe("fine");
  });
});
