import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DivvyError } from "../../errors.ts";
import type { Env } from "../../models/catalog.ts";
import { systemCodeOf } from "../../system-code.ts";

/** The editor of whoever sits here, as git finds it; with its arguments. */
export function editorIn({ VISUAL, EDITOR }: Env, platform: NodeJS.Platform = process.platform): string {
  return VISUAL?.trim() || EDITOR?.trim() || (platform === "win32" ? "notepad" : "vi");
}

/**
 * Has a text edited, and gives what became of it. The editor has the terminal to itself until it ends; what lay on disk is removed.
 *
 * @throws DivvyError `invalid_option` where it cannot be started, or says that it failed
 */
export async function edited(text: string, env: Env): Promise<string> {
  const editor = editorIn(env);
  const folder = await mkdtemp(join(tmpdir(), "divvy-plan-"));
  try {
    const path = join(folder, "plan.xml");
    await writeFile(path, text, { mode: 0o600 });
    // Through the shell, since an editor may come with arguments of its own.
    const child = spawn(`${surviving}${editor} ${quoted(path)}`, { shell: true, stdio: "inherit", env });
    const code = await new Promise<number | null>((resolve, reject) => child.once("exit", resolve).once("error", reject));
    if (code !== 0) throw failed(editor, code === 127 ? "is not there" : `ended with ${String(code ?? "a signal")}`);
    return await readFile(path, "utf8");
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    throw code === undefined ? thrown : failed(editor, `could not be started (${code})`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An editor may take Ctrl-C for something of its own and go on; the shell that it runs in would end by it, and what was written be lost. */
const surviving = process.platform === "win32" ? "" : "trap : INT; ";

function quoted(path: string, platform: NodeJS.Platform = process.platform): string {
  return platform === "win32" ? `"${path}"` : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function failed(editor: string, why: string): DivvyError {
  return new DivvyError("invalid_option", `The editor ${editor} ${why}.`, { hint: "VISUAL or EDITOR names another one." });
}
