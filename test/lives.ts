import { FlexibleOrchestrator, type Identity, type Ledger, type OrchestratorOptions } from "../src/index.ts";
import { type ScriptedModel, scriptedModel, type ScriptRule } from "../src/testing/index.ts";

/** Processes that come one after the other over one ledger, for tests of what outlives them. */

/** Three subtasks, the last of which builds on the first. */
export const plan = `<analysis>Three parts.</analysis>
<tasks combine="merge">
<task id="facts"><type>facts</type><description>List the facts.</description></task>
<task id="story"><type>story</type><description>Tell the story.</description></task>
<task id="end" after="facts"><type>end</type><description>Write the end.</description></task>
</tasks>`;

export interface Life {
  readonly orchestrator: FlexibleOrchestrator;
  readonly model: ScriptedModel;
}

let lives = 0;

export interface LifeOptions extends OrchestratorOptions {
  /** @default a process that is dead for all others */
  readonly identity?: Identity;
  /** The name of its model in all lives. @default the model is an instance like no other */
  readonly id?: string;
}

/** A process that has come after all others, with a model that answers otherwise than theirs. */
export function life(ledger: Ledger, rules: readonly ScriptRule[] = [], { identity, id, ...options }: LifeOptions = {}): Life {
  const pid = ++lives;
  const model = scriptedModel([
    ...rules,
    { when: "You are the orchestrator", reply: plan },
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
