import type { ReplyOptions } from "../../src/testing/script.ts";
import type { Left, Scene } from "./scene.ts";

/** One that reads for longer than this is not waited for, in milliseconds. */
const patienceMs = 15_000;

/** A worker's question, beside those of its run that its process had sent before. */
interface Reading {
  readonly ask: Left;
  readonly before: readonly Left[];
}

/** Where workers have their start in common, nobody leaves while the first is still reading it. */
export function warmingFaults(scene: Scene): string[] {
  const { replies } = scene;
  return readings(scene).flatMap(({ ask, before }) => {
    if (before.some((one) => beginsAt(one, replies) <= ask.at)) return [];
    const first = before.find((one) => isWhole(replies.get(one.n)) && ask.at - one.at < patienceMs);
    return first === undefined ? [] : [`call ${ask.n} left while call ${first.n} was reading what both begin with`];
  });
}

export function metInWarming(scene: Scene): string[] {
  const { replies } = scene;
  return readings(scene).flatMap(({ ask, before }) => {
    const began = before.filter((one) => beginsAt(one, replies) <= ask.at);
    if (began.length === 1 && began.some((one) => beginsAt(one, replies) === ask.at)) {
      const isAlone = !before.some(({ at }) => at === ask.at);
      return [isAlone ? "one after the first" : "all at once behind it"];
    }
    return began.length > 0 || before.length === 0 ? [] : ["another leads"];
  });
}

/** Of runs that share their calls nobody outside can tell whose they are; and each model has a cache of its own. */
function readings({ schedule: { warms, shared, kinds }, asked }: Scene): Reading[] {
  if (!warms || shared || kinds === "own model") return [];
  const ofWorkers = asked.filter(({ role }) => role === "worker");
  return [...Map.groupBy(ofWorkers, ({ pid, announced }) => `${pid} ${announced?.runId}`).values()].flatMap((asks) =>
    asks.map((ask, index) => ({ ask, before: asks.slice(0, index) })),
  );
}

/** When a reply begins at the soonest: one that breaks off may have begun before that. */
function beginsAt({ n, at }: Left, replies: Scene["replies"]): number {
  const reply = replies.get(n);
  const kind = reply?.fault?.kind;
  const neverBegins = reply?.text === "" || kind === "status" || kind === "body";
  return neverBegins ? Number.POSITIVE_INFINITY : at + (reply?.firstMs ?? 0);
}

function isWhole(reply: ReplyOptions | undefined): boolean {
  return reply?.fault === undefined && reply?.text !== "";
}
