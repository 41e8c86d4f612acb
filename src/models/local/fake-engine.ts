import type { Engine, WritingJob, Written } from "./engine.ts";

export interface FakeEngine extends Engine {
  readonly jobs: WritingJob[];
  disposed: boolean;
}

/** An engine that counts words as tokens and writes what it is told to. */
export function fakeEngine(write: (job: WritingJob) => Promise<Written>, contextSize = 1000): FakeEngine {
  const engine: FakeEngine = {
    jobs: [],
    disposed: false,
    contextSize,
    countTokens: (turns) => turns.flatMap(({ text }) => text.split(/\s+/)).length,
    write: (job) => {
      engine.jobs.push(job);
      return write(job);
    },
    dispose: () => {
      engine.disposed = true;
      return Promise.resolve();
    },
  };
  return engine;
}

export const says =
  (...deltas: readonly string[]) =>
  (job: WritingJob): Promise<Written> => {
    for (const delta of deltas) job.onText("text", delta);
    return Promise.resolve({ stop: "end", outputTokens: deltas.length, reasoningTokens: 0 });
  };
