import { wantedNames } from "./wanted.ts";
import type { JobReport } from "./jobs.ts";

/** Counts what was simulated, and in how many simulations each thing was met with; says at once what failed. */
export class ReportTally {
  simulations = 0;
  failed = 0;
  readonly #met = new Map<string, number>(wantedNames.map((name) => [name, 0]));
  readonly #say: (line: string) => void;
  #calls = 0;
  #slowest = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  add({ seed, faults, command, met, calls, ms }: Pick<JobReport, "seed" | "faults" | "command" | "met" | "calls" | "ms">): void {
    this.simulations++;
    this.#calls += calls;
    this.#slowest = Math.max(this.#slowest, ms);
    for (const name of met) this.#met.set(name, (this.#met.get(name) ?? 0) + 1);
    if (faults.length === 0) return;
    this.failed++;
    this.#say(`Seed ${seed} failed:\n${faults.map((fault) => `  ${fault}`).join("\n")}\n  Again: ${command}`);
  }

  /** What no simulation met with. */
  get unmet(): string[] {
    return [...this.#met].filter(([, count]) => count === 0).map(([name]) => name);
  }

  /** A line for each kind of thing: in how many simulations each was met with. */
  get lines(): string[] {
    const kinds = new Map<string, string[]>();
    for (const [name, count] of this.#met) {
      const [kind = "", thing = ""] = name.split(": ");
      kinds.set(kind, [...(kinds.get(kind) ?? []), `${thing} ${count}`]);
    }
    const told = [...kinds].map(([kind, things]) => `${`${kind}:`.padEnd(11)}${things.join(", ")}`);
    return [...told, `${this.#calls} model calls; slowest simulation: ${Math.round(this.#slowest)} ms`];
  }
}
