import type { Fact } from "../../events.ts";
import type { RunState } from "../../run-state.ts";
import { beginning, oneLine } from "../writing/clean-text.ts";
import { age, tokens } from "../../quantity.ts";
import type { ShownStatus } from "../kept/run-status.ts";
import { lastBegun } from "../kept/run-times.ts";
import { sayTo } from "../writing/say.ts";
import type { Terminal } from "../terminal.ts";
import { isLive } from "./liveness.ts";
import { type RunView, runView } from "./run-view.ts";
import { statusPainted } from "./runs-table.ts";
import { TokenMeter } from "./token-meter.ts";
import type { CallLine } from "./worker-line.ts";
import { wrapped } from "./wrapped.ts";

export interface ShownRun {
  readonly state: RunState;
  readonly status: ShownStatus;
  readonly facts: readonly Fact[];
}

/** Of a task and of a context that is one text, in characters. */
const longest = 600;

/** What a run was asked and what became of it, on stderr. */
export async function tellRun({ state, status, facts }: ShownRun, terminal: Terminal): Promise<void> {
  const { err, errPaint: paint, world } = terminal;
  const { runId, request, startedAt = 0 } = state;
  const fitted = (text: string): string => (err.isTerminal ? wrapped(text, err.columns) : text);
  const now = world.identity.now();
  const head = `${paint("bold", runId)}  ${statusPainted(status, status, paint)}, begun ${age(now - startedAt)} ago${originOf(facts)}`;
  const asked = [beginning(request?.task ?? "", longest), contextOf(request?.context ?? "")].filter(Boolean);
  await err.write([head, ...asked].map((text) => `${fitted(text)}\n`).join(""));
  await err.write("\n");

  const view = runView(
    { state, now: status === "running" ? now : (state.at ?? now), since: lastBegun(facts), meter: new TokenMeter() },
    Number.POSITIVE_INFINITY,
  );
  const shown = status === "interrupted" ? cutOff(view) : view;
  if (isLive(terminal)) {
    const { drawnOnce } = await import("./drawn-once.tsx");
    await err.write(drawnOnce(shown, terminal));
  } else await err.write(linesOf(shown));
  const used = usedBy(state);
  if (used !== "") await err.write(`${paint("dim", fitted(`  ${used}`))}\n`);
  // Of one that has ended, its ending says them.
  if (state.outcome === undefined) for (const { message } of state.notices) sayTo(terminal, `! ${message}`);
}

function originOf(facts: readonly Fact[]): string {
  const started = facts.find((fact) => fact.type === "run.started");
  return started?.rerunOf === undefined ? "" : `, a rerun of ${oneLine(started.rerunOf)}`;
}

function contextOf(context: NonNullable<RunState["request"]>["context"]): string {
  const size = (length: number): string => `${tokens(length)} characters`;
  if (typeof context === "string") return context === "" ? "" : `with ${beginning(context, longest)}`;
  const values = Object.entries(context).map(
    ([key, value]) => `${beginning(key, 60)} (${size((typeof value === "string" ? value : JSON.stringify(value)).length)})`,
  );
  return values.length === 0 ? "" : `with ${values.join(", ")}`;
}

/** Nobody carries it out any more: what was under way is not. */
function cutOff(view: RunView): RunView {
  const { plan, calls } = view;
  const stopped = (call: CallLine): CallLine => ({ ...call, status: "skipped", detail: "was cut off", tail: false });
  const underWay: ReadonlySet<CallLine["status"]> = new Set<CallLine["status"]>(["queued", "running", "retrying"]);
  return {
    ...view,
    plan: plan.status === "done" || plan.status === "failed" ? plan : { status: "waiting", detail: `${plan.detail} · was cut off` },
    calls: calls.map((call) => (underWay.has(call.status) ? stopped(call) : call)),
  };
}

const words: Readonly<Record<CallLine["status"], string>> = {
  waiting: "not begun",
  queued: "in the queue",
  running: "running",
  retrying: "trying again",
  done: "done",
  failed: "failed",
  skipped: "left out",
};

/** For logs and pipes. */
function linesOf({ plan, reused, words: analysis, calls, chosen, totals }: RunView): string {
  const lines = [
    `plan: ${plan.detail}`,
    ...(reused === "" ? [] : [`plan: ${reused}`]),
    ...(analysis === undefined ? [] : [`plan: ${analysis.text}`]),
    ...calls.map(({ id, status, detail, tokens, tries, time, cost }) => {
      const figures = [words[status], tokens, tries, time, cost].filter(Boolean).join(", ");
      return `${id}: ${figures}${status === "done" || detail === "" ? "" : `: ${detail}`}`;
    }),
    ...(chosen === "" ? [] : [`answer: ${chosen}`]),
    totals,
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Whose word the tokens rest on, where it is not the provider's alone. */
function usedBy({ usage: { totalTokens = 0, estimatedTokens, presumedTokens } }: RunState): string {
  if (estimatedTokens + presumedTokens === 0) return "";
  const reported = totalTokens - estimatedTokens - presumedTokens;
  const parts = [
    ...(reported > 0 ? [`${tokens(reported)} reported`] : []),
    ...(estimatedTokens > 0 ? [`${tokens(estimatedTokens)} estimated (the provider reports none)`] : []),
    ...(presumedTokens > 0 ? [`${tokens(presumedTokens)} presumed (of tries whose end is not known)`] : []),
  ];
  return `${tokens(totalTokens)} tokens: ${parts.join(", ")}`;
}
