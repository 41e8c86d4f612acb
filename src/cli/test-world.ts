import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { isDead, thisProcess } from "../ledger/process-identity.ts";
import { systemRuntime, timeOfDay } from "../runtime.ts";
import { runCli } from "./run-cli.ts";
import type { CliWorld } from "./world.ts";

/** A stream that keeps what is written to it, and can be a terminal. */
export class Screen extends Writable {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;
  text = "";
  /** Breaks off, as a closed pipe does, when this is in the text. */
  closesAt: string | undefined;

  constructor({ isTTY = false, columns = 80, rows = 24 }: { isTTY?: boolean; columns?: number; rows?: number } = {}) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
    this.columns = columns;
    this.rows = rows;
  }

  override _write(chunk: unknown, _: BufferEncoding, done: (error?: Error) => void): void {
    this.text += String(chunk);
    if (this.closesAt !== undefined && this.text.includes(this.closesAt)) done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    else done();
  }
}

export interface TestCli {
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly signals: EventEmitter;
  /** Codes with which the process was told to end at once. */
  readonly left: number[];
  readonly code: Promise<number>;
}

/** The local servers' ports answer nothing, so that a test does not find the developer's own. */
const noServer: typeof globalThis.fetch = () => Promise.reject(new TypeError("fetch failed"));

let data: string | undefined;

/** Where a test's runs are kept, unless it says otherwise. */
function dataFolder(): string {
  if (data === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "divvy-data-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    data = folder;
  }
  return data;
}

/** Carries out a command line in this process. stdin is an empty pipe unless it is given. */
export function startCli(
  argv: readonly string[],
  options: Partial<Pick<CliWorld, "env" | "cwd" | "stdin" | "fetch" | "loadEngine" | "identity" | "runtime">> & {
    readonly stdout?: Screen;
    readonly stderr?: Screen;
  } = {},
): TestCli {
  const {
    stdout = new Screen(),
    stderr = new Screen(),
    env = {},
    cwd = process.cwd(),
    stdin = Readable.from([]),
    fetch = noServer,
    loadEngine,
    runtime = systemRuntime,
    identity = { owner: thisProcess(), isDead, now: timeOfDay },
  } = options;
  const signals = new EventEmitter();
  const left: number[] = [];
  const code = runCli({
    argv,
    // Nothing is left where the developer's own runs are.
    env: { DIVVY_DATA_DIR: dataFolder(), ...env },
    cwd,
    stdin,
    stdout,
    stderr,
    signals,
    leave: (status) => void left.push(status),
    runtime,
    identity,
    fetch,
    ...(loadEngine && { loadEngine }),
  });
  return { stdout, stderr, signals, left, code };
}

/** The same, waited for. */
export async function cli(...args: Parameters<typeof startCli>): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const { code, stdout, stderr } = startCli(...args);
  return { code: await code, stdout: stdout.text, stderr: stderr.text };
}

const escape = "\u001B";
/** A command that drawing in place needs; a line end; text; and whatever else there is. */
const pieces = new RegExp(String.raw`${escape}\[(?:\?(?:25|2026)[hl]|(\d*)([ABEGK]))|\n|[^${escape}\n]+|[^]`, "gu");

/**
 * What stands on a terminal after this was written to it: its lines from the first on, scrollback included. Knows the commands that
 * drawing in place needs (up, down, to a column, erase), and throws at any other.
 */
export function linesAfter(written: string): string[] {
  const lines: string[] = [""];
  let row = 0;
  let column = 0;
  for (const [piece, count, command] of written.matchAll(pieces)) {
    const n = Number(count || 1);
    const line = (lines[row] ??= "");
    if (piece === "\n" || command === "E") [row, column] = [row + (piece === "\n" ? 1 : n), 0];
    else if (command === "A") row -= n;
    else if (command === "B") row += n;
    else if (command === "G") column = n - 1;
    else if (command === "K") lines[row] = count === "2" ? "" : line.slice(0, column);
    else if (!piece.startsWith(escape)) {
      lines[row] = line.padEnd(column).slice(0, column) + piece + line.slice(column + piece.length);
      column += piece.length;
    } else if (piece === escape) throw new Error("The terminal was told something other than to draw.");
    if (row < 0) throw new Error("The cursor left the terminal at its top.");
    lines[row] ??= "";
  }
  return lines;
}
