import type { Fault } from "./fault.ts";

/** One message as a double hears it, in whatever protocol it came. */
export interface DoubleMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  /** All text of the message; its parts joined by line breaks. */
  readonly text: string;
}

/** What a double is asked. */
export interface Question {
  readonly modelId: string;
  /** The text of all system messages, joined by line breaks. */
  readonly system: string;
  /** The text of all user messages, joined by line breaks. */
  readonly prompt: string;
  /** Every message in order, system messages first. */
  readonly messages: readonly DoubleMessage[];
  /** True where structured output is asked for: a response format, or a tool that stands in for one. */
  readonly json: boolean;
  readonly maxOutputTokens?: number;
  /** Aborts when the caller gives up: by its abort signal, by cancelling the stream, by closing the connection. */
  readonly signal?: AbortSignal;
}

/** One call as a script sees it. */
export interface DoubleCall extends Question {
  /** Which call of this double it is, from 1. */
  readonly n: number;
  /** How often this very question was asked, from 1. Alike are the model, the messages and `json`; the output cap may differ. */
  readonly asked: number;
}

/** The messages, and the text of those that rules look at. */
export function spoken(messages: readonly DoubleMessage[]): Pick<Question, "system" | "prompt" | "messages"> {
  const textBy = (role: DoubleMessage["role"]): string =>
    messages
      .filter((message) => message.role === role)
      .map((message) => message.text)
      .join("\n");
  return { system: textBy("system"), prompt: textBy("user"), messages };
}

export interface DoubleUsage {
  /** All input tokens, cached ones included. */
  readonly inputTokens: number;
  /** Of them, written to the cache. @default 0 */
  readonly cacheWriteTokens?: number | undefined;
  /** Of them, read from the cache. @default 0 */
  readonly cacheReadTokens?: number | undefined;
  /** All output tokens, reasoning included. */
  readonly outputTokens: number;
  readonly reasoningTokens?: number | undefined;
}

/**
 * How a reply ends. `none`: the stream ends well without saying why. `interrupted`: the AI SDK's own word for that; the
 * scripted model says it in a finish part, on the wire it is `none`. No provider has a word for `error`: on the wire it
 * arrives as the raw reason "error", which providers read as `other`. `refusal`: the model will not; its text says so. OpenAI's protocol
 * has a field of its own for that text and ends with "stop"; Anthropic's has the stop reason "refusal", as for its filter.
 */
export type DoubleFinish = "stop" | "refusal" | "length" | "content-filter" | "error" | "other" | "interrupted" | "none";

export interface ReplyOptions {
  /** @default empty */
  readonly text?: string | undefined;
  /** Comes before the text. @default none */
  readonly reasoning?: string | undefined;
  /** @default `"stop"` */
  readonly finish?: DoubleFinish | undefined;
  /** Of `"missing"` nothing is said, except that the Anthropic protocol must and says 0. @default about one token for each four characters */
  readonly usage?: DoubleUsage | "missing" | undefined;
  /** Response headers, such as rate limits. @default none of its own */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Characters in each delta. @default 16 */
  readonly chunkSize?: number | undefined;
  /** Milliseconds before the response begins: its headers, or what `doStream` resolves to. @default 0 */
  readonly firstMs?: number | undefined;
  /** Milliseconds between two deltas. @default 0 */
  readonly chunkMs?: number | undefined;
  /** What goes wrong. @default nothing */
  readonly fault?: Fault | undefined;
}

/** A reply; a string is its text, with everything else by default. */
export type DoubleReply = string | ReplyOptions;

export type ReplyFunction = (call: DoubleCall) => DoubleReply | Promise<DoubleReply>;

export interface ScriptRule {
  /** Text that occurs in the system text or the prompt, an expression that matches `system + "\n" + prompt`, or a test. */
  readonly when: string | RegExp | ((call: DoubleCall) => boolean);
  readonly reply: DoubleReply | ReplyFunction;
  /** How many calls it answers; then the rules after it are asked. @default all */
  readonly times?: number | undefined;
}

/** What a double says: a function, or rules of which the first that matches and is not used up answers. */
export type Script = ReplyFunction | readonly ScriptRule[];

/** No rule of the script answers this call: the test or the code under test is not what was thought. */
export class UnscriptedCallError extends Error {
  override readonly name = "UnscriptedCallError";
  readonly call: DoubleCall;

  constructor(call: DoubleCall, rules: readonly { readonly rule: ScriptRule; readonly used: number }[]) {
    const listed = rules.map(
      ({ rule, used }, i) => `  ${i + 1}. ${describe(rule.when)}, used ${used}${rule.times === undefined ? "" : ` of ${rule.times}`} time(s)`,
    );
    super(
      [
        `The script has no reply for call ${call.n} (${call.modelId}; this question was asked ${call.asked} time(s)).`,
        `System: ${quote(call.system)}`,
        `Prompt: ${quote(call.prompt)}`,
        listed.length === 0 ? "The script has no rules." : "Rules:",
        ...listed,
      ].join("\n"),
    );
    this.call = call;
  }
}

/** A script as one function. Rules count their uses within it, so each double needs its own. */
export function scriptFunction(script: Script): ReplyFunction {
  if (typeof script === "function") return script;
  const rules = script.map((rule) => ({ rule, used: 0 }));
  return (call) => {
    const entry = rules.find(({ rule, used }) => used < (rule.times ?? Number.POSITIVE_INFINITY) && matches(rule.when, call));
    if (entry === undefined) throw new UnscriptedCallError(call, rules);
    entry.used++;
    const { reply } = entry.rule;
    return typeof reply === "function" ? reply(call) : reply;
  };
}

function matches(when: ScriptRule["when"], call: DoubleCall): boolean {
  if (typeof when === "function") return when(call);
  const text = `${call.system}\n${call.prompt}`;
  // `search` starts at 0 whatever the expression's flags and history.
  return typeof when === "string" ? text.includes(when) : text.search(when) !== -1;
}

function describe(when: ScriptRule["when"]): string {
  if (typeof when === "function") return when.name ? `test ${when.name}()` : "a test";
  return typeof when === "string" ? JSON.stringify(when) : String(when);
}

const QUOTED = 300;

function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED ? `${text.slice(0, QUOTED)}...` : text);
}
