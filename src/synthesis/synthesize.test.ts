import { describe, expect, test } from "vitest";
import { anyRules, type FakeCalls, fakeCalls, fault, notedRun } from "../../test/fake-calls.ts";
import type { CallRequest } from "../calls/call.ts";
import { DivvyError } from "../errors.ts";
import type { EventBody } from "../events.ts";
import { fence } from "../prompt/fence.ts";
import { layOut } from "./layout.ts";
import { type Synthesis, type SynthesisInput, synthesize } from "./synthesize.ts";
import type { SynthesizerRole } from "./synthesizer-messages.ts";
import { resultsText, synthesizerPrompt } from "./synthesizer-prompt.ts";

const results = [
  { id: "first", type: "a-type", description: "d", result: "One." },
  { id: "Second", type: "b", description: "e", result: "Two <choice>first</choice>." },
];
const input: SynthesisInput = { request: { task: "T", context: { tone: "dry" } }, analysis: "why", combine: "merge", results, missing: [], planComplete: true };

interface Synthesized {
  readonly synthesis: Synthesis;
  /** What stands in the answer at the end. */
  readonly text: string;
  /** What reached the sink: text, or `restart`. */
  readonly seen: string[];
  readonly fake: FakeCalls;
  readonly events: EventBody[];
}

async function synthesized(
  replies: Parameters<typeof fakeCalls>[0],
  more: Partial<SynthesisInput> = {},
  deps: { left?: boolean; signal?: AbortSignal; prompt?: SynthesizerRole["prompt"]; comparing?: true } = {},
): Promise<Synthesized> {
  const fake = fakeCalls(replies);
  const { run, events } = notedRun();
  const seen: string[] = [];
  let text = "";
  const mayRestart = (): boolean => deps.left !== true || text === "";
  const sink = {
    write: (delta: string): void => {
      seen.push(delta);
      text += delta;
    },
    mayRestart,
    restart: (): boolean => {
      if (!mayRestart()) return false;
      if (text !== "") seen.push("restart");
      text = "";
      return true;
    },
    hold: (): void => undefined,
    letGo: (): void => undefined,
  };
  const asked = { model: "s", settings: { maxOutputTokens: 50 }, rules: anyRules };
  const role: SynthesizerRole = { ...asked, prompt: deps.prompt ?? synthesizerPrompt, ...(deps.comparing && { comparing: asked }) };
  const synthesis = await synthesize({ ...input, ...more }, { calls: fake.calls, run, signal: deps.signal ?? new AbortController().signal, fence, role, sink });
  return { synthesis, text, seen, fake, events };
}

describe("results that are kept", () => {
  test("are laid out without a call, with what is not covered under them", async () => {
    const { synthesis, text, fake, events } = await synthesized([], {
      combine: "keep",
      missing: [{ id: "x", type: "t", why: "it broke" }],
      planComplete: false,
    });
    expect(synthesis).toEqual({ mode: "keep" });
    expect(text).toBe(`${layOut(results)}\n\n**Not covered**\n\n- x (t): it broke\n- The plan broke off; further parts may be missing.`);
    expect(fake.asked).toEqual([]);
    expect(events).toEqual([]);
  });
});

describe("one result", () => {
  test.each(["merge", "choose"] as const)("needs no call to %s", async (combine) => {
    const { synthesis, text, fake } = await synthesized([], { combine, results: results.slice(0, 1), missing: [{ id: "x", type: "x", why: "it broke" }] });
    expect(synthesis).toEqual({ mode: combine });
    expect(text).toBe("One.\n\n**Not covered**\n\n- x: it broke");
    expect(fake.asked).toEqual([]);
  });
});

describe("no answer", () => {
  test.each([
    ["none is wanted", { combine: "none" as const }],
    ["there is no result", { results: [], missing: [{ id: "x", type: "x", why: "it broke" }] }],
  ])("is written where %s", async (_, more) => {
    const { synthesis, seen } = await synthesized([], more);
    expect(synthesis).toEqual({ mode: "none" });
    expect(seen).toEqual([]);
  });

  test("is written for a user who has stopped the run, before or during the synthesis", async () => {
    expect(await synthesized([], {}, { signal: AbortSignal.abort() })).toMatchObject({ synthesis: { mode: "none" }, seen: [] });
    const controller = new AbortController();
    const during = await synthesized([{ parts: ["On", () => controller.abort()], error: fault("aborted") }], {}, { signal: controller.signal });
    expect(during).toMatchObject({ synthesis: { mode: "none" }, text: "On" });
  });
});

