import type { JobReport } from "./jobs.ts";

/** Counts what was simulated; says at once what failed. */
export class ReportTally {
  simulations = 0;
  failed = 0;
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #say: (line: string) => void;
  #slowest = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  add({ seed, faults, command, first, last, crashes, takeovers, calls, ms }: JobReport): void {
    this.simulations++;
    this.#slowest = Math.max(this.#slowest, ms);
    for (const status of first) this.#count("runs, at their first end", status);
    for (const status of last) this.#count("runs, at their last end", status);
    this.#count("simulations by crashes", String(crashes));
    this.#count("simulations by takeovers", String(takeovers));
    this.#count("model calls", "in all", calls);
    if (faults.length === 0) return;
    this.failed++;
    this.#say(`Seed ${seed} failed:\n${faults.map((fault) => `  ${fault}`).join("\n")}\n  Again: ${command}`);
  }

  get lines(): string[] {
    const told = [...this.#counts].map(
      ([what, counts]) =>
        `${what}: ${[...counts]
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([name, count]) => `${name} ${count}`)
          .join(", ")}`,
    );
    return [...told, `slowest simulation: ${Math.round(this.#slowest)} ms`];
  }

  #count(what: string, name: string, by = 1): void {
    const counts = this.#counts.get(what) ?? new Map<string, number>();
    this.#counts.set(what, counts);
    counts.set(name, (counts.get(name) ?? 0) + by);
  }
}
