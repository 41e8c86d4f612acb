import { afterEach, describe, expect, test, vi } from "vitest";
import { DivvyError } from "../../src/errors.ts";
import type { Admission } from "../../src/governor/governor.ts";
import { AnswerStream } from "../../src/orchestrator/answer-stream.ts";
import { RunHandle } from "../../src/orchestrator/run-handle.ts";
import { ReadySet } from "../../src/work/ready-set.ts";
import { Work } from "../../src/work/work.ts";
import type { JobEnd } from "../../src/work/worker.ts";
import { calm, type Sabotage, unsaid } from "./sabotage.ts";
import type { Schedule } from "./schedule.ts";
import { Timeline } from "./timeline.ts";

const governor = vi.hoisted(() => ({ lets: (asked: Admission): Admission => asked }));
vi.mock(import("../../src/governor/adaptive-governor.ts"), async (original) => {
  const { adaptiveGovernor } = await original();
  return {
    adaptiveGovernor: (runtime) => {
      const real = adaptiveGovernor(runtime);
      return { admit: async (asked) => await real.admit(governor.lets(asked)) };
    },
  };
});

const worker = vi.hoisted(() => ({ ends: (end: JobEnd): JobEnd => end }));
vi.mock(import("../../src/work/worker.ts"), async (original) => {
  const { carryOutSubtask, ...rest } = await original();
  return { ...rest, carryOutSubtask: async (...asked) => worker.ends(await carryOutSubtask(...asked)) };
});

/** The answer is written otherwise than it was to be: to all who read it. */
function writing(name: string, change: (delta: string) => string, says: readonly RegExp[], under: Partial<Schedule>): Sabotage {
  const breaks = (): void => {
    const { write } = AnswerStream.prototype;
    vi.spyOn(AnswerStream.prototype, "write").mockImplementation(function (this: AnswerStream, delta) {
      write.call(this, change(delta));
    });
  };
  return { name, breaks, says, under: (schedule) => ({ ...schedule, ...under }) };
}

const withoutFirst = (delta: string): string => delta.slice(1);
const stopped = (schedule: Schedule): Schedule => ({
  ...calm(schedule),
  concurrency: 2,
  lives: calm(schedule).lives.map((life) => ({ ...life, abort: { at: { on: "ask", what: "commit", n: 7, done: true }, all: true, bySignal: false } })),
});
const stoppedEarly = (schedule: Schedule): Schedule => ({ ...stopped(schedule), areDeaf: true, concurrency: 100 });

const sabotages: readonly Sabotage[] = [
  {
    name: "does not stop when it is told to",
    breaks: () => void vi.spyOn(RunHandle.prototype, "abort").mockReturnValue(),
    says: [/call \d+ left after its run was stopped/, /(?:attempt|subtask)\.started \(\d+\) after it was stopped/],
    under: stopped,
  },
  {
    name: "ends before its workers do",
    breaks: () => void vi.spyOn(Work.prototype, "settled", "get").mockReturnValue(Promise.resolve()),
    says: [/call \d+ left after its run was over/],
    under: (schedule) => ({ ...calm(schedule), concurrency: 1 }),
  },
  {
    name: "starts a subtask before what it needs is done",
    breaks: () => {
      const { add } = ReadySet.prototype;
      vi.spyOn(ReadySet.prototype, "add").mockImplementation(function (this: ReadySet, planned) {
        return add.call(this, { ...planned, subtask: { ...planned.subtask, dependsOn: [] } });
      });
    },
    says: [/ starts before .* is done/],
  },
  {
    name: "never starts who has waited",
    breaks: () => void vi.spyOn(ReadySet.prototype, "settle").mockReturnValue({ ready: [], blocked: [] }),
    says: [/It does not end/],
  },
  {
    name: "lets out more calls than it may",
    breaks: () => {
      governor.lets = ({ run, ...asked }) => ({ ...asked, run: { ...run, concurrency: 100 } });
    },
    says: [/call \d+ is one too many at once/],
    under: (schedule) => ({ ...calm(schedule), concurrency: 2 }),
  },
  {
    name: "gives no turn to one who waits",
    breaks: () => {
      governor.lets = (asked) => {
        if (asked.rank === 2) throw new DivvyError("admission_timeout", "No turn.");
        return asked;
      };
    },
    says: [/ had no turn/],
    under: (schedule) => ({ ...calm(schedule), concurrency: 100, admissionMs: 600_000 }),
  },
  {
    name: "leaves its timers",
    breaks: () => {
      const { clockOf } = Timeline.prototype;
      vi.spyOn(Timeline.prototype, "clockOf").mockImplementation(function (this: Timeline, owner) {
        const { now, setTimer } = clockOf.call(this, owner);
        return {
          now,
          setTimer: (ms, fn) => {
            setTimer(ms, fn);
            return () => undefined;
          },
        };
      });
    },
    says: [/process \d+: \d+ timers are left/],
    under: calm,
  },
  {
    name: "leaves its listeners",
    breaks: () => void vi.spyOn(AbortSignal.prototype, "removeEventListener").mockReturnValue(),
    says: [/\d+ listeners are left on its signal/],
    under: calm,
  },
  {
    name: "leaves connections open",
    breaks: () => void vi.spyOn(ReadableStream.prototype, "cancel").mockResolvedValue(),
    says: [/process \d+: \d+ calls are left/],
    under: stoppedEarly,
  },
  {
    name: "gives readers of its text too little",
    breaks: () => {
      const { read } = AnswerStream.prototype;
      vi.spyOn(AnswerStream.prototype, "read").mockImplementation(async function* (this: AnswerStream) {
        for await (const piece of read.call(this)) yield piece.slice(1);
      });
    },
    says: [/textStream gave .*, its text is/, /read late, its text is/],
  },
  {
    name: "loses the end of what a worker answered",
    breaks: () => {
      worker.ends = (end) => (end.status === "done" ? { ...end, result: end.result.slice(0, -1) } : end);
    },
    says: [/ is not what call \d+ answered/],
  },
  writing("lays the results out with pieces missing", withoutFirst, [/its text lacks the result of/], { synthesis: "keep" }),
  writing("chooses a result and gives something else", withoutFirst, [/its text is none of its results/], { synthesis: "choose" }),
  writing("gives something else than its synthesizer wrote", withoutFirst, [/its text is not what its synthesizer wrote/], { synthesis: "merge" }),
  writing("gives something else than its orchestrator wrote", withoutFirst, [/its text is not what its orchestrator wrote/], {
    direct: "auto",
    answers: 1,
    isGiven: false,
  }),
  writing("gives an answer with pieces missing", (delta) => delta.replaceAll("o", ""), [/its text is not what its orchestrator wrote/], {
    direct: "auto",
    answers: 1,
    isGiven: false,
  }),
  writing("does not say what its answer lacks", (delta) => (delta.startsWith("\n\n") ? "" : delta), [/its text does not say that .* is missing/], {
    synthesis: "keep",
  }),
];

describe("a simulation notices a heart that", () => {
  afterEach(() => {
    governor.lets = (asked) => asked;
    worker.ends = (end) => end;
    vi.restoreAllMocks();
  });
  test.for(sabotages.map((sabotage) => [sabotage.name, sabotage] as const))("%s", { timeout: 60_000 }, async ([, sabotage]) => {
    expect(await unsaid(sabotage)).toEqual([]);
  });
});
