import { expect } from "vitest";
import type { Outcome, Result } from "../../src/index.ts";
import type { Killing } from "./killing.ts";
import { type Ask, numberIn, type Scene, scenes } from "./scenes.ts";
import type { Said } from "./victim.ts";

/** What must hold of a run that has come to its end, however often it was killed on the way. */
export function checkEnd(one: Killing, said: Said | undefined, name: string): void {
  if (said === undefined || "error" in said) return expect.fail(`${name}: it has no outcome, but ${JSON.stringify(said)}`);
  const { outcome } = said;
  expect(outcome, name).toMatchObject(endOf(one));
  checkKept(one, outcome, name);
  checkAsks(one, name);
  checkText(one, outcome, name);
}

function endOf({ scene }: Killing): object {
  const { parts } = scene;
  if (scene === scenes.troubled) return { status: "partial", coverage: { planned: parts, done: parts - 2, failed: 1, skipped: 1 } };
  // How much of its plan came is the provider's matter.
  if (scene === scenes.broken) return { status: "partial" };
  return { status: "ok", coverage: { planned: parts, done: parts } };
}

/** What was kept at each death stands as it was kept; what was asked for is in the outcome. */
function checkKept({ scene, lives, asks }: Killing, { results }: Outcome, name: string): void {
  const byId = new Map(results.map((result): [string, Result] => [result.id, result]));
  for (const { kept } of lives) {
    for (const [n, text] of kept.answers) {
      const { role, id } = askOf(asks, n);
      // Of one that is written again the last try stands.
      if (role === "worker" && !isWrittenAgain(scene)) expect(byId.get(id), name).toMatchObject({ result: text });
    }
    for (const fact of kept.facts) {
      if (fact.type === "subtask.planned") expect(byId.get(fact.subtask.id), name).toMatchObject({ description: fact.subtask.description });
      if (fact.type === "subtask.finished") expect(byId.get(fact.subtaskId), name).toMatchObject({ result: fact.result });
    }
  }
  for (const { role, id } of asks)
    if (role === "worker") expect(byId.get(id), `${name}: who was sent out for ${id}`).toMatchObject({ description: `Do ${id}.` });
}

/** No committed call is sent again, at most those in flight are. */
function checkAsks({ scene, lives, asks }: Killing, name: string): void {
  const open = new Map<string, number>();
  const known = new Set<string>();
  for (const { carriers, from, to, kept } of lives) {
    const asked = asks.slice(from, to);
    const again = asked.filter((ask) => known.has(ask.question) || known.has(ask.role));
    expect(again, `${name}: was asked again, though its answer was kept`).toEqual([]);
    const inFlight = countsOf(asked.filter(({ n, isAnswered }) => isAnswered && !kept.answers.has(n)));
    for (const [question, count] of inFlight) open.set(question, (open.get(question) ?? 0) + Math.min(count, carriers));
    for (const n of kept.answers.keys()) {
      const { question, role } = askOf(asks, n);
      known.add(question);
      // In whatever words: there is one whole plan, and one answer where nobody judges it, or compares results.
      if (role === "plan" || role === "look" || (role === "synthesis" && !isWrittenAgain(scene) && scene.combine === "merge")) known.add(role);
    }
  }
  for (const [question, count] of countsOf(asks.filter(({ isAnswered }) => isAnswered))) {
    expect(count, `${name}: was asked more often than it was in flight at a death: ${question}`).toBeLessThanOrEqual(1 + (open.get(question) ?? 0));
  }
}

function isWrittenAgain({ judged, formed }: Scene): boolean {
  return judged === true || formed === true;
}

function countsOf(asks: readonly Ask[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { question } of asks) counts.set(question, (counts.get(question) ?? 0) + 1);
  return counts;
}

/** The answer is the one that was kept, to the letter. */
function checkText({ scene, lives, asks }: Killing, outcome: Outcome, name: string): void {
  const text = "text" in outcome ? outcome.text : "";
  const answers = [...(lives.at(-1)?.kept.answers ?? [])].sort(([a], [b]) => a - b);
  const last = scene.combine === "direct" ? "plan" : "synthesis";
  const kept = answers.flatMap(([n, answer]) => (askOf(asks, n).role === last ? [answer] : []));
  if (scene === scenes.broken) {
    for (const result of outcome.results) expect(text, name).toContain(result.status === "done" ? result.result : result.id);
    return;
  }
  // Each result but the first is compared once, in either order.
  expect(kept, name).toHaveLength(scene.combine === "choose" ? 2 * (scene.parts - 1) : isWrittenAgain(scene) ? 2 : 1);
  const answer = kept.at(-1) ?? "";
  if (scene.combine === "choose") {
    const results = outcome.results.map((result) => (result.status === "done" ? result.result : ""));
    expect(text, name).toBe(results.toSorted((a, b) => numberIn(b) - numberIn(a))[0]);
  } else if (scene.combine === "direct") expect(`<answer>${text}</answer>`, name).toBe(answer);
  // Under it stands what is missing, if anything is.
  else if (outcome.status === "ok") expect(text, name).toBe(answer);
  else expect(text.startsWith(`${answer}\n\n`), name).toBe(true);
}

function askOf(asks: readonly Ask[], n: number): Ask {
  const ask = asks[n - 1];
  if (ask?.n !== n) throw new Error(`Nobody asked for what was answered as #${n}#.`);
  return ask;
}
