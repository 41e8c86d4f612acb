import { oneLine } from "../writing/clean-text.ts";
import type { Paint } from "../writing/paint.ts";
import { age, dollars } from "../../quantity.ts";
import type { ListedRun, ShownStatus } from "../kept/run-status.ts";
import { cutTo } from "./wrapped.ts";

export interface RunsTableOptions {
  readonly short: (runId: string) => string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Tasks are cut to fit; nothing where no terminal is there to fit. */
  readonly columns: number | undefined;
  readonly paint: Paint;
}

/** A line each, newest first, as they come. */
export function runsTable(runs: readonly ListedRun[], { short, now, columns, paint }: RunsTableOptions): string {
  const rows = runs.map(({ runId, status, startedAt, cost }) => [short(runId), status, age(now - startedAt), cost === undefined ? "?" : dollars(cost)]);
  const heads = ["run", "status", "age", "cost"];
  const widths = heads.map((head, index) => Math.max(head.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const laidOut = (row: readonly string[], style: (text: string, index: number) => string): string =>
    row.map((text, index) => style(isFigure(index) ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0), index)).join("  ");
  const room = columns === undefined ? undefined : Math.max(8, columns - widths.reduce((sum, width) => sum + width + 2, 0));
  const lines = rows.map((row, index) => {
    const run = runs[index];
    const task = oneLine(run?.task ?? "");
    const styled = laidOut(row, (text, column) => (column === 1 && run !== undefined ? statusPainted(run.status, text, paint) : text));
    return `${styled}  ${room === undefined ? task : cutTo(task, room)}`;
  });
  return `${[paint("dim", `${laidOut(heads, (text) => text)}  task`), ...lines].join("\n")}\n`;
}

/** Age and cost. */
function isFigure(column: number): boolean {
  return column > 1;
}

const colours = { ok: "green", running: "cyan", waiting: "yellow", interrupted: "yellow", partial: "yellow", failed: "red", aborted: "dim" } as const;

export function statusPainted(status: ShownStatus, text: string, paint: Paint): string {
  return paint(colours[status], text);
}
