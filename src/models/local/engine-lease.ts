import type { Engine, LoadEngine } from "./engine.ts";

interface Loaded {
  readonly engine: Promise<Engine>;
  readonly load: LoadEngine;
  holders: number;
}

/** A file is loaded once in a process, however many models stand on it: it is hundreds of megabytes. */
const loaded = new Map<string, Loaded>();

export interface EngineLease {
  readonly engine: Promise<Engine>;
  /** Frees the memory when nobody else holds the file. */
  release(): Promise<void>;
}

export function leaseEngine(path: string, load: LoadEngine): EngineLease {
  const known = loaded.get(path);
  const entry = known?.load === load ? known : { engine: load(path), load, holders: 0 };
  if (entry !== known) {
    loaded.set(path, entry);
    // A failed load is not kept: the file may come, or memory be free, later.
    entry.engine.catch(() => forget(path, entry));
  }
  entry.holders += 1;
  let held = true;
  return {
    engine: entry.engine,
    release: async () => {
      if (!held) return;
      held = false;
      entry.holders -= 1;
      if (entry.holders > 0) return;
      forget(path, entry);
      const engine = await entry.engine.catch(() => undefined);
      await engine?.dispose();
    },
  };
}

function forget(path: string, entry: Loaded): void {
  if (loaded.get(path) === entry) loaded.delete(path);
}
