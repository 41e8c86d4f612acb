import { afterEach, describe, expect, test, vi } from "vitest";
import type { EventBody, RunEvent } from "../../src/events.ts";
import { lookupPart } from "../../src/role.ts";
import { noUsage } from "../../src/usage.ts";
import { EventStream } from "../../src/orchestrator/event-stream.ts";
import { calm, changeEvent, changeEvents, changeFacts, killed, once, type Sabotage, unsaid } from "./sabotage.ts";
import type { Schedule } from "./schedule.ts";

const twice = (event: EventBody): EventBody[] => [event, event];
const never = (): EventBody[] => [];
const withOdds = (schedule: Schedule): Schedule => ({ ...schedule, isGiven: false, planCompletions: 2 });
const looking = (schedule: Schedule): Schedule => ({ ...calm(schedule), isGiven: false, planCache: "hit" });
const withPrices = (schedule: Schedule): Schedule => ({ ...killed(8)(schedule), isPriced: true });

/** The next fact of a sort stands where it should, and one that nobody made stands there too. */
function spareAttempt(): void {
  const isFirst = once();
  changeEvents((event, emit) => {
    // A planner's attempt that never leaves makes room for a worker's of which nobody says that it does.
    if (event.type === "attempt.started" && event.role === "worker" && isFirst()) return;
    emit(event);
    if (event.type === "plan.started")
      emit({ type: "attempt.started", role: "synthesizer", attempt: 1, model: "strong", requeues: 0, reserved: { inputTokens: 1, outputTokens: 1 } });
  });
}

/** Readers of `events` get something else than what is kept. */
function changeReading(change: (event: RunEvent) => readonly RunEvent[]): void {
  const iterator = EventStream.prototype[Symbol.asyncIterator];
  vi.spyOn(EventStream.prototype, Symbol.asyncIterator).mockImplementation(async function* (this: EventStream) {
    for await (const event of iterator.call(this)) yield* change(event);
  });
}

