import { FlexibleOrchestrator, type ProcessIdentity, type Ledger, type OrchestratorOptions } from "../src/index.ts";
import { type DoubleCall, type ScriptedModel, scriptedModel, type ScriptRule } from "../src/testing/index.ts";

/** Processes that come one after the other over one ledger, for tests of what outlives them. */

const parts = [
  { id: "facts", attributes: "", description: "List the facts." },
  { id: "story", attributes: "", description: "Tell the story." },
  { id: "end", attributes: ' after="facts"', description: "Write the end." },
];

/** Three subtasks, the last of which builds on the first; in other words in each life and at each ask, and only what is missing where that is asked for. */
export function plan(pid: number, { prompt, asked }: DoubleCall): string {
  const isMissing = ({ id }: { readonly id: string }): boolean => !prompt.includes("Your plan broke off") || !prompt.includes(`id="${id}"`);
  const tasks = parts
    .filter(isMissing)
    .map(
      ({ id, attributes, description }) =>
        `<task id="${id}"${attributes}><type>${id}</type><description>${description} Plan ${pid}, ${asked}.</description></task>`,
    );
  return `<analysis>Three parts.</analysis>\n<tasks combine="merge">\n${tasks.join("\n")}\n</tasks>`;
}

export interface Life {
  readonly orchestrator: FlexibleOrchestrator;
  readonly model: ScriptedModel;
}

let lives = 0;

export interface LifeOptions extends OrchestratorOptions {
  /** @default a process that is dead for all others */
  readonly identity?: ProcessIdentity;
  /** The name of its model in all lives. @default the model is an instance like no other */
  readonly id?: string;
}

/** A process that has come after all others, with a model that answers otherwise than theirs. */
export function life(ledger: Ledger, rules: readonly ScriptRule[] = [], { identity, id, ...options }: LifeOptions = {}): Life {
  const pid = ++lives;
  const model = scriptedModel([
    ...rules,
    { when: "You are the orchestrator", reply: (call) => plan(pid, call) },
    { when: "Several workers each", reply: `joined in life ${pid}` },
    { when: "one subtask", reply: ({ prompt, asked }) => `${/List|Tell|Write/.exec(prompt)?.[0]} in life ${pid}, ${asked}` },
  ]);
  const owner = { pid, host: "here", space: "s", startTime: "1" };
  return {
    model,
    orchestrator: new FlexibleOrchestrator(
      { ...(id === undefined ? { model } : named(model, id)), ledger, retry: { backoffMs: 1 }, ...options },
      { identity: identity ?? { owner, isDead: () => true, now: () => Date.now() } },
    ),
  };
}

/** The ledger as a process sees it that dies before its n-th commit: nothing it asks for from then on is done, or answered. */
export function dying(ledger: Ledger, commits: number): Ledger & { readonly dead: Promise<void> } {
  const never = new Promise<never>(() => undefined);
  const { promise: dead, resolve } = Promise.withResolvers<void>();
  let left = commits;
  let isDead = false;
  return {
    ...ledger,
    dead,
    commit: (batch) => {
      if (left-- > 0) return ledger.commit(batch);
      isDead = true;
      resolve();
      return never;
    },
    renewLease: (...args) => (isDead ? never : ledger.renewLease(...args)),
  };
}

/** One model for all roles, under a name that other lives may use too. */
function named(model: ScriptedModel, id: string): OrchestratorOptions {
  const role = { model, id };
  return { orchestrator: role, worker: role, synthesizer: role };
}
