import type { RoleSettings } from "../../src/role-options.ts";
import type { OrchestratorPromptInput } from "../../src/plan/prompts/orchestrator-prompt.ts";
import type { Role } from "../../src/role.ts";
import type { SynthesizerPromptInput } from "../../src/synthesis/synthesizer-prompt.ts";
import type { Fault } from "../../src/testing/fault.ts";
import type { DoubleCall, ReplyOptions } from "../../src/testing/script.ts";
import type { WorkerPromptInput } from "../../src/work/worker-prompt.ts";
import { chance, type Chance } from "./chance.ts";
import { parseTasks } from "../../src/plan/given-plan.ts";
import { inForm } from "./forms.ts";
import { type SeenBefore, writtenPlan } from "./plan-text.ts";
import type { Schedule, Weather } from "./schedule.ts";

interface Prompts {
  readonly orchestrator: Pick<RoleSettings<OrchestratorPromptInput>, "prompt">;
  readonly worker: Pick<RoleSettings<WorkerPromptInput>, "prompt">;
  readonly synthesizer: Pick<RoleSettings<SynthesizerPromptInput>, "prompt">;
}

/** More than Anthropic's models need to keep it in their cache. */
const long = " All that is known of it.".repeat(750);

/** Short prompts, from which the double sees what it is asked; or workers' that begin at length with the same. */
export const promptsOf = ({ warms }: Schedule): Prompts => ({
  orchestrator: { prompt: ({ task, format }) => ({ system: `orchestrator ${format}`, prompt: task }) },
  worker: {
    prompt: ({ task, description, upstream }) => ({
      system: "worker",
      shared: warms ? `${task}${long}` : task,
      prompt: [description, ...upstream.map(({ id, result }) => `${id}: ${result}`)].join("\n"),
    }),
  },
  synthesizer: {
    prompt: ({ task, analysis, combine, results, missing }) => ({
      system: `synthesizer ${combine}`,
      prompt: [task, `analysis: ${analysis}`, ...results.map(({ id, result }) => `id: ${id}\n${result}`), ...missing.map(({ id }) => `missing ${id}`)].join(
        "\n",
      ),
    }),
  },
});

/** A model call that left. */
export interface Asked {
  /** Its number, over all processes. All text that is answered to it holds it as `#n#`. */
  readonly n: number;
  readonly pid: number;
  readonly role: Role;
  /** What decides the answer, but for the number of the sample; the cap as it was before it was doubled. */
  readonly question: string;
  readonly maxOutputTokens: number;
  /** Of the subtask that it works for. */
  readonly description: string;
  /** Results that it compares for the answer, in the order in which they are shown. */
  readonly pair?: { readonly first: string; readonly second: string };
}