describe("a run that is out of time", () => {
  const timeout = new DivvyError("run_timeout", "time is up");

  test("still lays out what it has, without a call", async () => {
    const { synthesis, text, fake } = await synthesized([], {}, { signal: AbortSignal.abort(timeout) });
    expect(synthesis).toEqual({ mode: "keep", error: timeout });
    expect(text).toBe(layOut(results));
    expect(fake.asked).toEqual([]);
  });

  test("during the synthesis lays them out in its place", async () => {
    const controller = new AbortController();
    const { synthesis, text } = await synthesized([{ parts: ["On", () => controller.abort(timeout)], error: timeout }], {}, { signal: controller.signal });
    expect(synthesis).toEqual({ mode: "keep", error: timeout });
    expect(text).toBe(layOut(results));
  });
});

describe("results that are merged", () => {
  test("become one text, written as it comes, with what is not covered added by code", async () => {
    const { synthesis, seen, fake, events } = await synthesized([{ parts: ["All ", { type: "reasoning", delta: "hm" }, "of it."] }], {
      missing: [{ id: "x", type: "x", why: "it broke" }],
    });
    expect(synthesis).toEqual({ mode: "merge" });
    expect(seen).toEqual(["All ", "of it.", "\n\n**Not covered**\n\n- x: it broke"]);
    expect(events).toEqual([{ type: "synthesis.started", combine: "merge", model: "s" }]);
    expect(fake.asked[0]).toMatchObject({ request: { model: "s", sample: 0, settings: { maxOutputTokens: 50 } }, ctx: { role: "synthesizer" } });
    expect(fake.prompt(0)).toContain(resultsText({ results, fence }));
  });

  test("start over with a new attempt", async () => {
    const { text, seen } = await synthesized([{ parts: ["Wrong", { type: "attempt", attempt: 2 }, "Right."] }]);
    expect(text).toBe("Right.");
    expect(seen).toEqual(["Wrong", "restart", "Right."]);
  });

  test("ask for no further attempt once text has left", async () => {
    const allowed: boolean[] = [];
    const replies: Parameters<typeof fakeCalls>[0] = (_, ctx) => {
      const look = (): void => void allowed.push(ctx.mayRestart?.() ?? true);
      return { parts: [look, "Half", look] };
    };
    await synthesized(replies, {}, { left: true });
    expect(allowed).toEqual([true, false]);
  });

  test("are laid out where the synthesizer fails, in place of what it wrote", async () => {
    const error = fault("content_filter");
    const { synthesis, text, events } = await synthesized([{ parts: ["Half of"], error }]);
    expect(synthesis).toEqual({ mode: "keep", error });
    expect(text).toBe(layOut(results));
    expect(events.at(-1)).toEqual({ type: "synthesis.failed", error: error.toJSON() });
  });

  test("are laid out under a notice where what it wrote has left already", async () => {
    const { synthesis, text } = await synthesized([{ parts: ["Half of"], error: fault("stream_broken") }], { planComplete: false }, { left: true });
    expect(synthesis).toMatchObject({ mode: "keep", error: { code: "stream_broken" } });
    expect(text).toBe(
      `Half of\n\n**The text above broke off.** Here are the results from which it was being written.\n\n${layOut(results)}\n\n**Not covered**\n\n- The plan broke off; further parts may be missing.`,
    );
  });
});

