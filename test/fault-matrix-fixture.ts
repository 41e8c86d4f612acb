import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { vi } from "vitest";
import { FlexibleOrchestrator, type Combine, type OrchestratorOptions, type Outcome, type PlanInput, type RunEvent } from "../src/index.ts";
import { type Cancel, type Clock, systemClock } from "../src/runtime.ts";
import {
  type DoubleCall,
  type DoubleReply,
  providerServer,
  type ReplyOptions,
  testRuntime,
  type UnreachableBy,
  unreachableProvider,
} from "../src/testing/index.ts";

/** Whole runs of three subtasks over real HTTP, of which one call, the same each time, goes wrong. */

export const wires = ["anthropic", "openai"] as const;
export type Wire = (typeof wires)[number];

/** Who meets the fault: the second of three workers, the orchestrator, or the synthesizer. */
export const places = ["worker", "orchestrator", "synthesizer"] as const;
export type Place = (typeof places)[number];

/** What goes wrong: the reply as the double gives it, or an address that nobody gets to. */
export type Trouble = ReplyOptions | { readonly unreachable: UnreachableBy };

export interface RideOptions {
  readonly wire: Wire;
  readonly place: Place;
  readonly trouble: Trouble;
  /** At its first try alone, or at every one. */
  readonly how: "once" | "always";
  readonly timeout: NonNullable<OrchestratorOptions["timeout"]>;
}

export interface Ride {
  readonly outcome: Outcome;
  readonly events: readonly RunEvent[];
  /** Requests of the call that meets the fault, as the server counted them. */
  readonly requests: number;
  /** None of them waits for an answer any more. */
  readonly allEnded: boolean;
  /** Timers that were left when the run was over. */
  readonly timers: number;
  readonly openSockets: number;
}

/** Stands in whatever a try says that goes wrong: it must never be taken for work. */
export const mark = "FAULTY";

export const faulty = "part-1";
export const siblings = ["part-0", "part-2"] as const;
const parts = ["part-0", faulty, "part-2"] as const;

export const resultOf = (id: string): string => `This is what the worker of ${id} has found, whole and to its last word.`;
export const joined = "This is the answer, joined from what the workers have found, whole and to its last word.";

export const planText: string = `<analysis>It falls into three parts.</analysis>
<tasks combine="merge">
${parts.map((id) => `<task id="${id}"><type>${id}</type><description>Do ${id}.</description></task>`).join("\n")}
</tasks>`;

const givenPlan = (combine: Combine): PlanInput => ({ combine, subtasks: parts.map((id) => ({ id, type: id, description: `Do ${id}.` })) });

const roleOf = ({ system }: DoubleCall): Place =>
  system.startsWith("Several workers") ? "synthesizer" : system.includes("You are the orchestrator") ? "orchestrator" : "worker";

/** Sockets take real time, so this clock cannot stand still; but it runs fifty times as fast. It counts the timers that are set. */
const speed = 50;

export function quickClock(): Clock & { readonly timers: number } {
  const set = new Set<Cancel>();
  return {
    now: () => systemClock.now() * speed,
    setTimer(ms, fn) {
      const off = systemClock.setTimer(ms / speed, () => {
        set.delete(cancel);
        fn();
      });
      const cancel = (): void => {
        set.delete(cancel);
        off();
      };
      set.add(cancel);
      return cancel;
    },
    get timers() {
      return set.size;
    },
  };
}

export function modelAt(wire: Wire, baseURL: string, id: string): LanguageModelV4 {
  return wire === "anthropic" ? createAnthropic({ baseURL, apiKey: "key" })(id) : createOpenAICompatible({ name: "double", baseURL, includeUsage: true })(id);
}

/** One run. Resolves when it has ended and its connections are closed, or are seen not to close. */
export async function ride({ wire, place, trouble, how, timeout }: RideOptions): Promise<Ride> {
  const said = (call: DoubleCall): DoubleReply => {
    const role = roleOf(call);
    const id = /Do (part-\d)\./.exec(call.prompt)?.[1] ?? "";
    const text = role === "orchestrator" ? planText : role === "synthesizer" ? joined : resultOf(id);
    // Each call has a connection of its own, which ends with it.
    const headers = { connection: "close" };
    const meets = role === place && (role !== "worker" || id === faulty);
    if (!meets || "unreachable" in trouble || (how === "once" && call.asked > 1)) return { text, headers };
    // Whom a cap or a filter stops has not said all.
    const begun = trouble.finish === undefined ? text : text.slice(0, 30);
    return { text: `${mark} ${begun}`, ...trouble, headers: { ...headers, ...trouble.headers } };
  };
  await using server = await providerServer(said, { vary: false });
  await using nowhere = "unreachable" in trouble ? await unreachableProvider(trouble.unreachable) : undefined;
  const model = modelAt(wire, server.anthropicBaseUrl, "small");
  const unlucky = nowhere === undefined ? undefined : modelAt(wire, nowhere.anthropicBaseUrl, "far");
  const clock = quickClock();
  const orchestrator = new FlexibleOrchestrator(
    {
      model,
      ...(unlucky && (place === "worker" ? { workers: { [faulty]: { model: unlucky, id: "far:far" } } } : { [place]: { model: unlucky, id: "far:far" } })),
      retry: { attempts: 3, backoffMs: 500, maxBackoffMs: 1_000 },
      timeout,
    },
    { runtime: testRuntime({ clock }) },
  );
  const run = orchestrator.start("Do all parts.", "", place === "orchestrator" ? {} : { plan: givenPlan(place === "worker" ? "keep" : "merge") });
  const events: RunEvent[] = [];
  const read = (async () => {
    for await (const event of run.events) events.push(event);
  })();
  const outcome = await run.outcome;
  await read;
  const timers = clock.timers;
  const openSockets = (): number => server.openSockets + (nowhere?.openSockets ?? 0);
  await vi.waitUntil(() => openSockets() === 0, { timeout: 5_000, interval: 5 }).catch(() => undefined);
  const mine = server.requests.filter((request) => roleOf(request) === place && (place !== "worker" || request.prompt.includes(`Do ${faulty}.`)));
  return {
    outcome,
    events,
    requests: mine.length,
    allEnded: server.requests.every(({ endedAt }) => endedAt !== undefined),
    timers,
    openSockets: openSockets(),
  };
}
