import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type DivvyError, toDivvyError } from "../../errors.ts";
import type { Outcome } from "../../outcome.ts";
import type { WorkFlags } from "../flags/command.ts";
import { jsonText } from "./json-text.ts";
import { openOutputFile, openOutputFolder, type OutputFile, writeOutputFile } from "./output-file.ts";
import type { CliWorld } from "../world.ts";

/** What became of the files. */
export interface Written {
  /** One line each, for people. */
  readonly said: readonly string[];
  /** The answer stands in the file that was asked for. */
  readonly answer: boolean;
  readonly errors: readonly DivvyError[];
}

/** The places that a run writes to, known to be writable before it starts. */
export class Outputs {
  readonly #file: OutputFile | undefined;
  readonly #folder: { readonly name: string; readonly path: string } | undefined;
  readonly #newId: () => string;

  private constructor(file: OutputFile | undefined, folder: { name: string; path: string } | undefined, newId: () => string) {
    this.#file = file;
    this.#folder = folder;
    this.#newId = newId;
  }

  static async open({ output, outDir }: Pick<WorkFlags, "output" | "outDir">, { cwd, runtime }: Pick<CliWorld, "cwd" | "runtime">): Promise<Outputs> {
    const file = output === undefined || output === "-" ? undefined : await openOutputFile(cwd, output, runtime.newId());
    const folder = outDir === undefined ? undefined : { name: outDir, path: await openOutputFolder(cwd, outDir, runtime.newId()) };
    return new Outputs(file, folder, runtime.newId);
  }

  /** Whether anything of the run stays when nobody reads stdout. */
  get any(): boolean {
    return this.#file !== undefined || this.#folder !== undefined;
  }

  /** Writes what there is. Never rejects: a run that is paid for is not lost because a disk is full. */
  async write(outcome: Outcome): Promise<Written> {
    const said: string[] = [];
    const errors: DivvyError[] = [];
    const attempt = async (act: () => Promise<string>): Promise<boolean> => {
      try {
        said.push(await act());
        return true;
      } catch (thrown) {
        errors.push(toDivvyError(thrown));
        return false;
      }
    };
    const file = this.#file;
    const folder = this.#folder;
    const text = "text" in outcome ? withLineEnd(outcome.text) : undefined;
    const answer =
      file !== undefined &&
      text !== undefined &&
      (await attempt(async () => {
        await writeOutputFile(file, text);
        return `The answer is in ${file.name}`;
      }));
    if (folder !== undefined) await attempt(() => this.#writeFolder(folder, outcome, text));
    return { said, answer, errors };
  }

  async #writeFolder(folder: { readonly name: string; readonly path: string }, outcome: Outcome, answer: string | undefined): Promise<string> {
    const files = new Map<string, string>(workerFiles(outcome));
    if (answer !== undefined) files.set("answer.md", answer);
    // Last, so that where it stands, the others do.
    files.set("outcome.json", `${jsonText(outcome, 2)}\n`);
    for (const [name, text] of files) {
      const path = join(folder.path, name);
      await writeOutputFile({ name: `${folder.name}/${name}`, path, isPlain: true, temporary: join(folder.path, `.divvy-${this.#newId()}.tmp`) }, text);
    }
    const older = (await readdir(folder.path)).filter((name) => /^\d{2,}-.*\.md$/.test(name) && !files.has(name));
    const left = older.length === 0 ? "" : ` (${older.length === 1 ? `${older[0]} is` : `${older.length} files are`} from an earlier run)`;
    return `${files.size === 1 ? "1 file" : `${files.size} files`} in ${folder.name}${left}`;
  }
}

/**
 * One file for each result that is there, `01-its-id.md`: the number keeps the plan's order, and keeps the name from being one
 * that stands for a device or differs from another in letter case alone. A failed worker has no file: no error text stands
 * where a result should.
 */
function workerFiles({ results }: Outcome): [string, string][] {
  const digits = Math.max(2, String(results.length).length);
  return results.flatMap((result, index): [string, string][] => {
    if (result.status !== "done") return [];
    const safe = result.id.replace(/[^\p{L}\p{N}\p{M}_-]+/gu, "-").slice(0, 48);
    return [[`${String(index + 1).padStart(digits, "0")}-${safe}.md`, withLineEnd(result.result)]];
  });
}

/** Text files end with a line end. */
export function withLineEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