const sabotages: readonly Sabotage[] = [
  { name: "leaves the end of a subtask out", breaks: () => changeEvent("subtask.finished", never), says: [/ has no end$/] },
  { name: "ends a subtask twice", breaks: () => changeEvent("subtask.finished", twice), says: [/ends again \(subtask\.finished\) when it is done/] },
  { name: "leaves the start of a subtask out", breaks: () => changeEvent("subtask.started", never), says: [/an attempt of .* leaves before it starts/] },
  { name: "starts a subtask twice", breaks: () => changeEvent("subtask.started", twice), says: [/ starts when it is none/] },
  { name: "plans a subtask twice", breaks: () => changeEvent("subtask.planned", twice), says: [/ is planned twice/, / is the same try as another/] },
  {
    name: "counts subtasks wrongly",
    breaks: () => changeEvent("subtask.planned", (event) => [{ ...event, ordinal: event.ordinal + 1 }]),
    says: [/ is number \d+, after \d+/],
  },
  { name: "leaves a subtask's plan out", breaks: () => changeEvent("subtask.planned", never), says: [/there is no subtask/] },
  {
    name: "says early that a plan is complete",
    breaks: () =>
      changeEvents((event, emit) => {
        emit(event);
        if (event.type === "plan.started") emit({ type: "plan.finished", analysis: "", combine: "keep", subtasks: 0, dropped: 0, complete: true });
      }),
    says: [/subtask\.planned after the plan was complete/, /the orchestrator is asked when the plan is complete/],
    under: withOdds,
  },
  {
    name: "counts its questions for a plan backwards",
    breaks: () => changeEvent("plan.asked_again", (event) => [{ ...event, round: 9 - event.round }]),
    says: [/the plan is asked for the \d+\. time after the \d+\./],
    under: withOdds,
  },
  { name: "does not say that a plan was looked for", breaks: () => changeEvent("plan.looked_up", never), says: [/it looked for no plan/], under: looking },
  {
    name: "does not say before it asks for a vector that it does",
    breaks: () => changeEvent("attempt.started", (event) => (event.part === lookupPart ? [] : [event])),
    says: [/the vector of .* was asked for before a log said so/],
    under: looking,
  },
  {
    name: "books a vector as if it had taken nothing",
    breaks: () => changeEvent("attempt.settled", (event) => (event.part === lookupPart ? [{ ...event, usage: noUsage, cost: 0 }] : [event])),
    says: [/it looked for a plan, and booked nothing of it/],
    under: looking,
  },
  {
    name: "asks for a vector when it has a plan",
    breaks: () =>
      changeEvents((event, emit) => {
        emit(event);
        if (event.type !== "plan.started") return;
        const ref = { role: "orchestrator", part: lookupPart, attempt: 1 } as const;
        emit({ type: "attempt.started", ...ref, model: "double:vectors", requeues: 0, reserved: { inputTokens: 1, outputTokens: 0 } });
        emit({ type: "attempt.settled", ...ref, usage: noUsage, cost: 0 });
      }),
    says: [/it looked for a plan when it had one under way/],
    under: looking,
  },
  {
    name: "takes a plan over, and says that it was not handed in",
    breaks: () => changeEvent("plan.started", ({ plan: _, ...event }) => [{ ...event, given: false }]),
    says: [/it took a plan over, and did not carry it out/],
    under: looking,
  },
  {
    name: "takes over a plan that is not like its request",
    breaks: () => changeEvent("plan.reused", (event) => [{ ...event, similarity: 0.1 }]),
    says: [/it took over a plan that it was not to have/],
    under: looking,
  },
  {
    name: "does not take over a plan that was found",
    breaks: () => changeEvent("plan.reused", never),
    says: [/it did not take over the plan/],
    under: looking,
  },
  {
    name: "does not say which try was chosen",
    breaks: () => changeEvent("subtask.chosen", never),
    says: [/ is try \d, which nobody chose/],
    under: (schedule) => ({ ...calm(schedule), samples: 3, judge: "nobody" }),
  },
  { name: "says something twice", breaks: () => changeEvent("run.noticed", twice), says: [/it says something twice/] },
  { name: "does not say that it goes on", breaks: () => changeEvent("run.resumed", never), says: [/after its end there is/] },
  { name: "starts twice", breaks: () => changeEvent("run.started", twice), says: [/it was started twice/] },
  { name: "does not say that it starts", breaks: () => changeEvent("run.started", never), says: [/its log begins with plan\.started/] },
  {
    name: "goes back in time",
    breaks: () => changeFacts((fact) => [fact.type === "subtask.finished" ? { ...fact, at: fact.at - 5_000 } : fact]),
    says: [/fact \d+ is of \d+, the one before it of \d+/],
  },
  { name: "books an attempt twice", breaks: () => changeEvent("attempt.settled", twice), says: [/attempt\.settled \d of .*, when 0 is open/] },
  { name: "does not book an attempt", breaks: () => changeEvent("attempt.settled", never), says: [/attempt \d of .* is open at the end/] },
  {
    name: "sends an attempt before it is kept that it leaves",
    breaks: () => changeEvent("attempt.started", never),
    says: [/call \d+ left before a log said so/],
  },
  { name: "announces one attempt, and sends another", breaks: spareAttempt, says: [/call \d+ left before a log said so/], under: calm },
  {
    name: "reserves less than an attempt may use",
    breaks: () => changeEvent("attempt.started", (event) => [{ ...event, reserved: { ...event.reserved, outputTokens: 100 } }]),
    says: [/call \d+ may write 8192 tokens, and 100 were reserved/],
  },
  {
    name: "books what a dead process may have used at half of it",
    breaks: () =>
      changeEvent("attempt.settled", (event) => {
        const { usage } = event;
        return [usage.presumedTokens < 8_192 ? event : { ...event, usage: { ...usage, presumedTokens: usage.presumedTokens - 4_096 } }];
      }),
    says: [/whose process is gone, is booked at/],
    under: withPrices,
  },
  {
    name: "books an attempt at another price",
    breaks: () => changeEvent("attempt.settled", (event) => [{ ...event, ...(event.cost !== undefined && { cost: event.cost * 2 }) }]),
    says: [/is booked at .* USD, by its price it is/],
    under: withPrices,
  },
  {
    name: "books another usage than the model reports",
    breaks: () => changeEvent("attempt.settled", (event) => [{ ...event, usage: { ...event.usage, inputTokens: (event.usage.inputTokens ?? 0) + 1 } }]),
    says: [/call \d+ is booked at .*, its model said/],
  },
  {
    name: "takes what nobody reported for reported",
    breaks: () => changeEvent("attempt.settled", (event) => [{ ...event, usage: { ...event.usage, estimatedTokens: 0 } }]),
    says: [/call \d+ reported nothing, and is not booked as estimated/],
  },
  {
    name: "forgets that code had begun",
    breaks: () => changeEvent("subtask.started", () => []),
    says: [/the code for .* was run 2 times/],
    under: (schedule) => ({ ...killed(8)(schedule), code: "once", rerun: false, subtasks: 15 }),
  },
  {
    name: "says that somebody judged what nobody did",
    breaks: () => changeEvent("subtask.finished", (event) => [{ ...event, evaluation: { score: 1, reasons: "Fine.", passed: true, tries: 1 } }]),
    says: [/was judged, though nobody was to/],
    under: (schedule) => ({ ...killed(8)(schedule), judge: "nobody" }),
  },
  {
    name: "loses a piece of a worker's text",
    breaks: () => {
      const isFirst = once();
      changeEvent("subtask.delta", (event) => (isFirst() ? [] : [event]));
    },
    says: [/: its pieces are .*, its result is /],
    under: (schedule) => ({ ...calm(schedule), isGiven: false }),
  },
  { name: "loses a piece of the answer", breaks: () => changeEvent("answer.delta", never), says: [/the answer's pieces are .*, its text is /], under: calm },
  { name: "does not end", breaks: () => changeEvent("run.finished", never), says: [/Nothing happens any more, and it is not over/] },
  {
    name: "ends without saying how",
    breaks: () => changeEvents((event, emit, stream) => (event.type === "run.finished" ? stream.end() : emit(event))),
    says: [/its events ended without run\.finished/, /and its log does not say so/],
  },
  {
    name: "ends without saying how, and has no log",
    breaks: () => changeFacts((fact) => (fact.type === "run.finished" ? [] : [fact])),
    says: [/it never came to an end/],
    under: calm,
  },
  { name: "tells its readers each thing twice", breaks: () => changeReading((event) => [event, event]), says: [/an event with seq \d+ came after \d+/] },
  {
    name: "tells early readers something else than late ones",
    breaks: () => {
      const isFirst = once();
      changeReading((event) => (event.type === "attempt.settled" && isFirst() ? [] : [event]));
    },
    says: [/read late, its events tell something else/],
    under: calm,
  },
];

describe("a simulation notices a run that", () => {
  afterEach(() => void vi.restoreAllMocks());
  test.for(sabotages.map((sabotage) => [sabotage.name, sabotage] as const))("%s", { timeout: 60_000 }, async ([, sabotage]) => {
    expect(await unsaid(sabotage)).toEqual([]);
  });
});
