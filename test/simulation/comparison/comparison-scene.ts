import { createHash } from "node:crypto";
import { getEventListeners } from "node:events";
import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { compare, type CompareOptions, type CompareProgress } from "../../../src/compare/compare.ts";
import type { Comparison } from "../../../src/compare/comparison.ts";
import { memoryLedger } from "../../../src/ledger/memory-ledger.ts";
import type { DoubleCall, ReplyOptions } from "../../../src/testing/script.ts";
import { chance } from "../chance.ts";
import { codeOf } from "../code.ts";
import { usualPrice } from "../kinds.ts";
import { calmLife } from "../schedule.ts";
import { type SimModels, simModels } from "../sim-models.ts";
import { optionsOf } from "../sim-options.ts";
import { type Mortal, Timeline } from "../timeline.ts";
import { type AskedFor, askedForFrom, comparisonReply } from "./comparison-double.ts";
import type { ComparisonSchedule } from "./comparison-schedule.ts";

/** A call that left, and what was said to it. */
export interface Left extends AskedFor {
  /** What is being done when it leaves; nothing where nobody said so. */
  readonly during: CompareProgress | undefined;
  /** Simulated time, in epoch milliseconds. */
  readonly at: number;
  readonly reply: ReplyOptions;
  /** Its reply came to its end, with nothing wrong on the way. */
  isWhole: boolean;
}

/** What came of it. */
export type Compared = { readonly comparison: Comparison } | { readonly thrown: unknown };

/** Tells a reply's stream whose it is. */
const callMark = "x-call";

/** Everything that there is in one comparison. */
export class ComparisonScene {
  readonly schedule: ComparisonSchedule;
  readonly timeline: Timeline = new Timeline();
  readonly calls: Left[] = [];
  readonly told: CompareProgress[] = [];
  readonly startedAt: number;
  endedAt = 0;
  stoppedAt: number | undefined;
  /** Calls that had left when it was stopped. */
  leftBefore = 0;
  readonly #controller = new AbortController();
  readonly #owner: Mortal = { pid: 1, isDead: false, isGone: false, frozenUntil: 0, onTouch: () => undefined };
  readonly #models: SimModels;
  readonly #trace: ((line: string) => void) | undefined;

  constructor(schedule: ComparisonSchedule, trace: ((line: string) => void) | undefined) {
    this.schedule = schedule;
    this.#trace = trace;
    this.startedAt = this.timeline.now;
    this.#models = simModels(schedule.run, (call) => this.#answer(call), this.timeline.clockOf(this.#owner));
  }

  /** Carries it out to its end. */
  async carryOut(): Promise<Compared> {
    const { stop, seed, allowance, tasks } = this.schedule;
    const clock = this.timeline.clockOf(this.#owner);
    const { random } = chance(seed, "runtime");
    let ids = 0;
    if (stop?.on === "begin") this.#stop();
    if (stop?.on === "time") this.timeline.after(stop.ms, () => queueMicrotask(() => this.#stop()));
    let compared: Compared | undefined;
    const over = (done: Compared): void => {
      compared = done;
      this.endedAt = this.timeline.now;
    };
    const names = Array.from({ length: tasks }, (_, index) => `Task ${index}.`);
    const owner = { pid: 1, host: "here", space: "s", startTime: "1" };
    const world = {
      runtime: { clock, random, newId: () => `run-${++ids}` },
      identity: { owner, isDead: () => false, now: () => this.timeline.now },
      models: { env: {} },
      ...(allowance && { allowance }),
    };
    compare(names, this.#options(), world).then(
      (comparison) => over({ comparison }),
      (thrown: unknown) => over({ thrown }),
    );
    await this.timeline.pass(() => compared !== undefined, "a comparison");
    // A model that does not listen is left when it answers.
    if (this.schedule.run.areDeaf) await this.timeline.passFor(60_000);
    return compared ?? { thrown: undefined };
  }

  /** What is left of it when it is over. */
  get leftovers(): { readonly calls: number; readonly timers: number; readonly listeners: number } {
    const listeners = getEventListeners(this.#controller.signal, "abort").length;
    return { calls: this.#models.inFlight, timers: this.timeline.pendingOf(this.#owner), listeners };
  }

  /** Of all that was asked and came of it, in order. */
  digestOf(compared: Compared): string {
    const said = "comparison" in compared ? compared.comparison : String(compared.thrown);
    return createHash("sha256")
      .update(JSON.stringify([this.calls, this.told, said]))
      .digest("hex");
  }

  say(what: string): void {
    this.#trace?.(`${(this.timeline.now - this.startedAt).toFixed(1).padStart(9)} ms  ${what}`);
  }

  #options(): CompareOptions {
    const { run, judge, tries, budget, weather } = this.schedule;
    const { strong, quick, own, inFlight } = this.#models;
    const [seenStrong, seenOwn] = [this.#seen(strong), this.#seen(own)];
    const models = { strong: seenStrong, quick: quick === strong ? seenStrong : this.#seen(quick), own: seenOwn, inFlight };
    const { workers: code } = codeOf(run, weather, this.timeline.clockOf(this.#owner), () => 1);
    const another = { model: seenOwn, id: "own" };
    return {
      orchestrator: optionsOf(run, calmLife, models, memoryLedger(), code),
      judge: { nobody: false, "the orchestrator's": true, another: { ...another, ...usualPrice(run) }, "nobody can pay": another }[judge],
      tries,
      ...(budget && { budget }),
      signal: this.#controller.signal,
      onProgress: (progress) => this.#onProgress(progress),
    };
  }

  #onProgress(progress: CompareProgress): void {
    const { stop } = this.schedule;
    this.told.push(progress);
    this.say(`${progress.doing}, try ${progress.try} of task ${progress.task}`);
    if (stop?.on === "progress" && stop.n === this.told.length) this.#stop();
  }

  #answer(call: DoubleCall): ReplyOptions {
    const { stop } = this.schedule;
    const n = this.calls.length + 1;
    const asked = askedForFrom(n, call);
    const reply = comparisonReply(asked, call, this.schedule);
    this.calls.push({ ...asked, during: this.told.at(-1), at: this.timeline.now, reply, isWhole: false });
    this.say(`asks #${n} ${asked.way} ${asked.role} ${asked.description}: ${JSON.stringify(reply)}`);
    if (stop?.on === "call" && stop.n === n) queueMicrotask(() => this.#stop());
    return { ...reply, headers: { ...reply.headers, [callMark]: String(n) } };
  }

  #stop(): void {
    if (this.stoppedAt !== undefined || this.endedAt > 0) return;
    this.stoppedAt = this.timeline.now;
    this.leftBefore = this.calls.length;
    this.say("is told to stop");
    this.#controller.abort();
  }

  /** Sees when a reply has come to its end. */
  #seen(model: LanguageModelV4): LanguageModelV4 {
    const { specificationVersion, provider, modelId, supportedUrls } = model;
    const ending = (n: number): TransformStream<LanguageModelV4StreamPart, LanguageModelV4StreamPart> =>
      new TransformStream({
        transform: (part, out) => {
          const call = this.calls[n - 1];
          if (part.type === "finish" && call !== undefined) call.isWhole = call.reply.fault === undefined;
          out.enqueue(part);
        },
      });
    return {
      specificationVersion,
      provider,
      modelId,
      supportedUrls,
      doStream: async (options) => {
        const { stream, ...rest } = await model.doStream(options);
        return { ...rest, stream: stream.pipeThrough(ending(Number(rest.response?.headers?.[callMark]))) };
      },
      doGenerate: (options) => model.doGenerate(options),
    };
  }
}
