import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { Ledger, RunRecord } from "../../ledger/ledger.ts";
import { sqliteLedger } from "../../ledger/sqlite-ledger.ts";
import { type DoubleReply, providerServer, type ProviderServer, type ReplyFunction, type Script, type ScriptRule } from "../../testing/index.ts";

/** A provider over HTTP, and a folder of its own in which a user's runs are kept. */
export interface KeptRunScene {
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly server: ProviderServer;
  /** The file as another program would see it. */
  readonly look: <T>(at: (ledger: Ledger) => Promise<T>) => Promise<T>;
  readonly records: () => Promise<readonly RunRecord[]>;
  /** The id of the newest run. */
  readonly newest: () => Promise<string>;
}

/** Three subtasks, the last of which builds on the first. */
export const threeParts = `<analysis>Three parts.</analysis>
<tasks combine="merge">
<task id="facts"><type>facts</type><description>List the FACTS.</description></task>
<task id="feel"><type>feel</type><description>Tell the FEELING.</description></task>
<task id="end" after="facts"><type>end</type><description>Write the END.</description></task>
</tasks>`;

export const silence = { text: "x", fault: { kind: "silence", afterChunks: 0 } } as const;

export const refusal = {
  fault: { kind: "status", status: 400, body: { type: "error", error: { type: "invalid_request_error", message: "No such thing." } } },
} as const;

type Reply = DoubleReply | ReplyFunction;

/** Plans three parts and joins them, unless other replies are given. */
export function threeWorkers({
  plan = threeParts,
  answer = "The joined answer.",
  ...workers
}: Partial<Record<"plan" | "answer" | "FACTS" | "FEELING" | "END", Reply>> = {}): readonly ScriptRule[] {
  return [
    { when: (call) => /combine=/.test(call.system), reply: plan },
    { when: "Several workers each", reply: answer },
    ...(["FACTS", "FEELING", "END"] as const).map((part) => ({
      when: new RegExp(`(List|Tell|Write) the ${part}\\.(?![\\s\\S]*<task )`),
      reply: workers[part] ?? `The ${part.toLowerCase()}.`,
    })),
  ];
}

/** Which calls came, in order: the plan, a subtask by its id, or the answer. */
export function callsAt({ server }: Pick<KeptRunScene, "server">): string[] {
  return server.requests.map(({ system, prompt }) => {
    if (system.includes("combine=")) return "plan";
    if (system.startsWith("Several workers")) return "answer";
    return /Your subtask \((\w+)/.exec(prompt)?.[1] ?? "?";
  });
}

/** Scenes that go when their test is through. */
export function keptRunScenes(): (script?: Script) => Promise<KeptRunScene> {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  return async (script = threeWorkers()) => {
    const folder = await mkdtemp(join(tmpdir(), "divvy-kept-"));
    const server = await providerServer(script, { vary: false });
    ends.push(
      () => server.close(),
      () => rm(folder, { recursive: true, force: true }),
    );
    const env = { DIVVY_DATA_DIR: folder, ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl };
    const look: KeptRunScene["look"] = async (at) => {
      const ledger = sqliteLedger(join(folder, "runs.sqlite"));
      try {
        return await at(ledger);
      } finally {
        await ledger.close();
      }
    };
    const records: KeptRunScene["records"] = () => look((ledger) => ledger.listRuns());
    const newest = async (): Promise<string> => (await records())[0]?.runId ?? "none";
    return { env, folder, server, look, records, newest };
  };
}

export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 2000) throw new Error("It did not happen in time.");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
