import { expect } from "vitest";
import type { Outcome, Result } from "../../src/index.ts";
import type { Killing, Life } from "./killing.ts";
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
  if (scene === scenes.rejected) return { status: "aborted", error: { code: "plan_rejected" }, coverage: { planned: parts, done: 0, skipped: parts } };
  return { status: "ok", coverage: { planned: parts, done: parts } };
}

/** What was kept at each death stands as it was kept; what was asked for is in the outcome. */
function checkKept({ scene, lives, asks }: Killing, { results }: Outcome, name: string): void {
  const byId = new Map(results.map((result): [string, Result] => [result.id, result]));
  // A plan that was sent back, be it in a later life, is carried out in no part.
  const sentBack = lives.at(-1)?.kept.facts.findLast(({ type }) => type === "approval.declined")?.seq ?? -1;
  for (const { kept } of lives) {
    for (const [n, text] of kept.answers) {
      const { role, id } = askOf(asks, n);
      // Of one that is written again the last try stands.
      if (role === "worker" && !isWrittenAgain(scene) && scene.sampled === undefined) expect(byId.get(id), name).toMatchObject({ result: text });
    }
    for (const fact of kept.facts.filter(({ seq }) => seq > sentBack)) {
      if (fact.type === "subtask.planned") expect(byId.get(fact.subtask.id), name).toMatchObject({ description: fact.subtask.description });
      if (fact.type === "subtask.finished") expect(byId.get(fact.subtaskId), name).toMatchObject({ result: fact.result });
    }
  }
  if (scene.sampled) checkChosen(lives, asks, byId, name);
  for (const { role, id } of asks)
    if (role === "worker") expect(byId.get(id), `${name}: who was sent out for ${id}`).toMatchObject({ description: `Do ${id}.` });
}

/** Of all tries that were kept the best stands: the one that came last. */
function checkChosen(lives: readonly Life[], asks: readonly Ask[], byId: ReadonlyMap<string, Result>, name: string): void {
  for (const [id, result] of byId) {
    const tries = [...(lives.at(-1)?.kept.answers ?? [])].filter(([n]) => askOf(asks, n).role === "worker" && askOf(asks, n).id === id);
    expect(tries, name).toHaveLength(2);
    expect(result, name).toMatchObject({ result: tries.toSorted(([a], [b]) => a - b).at(-1)?.[1] });
  }
}

/** No committed call is sent again, at most those in flight are. */
function checkAsks({ scene, lives, asks }: Killing, name: string): void {
  /** How often it may be asked: each try in the same words. */
  const timesOf = ({ role }: Ask): number => (scene.sampled && role === "worker" ? 2 : 1);
  const open = new Map<string, number>();
  let known: ReadonlyMap<string, number> = new Map();
  for (const { carriers, from, to, kept } of lives) {
    const asked = asks.slice(from, to);
    const again = asked.filter((ask) => (known.get(ask.question) ?? 0) >= timesOf(ask) || known.has(ask.role));
    expect(again, `${name}: was asked again, though its answer was kept`).toEqual([]);
    const inFlight = countsOf(asked.filter(({ n, isAnswered }) => isAnswered && !kept.answers.has(n)).map(({ question }) => question));
    for (const [question, count] of inFlight) open.set(question, (open.get(question) ?? 0) + Math.min(count, carriers));
    known = countsOf([...kept.answers.keys()].flatMap((n) => namesOf(askOf(asks, n), scene)));
  }
  for (const ask of asks.filter(({ isAnswered }) => isAnswered)) {
    const { question } = ask;
    const count = asks.filter((other) => other.isAnswered && other.question === question).length;
    expect(count, `${name}: was asked more often than it was in flight at a death: ${question}`).toBeLessThanOrEqual(timesOf(ask) + (open.get(question) ?? 0));
  }
}

/** What is known once it is answered: in whatever words, there is one whole plan, and one answer where nobody judges it, or compares results. */
function namesOf({ question, role }: Ask, scene: Scene): string[] {
  const isOne = role === "plan" || role === "replan" || role === "look" || (role === "synthesis" && !isWrittenAgain(scene) && scene.combine === "merge");
  return [question, ...(isOne ? [role] : [])];
}

function isWrittenAgain({ judged, formed }: Scene): boolean {
  return judged === true || formed === true;
}

function countsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
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
  if (scene === scenes.rejected) return expect(kept, name).toEqual([]);
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