describe("results that are compared", () => {
  const compared = { combine: "choose" } as const;
  const says = (better: string): string => JSON.stringify({ reasons: "It is so.", better });

  test("give the better one as it was written, and it is said which, why, and with whom it tied", async () => {
    const secondIsBetter = ({ messages }: CallRequest): string =>
      says(/<first-[^>]*>\nTwo/.test(JSON.stringify(messages).replaceAll("\\n", "\n")) ? "first" : "second");
    const { synthesis, text, seen, events, fake } = await synthesized(secondIsBetter, compared, { comparing: true });
    expect(synthesis).toEqual({ mode: "choose" });
    expect([text, seen.length]).toEqual(["Two <choice>first</choice>.", 1]);
    expect(events).toEqual([
      { type: "synthesis.started", combine: "choose", model: "s" },
      { type: "synthesis.chosen", subtaskId: "Second", reason: "It is so.", ties: [] },
    ]);
    expect(fake.asked.map(({ ctx }) => ctx.role)).toEqual(["synthesizer", "synthesizer"]);
  });

  test("are laid out where a comparison gives no verdict", async () => {
    const { synthesis, text, events } = await synthesized(() => "Hm.", compared, { comparing: true });
    expect(synthesis).toMatchObject({
      mode: "keep",
      error: { code: "choice_failed", message: 'The synthesizer did not say which of "first" and "Second" is better.' },
    });
    expect(text).toBe(layOut(results));
    expect(events.map(({ type }) => type)).toEqual(["synthesis.started", "synthesis.failed"]);
  });
});

describe("a choice by a prompt of the user's own", () => {
  test.each(["Second", "second", "`Second`", " 'SECOND' "])("named %j is the result as it was written, and none of the synthesizer's words", async (named) => {
    const { synthesis, text, seen, events } = await synthesized([{ parts: ["Well. <choice>", `${named}</choice>`, "<reason>\nbecause</reason>"] }], {
      combine: "choose",
    });
    expect(synthesis).toEqual({ mode: "choose" });
    expect(text).toBe("Two <choice>first</choice>.");
    expect(seen).toHaveLength(1);
    expect(events).toEqual([
      { type: "synthesis.started", combine: "choose", model: "s" },
      { type: "synthesis.chosen", subtaskId: "Second", reason: "because" },
    ]);
  });

  test("stands where the same is named again, or what is no result", async () => {
    const reply =
      "<choice>the id of the best one</choice> It says <choice>third</choice>. <choice>second</choice><reason>Rather <choice>Second</choice>.</reason>";
    const { text } = await synthesized([reply], { combine: "choose" });
    expect(text).toBe("Two <choice>first</choice>.");
  });

  test("without a reason is one all the same", async () => {
    const { events } = await synthesized(["<choice>first</choice>"], { combine: "choose" });
    expect(events.at(-1)).toEqual({ type: "synthesis.chosen", subtaskId: "first", reason: "" });
  });

  test.each([
    ["names nothing", "The second one is best.", "The synthesizer named no result."],
    ["names several, one of them perhaps in a quote", 'It says "<choice>first</choice>". <choice>Second</choice>', "The synthesizer named several results."],
    ["names no result", "<choice>third</choice>", 'The synthesizer chose "third", which is no result.'],
  ])("that %s leaves all results laid out, and says so", async (_, reply, message) => {
    const { synthesis, text, events } = await synthesized([reply], { combine: "choose" });
    expect(synthesis).toMatchObject({ mode: "keep", error: { code: "choice_failed", message, evidence: { partialText: reply, known: ["first", "Second"] } } });
    expect(text).toBe(layOut(results));
    expect(events.map(({ type }) => type)).toEqual(["synthesis.started", "synthesis.failed"]);
  });
});

describe("a synthesizer's template", () => {
  test("has the task, the context and its keys, the analysis, the results and what is missing", async () => {
    const { fake } = await synthesized(
      ["ok"],
      { missing: [{ id: "x", type: "t", why: "it broke" }] },
      { prompt: "{task}|{context}|{tone}|{analysis}|{missing}|{results}" },
    );
    expect(fake.prompt(0)).toBe(`T|tone: dry|dry|why|x: it broke|${resultsText({ results, fence })}`);
  });

  test("with an unknown variable leaves the results laid out", async () => {
    const { synthesis, text } = await synthesized([], {}, { prompt: "{nothing}" });
    expect(synthesis).toMatchObject({ mode: "keep", error: { code: "invalid_template" } });
    expect(text).toBe(layOut(results));
  });
});