/** The number of the call that a text came from. */
export function numberIn(text: string): number {
  return Number(/#(\d+)#/.exec(text)?.[1] ?? 0);
}

/** A header of replies that the model itself, and no filter, refused to go on with. */
export const refusalMark = "x-refused";

/** Begin what built-in prompts ask of a synthesizer. */
const [merging, shortening, comparing] = ["Several workers", "You shorten", "You compare"];

/** Output caps that are not doubled, at most. */
const usualCaps: Readonly<Record<Role, number>> = { orchestrator: 8_192, worker: 8_192, synthesizer: 16_384, evaluator: 4_096 };

export function askedFrom(n: number, pid: number, { system, prompt, messages, json, maxOutputTokens = 0 }: DoubleCall): Asked {
  const part = /^Do part \S+$/m.exec(prompt)?.[0] ?? "";
  const role = roleIn(system, part);
  const cap = maxOutputTokens > usualCaps[role] ? maxOutputTokens / 2 : maxOutputTokens;
  // Caps of the synthesizer follow from what it has to read.
  const question = JSON.stringify([messages, json, role === "synthesizer" ? 0 : cap]);
  const description = role === "worker" || role === "evaluator" ? part : "";
  const [first, second] = ["first", "second"].map((place) => new RegExp(`<${place}-([0-9a-f]+)>\n([^]*)\n</${place}-\\1>`).exec(prompt)?.[2]);
  const isPair = role === "synthesizer" && first !== undefined && second !== undefined;
  return { n, pid, role, question, maxOutputTokens, description, ...(isPair && { pair: { first, second } }) };
}

/** @param part what the subtask is that it is about, where it is about one */
function roleIn(system: string, part: string): Role {
  if (system.startsWith(merging) || system.startsWith(shortening)) return "synthesizer";
  if (system.startsWith(comparing)) return part === "" ? "synthesizer" : "evaluator";
  if (system.startsWith("You judge")) return "evaluator";
  const [role] = system.split(" ");
  if (role === "orchestrator" || role === "worker" || role === "synthesizer") return role;
  throw new Error(`Nobody is asked so: ${system}`);
}

/** What a model says: something else each time, and not always what was asked for. */
export function replyTo(
  { n, role }: Asked,
  { system, prompt, messages, json, maxOutputTokens = 0 }: DoubleCall,
  schedule: Schedule,
  weather: Weather,
  draw: Chance,
): ReplyOptions {
  const { whole, magnitude, happens, of } = draw;
  const isLong = schedule.contextTokens !== undefined;
  const pace = { firstMs: magnitude(1, 3_000), chunkMs: happens(0.3) ? 0 : magnitude(1, 100), chunkSize: magnitude(20, 400) * (isLong ? 20 : 1) };
  // Fewer than are reserved for it.
  const inputTokens = whole(1, Math.ceil(messages.reduce((sum, { text }) => sum + text.length, 0) / 10));
  const cap = (happens(schedule.overCap) && maxOutputTokens + magnitude(1, 50_000)) || (happens(schedule.fillsCap) && maxOutputTokens);
  const usage = happens(0.05)
    ? "missing"
    : { inputTokens, outputTokens: cap || Math.min(whole(1, 300), maxOutputTokens), ...(happens(0.3) && { cacheWriteTokens: inputTokens }) };
  const fault = faultFrom(weather, schedule.areDeaf, draw);
  const reply = { ...pace, usage, ...(fault && { fault }) } satisfies ReplyOptions;
  // Some providers say nothing at all.
  if (happens(weather.broken / 8)) return { ...reply, text: "" };
  if (happens(weather.refused)) {
    const cut = { ...reply, text: `As far as it goes, #${n}#: ` };
    switch (of(["length", "content-filter", "refusal"] as const)) {
      case "length":
        return { ...cut, finish: "length" };
      case "content-filter":
        return { ...cut, finish: "content-filter" };
      case "refusal":
        return { ...cut, finish: "content-filter", headers: { [refusalMark]: "yes" } };
    }
  }
  switch (role) {
    case "orchestrator": {
      const format = json || system.endsWith("json") ? "json" : "xml";
      const broken = prompt.lastIndexOf("Your plan broke off");
      const standing = broken === -1 ? undefined : parseTasks(prompt.slice(broken));
      const seen = prompt.includes("Your plan has been carried out") ? seenIn(prompt) : undefined;
      const mark = /So (?:write mark="|begin your object with "mark": ")([0-9a-f]{8})"[^]*$/.exec(prompt)?.[1];
      return { ...reply, ...writtenPlan({ n, format, standing, seen, mark }, schedule, weather.odd, draw) };
    }
    case "worker": {
      const body = `Done as #${n}#. ${"It is so. ".repeat(whole(0, 12) + (isLong ? chance(schedule.seed, `length ${n}`).magnitude(1, 1_500) : 0))}`;
      if (happens(weather.unable)) return { ...reply, text: `<unable>what #${n}# needs</unable>` };
      const text = inForm(schedule, { role, n }, body, weather.odd);
      return { ...reply, text: happens(0.1) ? `<response>\n${text}\n</response>` : text };
    }
    case "evaluator": {
      if (system.startsWith(comparing)) return { ...reply, text: comparison(n, weather.odd / 2, draw) };
      const verdict = { reasons: `It could be shorter, says #${n}#.`, score: whole(0, 10) };
      return { ...reply, text: happens(weather.odd / 2) ? `No verdict from #${n}#.` : JSON.stringify(verdict) };
    }
    case "synthesizer": {
      if (system.startsWith(comparing)) return { ...reply, text: comparison(n, 2 * weather.odd, draw) };
      // As much as it is allowed, now and then.
      if (system.startsWith(shortening)) return { ...reply, text: `Shorter as #${n}#. ${"And so. ".repeat(whole(0, Math.ceil(maxOutputTokens / 4)))}` };
      if (system.endsWith("merge") || system.startsWith(merging))
        return { ...reply, text: inForm(schedule, { role, n }, `All of it as #${n}#. ${"And so on. ".repeat(whole(1, 20))}`, weather.odd) };
      const ids = [...prompt.matchAll(/^id: (\S+)$/gm)].map(([, id = ""]) => id);
      const choice = happens(weather.odd / 2) ? "none of them" : of(ids);
      return { ...reply, text: `<choice>${choice}</choice><reason>It is the best, says #${n}#.</reason>` };
    }
  }
}

/** Which of two texts is better. */
function comparison(n: number, odd: number, { of, happens }: Chance): string {
  const said = { reasons: `So says #${n}#.`, better: of(["first", "second", "tie"]) };
  return happens(odd) ? `No verdict from #${n}#.` : JSON.stringify(said);
}

/** The subtasks that it is shown, and whether each came to nothing. */
function seenIn(prompt: string): SeenBefore[] {
  return [...prompt.matchAll(/\nid: (\S+)\ntype: (.*)\ndescription: (.*)\n<\/subtask-[0-9a-f]+>\nIt(s result|.*):/g)].map(
    ([, id = "", type = "", description = "", what]) => ({
      subtask: { id, type, description, dependsOn: [] },
      isLost: what !== "s result",
    }),
  );
}

function faultFrom({ throttled, broken, refused }: Weather, areDeaf: boolean, { happens, of, whole }: Chance): Fault | undefined {
  if (happens(throttled)) {
    const headers = happens(0.6) ? { "retry-after": String(whole(0, 30)) } : {};
    return { kind: "status", status: of([429, 429, 503, 529]), headers };
  }
  if (happens(refused / 2)) return { kind: "status", status: of([400, 401, 403]) };
  if (!happens(broken)) return undefined;
  const afterChunks = whole(0, 4);
  return of<Fault>([
    { kind: "status", status: 500 },
    { kind: "reset", afterChunks },
    { kind: "reset", afterChunks },
    // Before its headers nobody could stop one that does not listen.
    { kind: "silence", afterChunks: areDeaf ? afterChunks : afterChunks - 1 },
    { kind: "cut", afterChunks },
    { kind: "error-event", afterChunks },
    { kind: "body", body: "<html>", contentType: "text/html" },
    { kind: "pings", everyMs: 5_000, afterChunks },
  ]);
}
