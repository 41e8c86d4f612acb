import { GCProfiler } from "node:v8";

/** What V8's heap came to over a time, in megabytes. */
export interface HeapPeak {
  /** Used at most: what lives and what was not collected yet. */
  readonly peakHeapMb: number;
  /** Collections of the whole heap. Each comes at V8's own time; one fewer lets garbage, and with it the peak, rise. */
  readonly fullCollections: number;
}

/** The heap only falls by collections: its size before each, and at the end, holds its peak. Costs next to nothing. */
export function watchHeap(): () => HeapPeak {
  const profiler = new GCProfiler();
  profiler.start();
  return () => {
    const { statistics } = profiler.stop();
    const used = statistics.map(({ beforeGC }) => beforeGC.heapStatistics.usedHeapSize);
    return {
      peakHeapMb: megabytes(Math.max(process.memoryUsage().heapUsed, ...used)),
      fullCollections: statistics.filter(({ gcType }) => gcType === "MarkSweepCompact").length,
    };
  };
}

export interface LiveHeap {
  /** At most, after a collection: what was in use. */
  readonly liveMb: number;
  /** What is left when all is done. */
  readonly leftMb: number;
}

/** Between two forced collections, in milliseconds. */
const everyMs = 500;

/** Collects again and again, and looks at what lives. Disturbs all other figures; needs `--expose-gc`. */
export function watchLive(collect: NodeJS.GCFunction): () => LiveHeap {
  let peak = 0;
  const look = (): number => {
    collect();
    const { heapUsed } = process.memoryUsage();
    peak = Math.max(peak, heapUsed);
    return heapUsed;
  };
  const timer = setInterval(look, everyMs);
  return () => {
    clearInterval(timer);
    const left = look();
    return { liveMb: megabytes(peak), leftMb: megabytes(left) };
  };
}

function megabytes(bytes: number): number {
  return bytes / 1024 / 1024;
}
