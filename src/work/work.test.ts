import { describe, expect, test } from "vitest";
import { virtualClock } from "../testing/virtual-clock.ts";
import { anyRules, fakeCalls, type FakeReply, fault, notedRun, promptText } from "../../test/fake-calls.ts";
import type { Calls } from "../calls/call.ts";
import { abortReason, DivvyError } from "../errors.ts";
import type { EventBody } from "../events.ts";
import { fence } from "../prompt/fence.ts";
import type { Planned } from "../subtask.ts";
import { Work } from "./work.ts";

let ordinal = 0;
function subtask(id: string, ...dependsOn: string[]): Planned {
  return { subtask: { id, type: id.startsWith("special") ? "special" : "t", description: `do ${id}`, dependsOn }, ordinal: ordinal++, sample: 0 };
}

interface Running {
  readonly work: Work;
  readonly events: EventBody[];
  readonly asked: ReturnType<typeof fakeCalls>["asked"];
  /** The events but for the deltas, as `started a`. */
  readonly story: () => string[];
}

function working(
  more: { reply?: (id: string) => FakeReply | string; calls?: Calls; signal?: AbortSignal; early?: boolean; upstreamBytes?: number } = {},
): Running {
  const fake = fakeCalls((_, ctx) => more.reply?.(ctx.subtaskId ?? "") ?? `result of ${ctx.subtaskId}`);
  const { run, events } = notedRun();
  const work = new Work({
    request: { task: "T", context: "" },
    kindOf: (type) => ({
      name: "default",
      model: type === "special" ? "special-model" : "m",
      settings: { maxOutputTokens: 10 },
      rules: anyRules,
      prompt: "{task_description}",
    }),
    calls: more.calls ?? fake.calls,
    run,
    signal: more.signal ?? new AbortController().signal,
    fence,
    kept: () => undefined,
    before: () => undefined,
    clock: virtualClock(),
    upstreamBytes: more.upstreamBytes ?? 1000,
    early: more.early ?? true,
  });
  const story = (): string[] =>
    events.flatMap((event) => {
      switch (event.type) {
        case "subtask.started":
        case "subtask.finished":
        case "subtask.failed":
          return [`${event.type.slice("subtask.".length)} ${event.subtaskId}`];
        case "subtask.skipped":
          return [`skipped ${event.subtaskId}: ${event.reason} ${event.because}`.trimEnd()];
        default:
          return [];
      }
    });
  return { work, events, asked: fake.asked, story };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("subtasks", () => {
  test("start the moment they come, before the plan is over", async () => {
    const { work, story } = working();
    work.add(subtask("a"));
    expect(story()).toEqual(["started a"]);
    await turn();
    work.add(subtask("b"));
    expect(story()).toEqual(["started a", "finished a", "started b"]);
    work.planEnded();
    await work.settled;
    expect([...work.ends.keys()]).toEqual(["a", "b"]);
  });

  test("wait for the plan's end, and then start in its order, where they shall not start early", async () => {
    const { work, story } = working({ early: false });
    for (const planned of [subtask("c", "a"), subtask("a"), subtask("b")]) work.add(planned);
    await turn();
    expect(story()).toEqual([]);
    work.planEnded();
    await work.settled;
    expect(story().filter((line) => line.startsWith("started"))).toEqual(["started a", "started b", "started c"]);
  });

  test("start when what they depend on is done, with its results inside fences, in the order in which they are named", async () => {
    const { work, asked } = working();
    for (const planned of [subtask("c", "B", "a"), subtask("b"), subtask("a")]) work.add(planned);
    work.planEnded();
    await work.settled;
    const prompt = promptText(asked.at(-1)?.request);
    expect(prompt.startsWith("do c\n\n")).toBe(true);
    expect(prompt.indexOf(fence("result", "result of b"))).toBeGreaterThan(0);
    expect(prompt.indexOf(fence("result", "result of a"))).toBeGreaterThan(prompt.indexOf("result of b"));
  });

  test("go to the worker for their type", async () => {
    const { work, asked } = working();
    work.add(subtask("special-1"));
    work.add(subtask("b"));
    work.planEnded();
    await work.settled;
    expect(asked.map(({ request }) => request.model)).toEqual(["special-model", "m"]);
  });

  test("are carried out once each, though they wait for several names that nobody has", async () => {
    const { work, asked } = working();
    work.add(subtask("a", "x", "y"));
    work.add(subtask("b", "a", "A"));
    work.planEnded();
    await work.settled;
    expect(asked.map(({ ctx }) => ctx.subtaskId)).toEqual(["a", "b"]);
  });

  test("that fail take their dependants with them, and the rest goes on", async () => {
    const { work, story } = working({ reply: (id) => (id === "a" ? { parts: ["half"], error: fault("overloaded") } : "ok") });
    for (const planned of [subtask("a"), subtask("b", "A"), subtask("c", "b"), subtask("d")]) work.add(planned);
    work.planEnded();
    await work.settled;
    expect(story().toSorted()).toEqual(["failed a", "finished d", "skipped b: upstream a", "skipped c: upstream b", "started a", "started d"]);
    expect(work.ends.get("a")).toMatchObject({ status: "failed", error: { code: "overloaded" } });
    // One that comes later is skipped at once.
    work.add(subtask("e", "c"));
    expect(work.ends.get("e")).toMatchObject({ status: "skipped", because: "c" });
  });

  test("in a cycle fail with an error that names them, which is also said, and take their dependants with them", async () => {
    const { work, story, events } = working();
    for (const planned of [subtask("a", "b"), subtask("b", "a"), subtask("c", "b"), subtask("d")]) work.add(planned);
    work.planEnded();
    await work.settled;
    expect(story().toSorted()).toEqual(["failed a", "failed b", "finished d", "skipped c: upstream b", "started d"]);
    const end = work.ends.get("a");
    expect(end).toMatchObject({ status: "failed", attempts: 0, error: { code: "dependency_cycle" } });
    const message = 'These subtasks wait for each other in a circle and cannot start: "a", "b".';
    expect(events).toContainEqual({ type: "run.noticed", notice: { code: "dependency_cycle", message, subtaskIds: ["a", "b"] } });
    expect(end?.status === "failed" && end.error.evidence?.subtaskIds?.toSorted()).toEqual(["a", "b"]);
  });

  test("get only the beginnings of what is too long, which is said", async () => {
    const { work, events, asked } = working({ upstreamBytes: 10, reply: (id) => id.repeat(20) });
    for (const planned of [subtask("a"), subtask("b", "a")]) work.add(planned);
    work.planEnded();
    await work.settled;
    expect(promptText(asked[1]?.request)).toContain("aaaaaaaaaa\n[cut here: the first 10 of 20 characters]");
    expect(events).toContainEqual({
      type: "run.noticed",
      notice: { code: "upstream_cut", message: '"b" got only the beginnings of "a": together they are over 10 bytes.', subtaskIds: ["b"] },
    });
  });
});

describe("a plan without subtasks", () => {
  test("is settled when it is over", async () => {
    const { work } = working();
    work.planEnded();
    await work.settled;
    expect(work.ends.size).toBe(0);
  });
});

describe("an abort", () => {
  /** Runs until it is aborted, as calls do. */
  const calls: Calls = (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(abortReason(signal))));

  test.each([
    [undefined, "aborted"],
    [new DivvyError("run_timeout", "time is up"), "timeout"],
  ] as const)("ends what runs and skips what waits (%s)", async (reason, skipped) => {
    const controller = new AbortController();
    const { work, story } = working({ signal: controller.signal, calls });
    for (const planned of [subtask("a"), subtask("b", "a"), subtask("c", "unknown")]) work.add(planned);
    controller.abort(reason);
    await turn();
    // One that comes too late does not start any more.
    work.add(subtask("d"));
    work.planEnded();
    await work.settled;
    expect(story().toSorted()).toEqual(["failed a", `skipped b: ${skipped}`, `skipped c: ${skipped}`, `skipped d: ${skipped}`, "started a"]);
  });

  test("before anything ran settles all the same", async () => {
    const controller = new AbortController();
    const { work, story } = working({ signal: controller.signal, calls, early: false });
    work.add(subtask("a"));
    controller.abort();
    work.planEnded();
    await work.settled;
    expect(story()).toEqual(["skipped a: aborted"]);
  });
});
