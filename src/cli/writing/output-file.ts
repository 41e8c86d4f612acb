import { chmod, mkdir, open, realpath, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DivvyError } from "../../errors.ts";
import { systemCodeOf } from "../../system-code.ts";
import { usageError } from "../flags/usage-error.ts";

/** A file that will be written at the end of a run: whole, or not at all. */
export interface OutputFile {
  /** As typed. */
  readonly name: string;
  readonly path: string;
  /** A device or a pipe: it cannot be replaced, only written to. */
  readonly isPlain: boolean;
  readonly temporary: string;
}

/**
 * Looks, before anything is paid for, whether the file can be written at the end.
 *
 * @throws DivvyError saying what is in the way
 */
export async function openOutputFile(cwd: string, name: string, unique: string): Promise<OutputFile> {
  const typed = resolve(cwd, name);
  const found = await stat(typed).catch(() => undefined);
  if (found?.isDirectory()) throw usageError(`${name} is a folder; -o takes a file.`, `Type: --out-dir ${name}`);
  // A link goes on pointing where it points.
  const path = found === undefined ? typed : await realpath(typed);
  const file = { name, path, isPlain: found === undefined || found.isFile(), temporary: join(dirname(path), `.divvy-${unique}.tmp`) };
  if (file.isPlain) await probe(file.temporary, name);
  return file;
}

/** The folder, made where it is missing, and known to take files. */
export async function openOutputFolder(cwd: string, name: string, unique: string): Promise<string> {
  const path = resolve(cwd, name);
  try {
    await makeFolder(path);
  } catch (thrown) {
    throw writeFailure(name, thrown);
  }
  await probe(join(path, `.divvy-${unique}.tmp`), name);
  return path;
}

/** Level by level: Node's own recursive `mkdir` never returns where a file system refuses with ENOENT, as /proc does. */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  if (dirname(path) !== path) await makeFolder(dirname(path), mode);
  // Another process may have been faster.
  await mkdir(path, { mode }).catch(async (thrown: unknown) => {
    if (!(await stat(path).catch(() => undefined))?.isDirectory()) throw thrown;
  });
}

/** Nothing tells whether a file can be made as surely as making one. */
async function probe(path: string, name: string): Promise<void> {
  try {
    await (await open(path, "wx")).close();
    await unlink(path);
  } catch (thrown) {
    throw writeFailure(name, thrown);
  }
}

/** Writes it under another name first, so that a crash or a full disk never leaves half of it under its own. */
export async function writeOutputFile({ name, path, isPlain, temporary }: OutputFile, text: string): Promise<void> {
  try {
    if (!isPlain) {
      await using device = await open(path, "w");
      return await device.writeFile(text);
    }
    const before = await stat(path).catch(() => undefined);
    await writeWhole(temporary, text);
    if (before !== undefined) await chmod(temporary, before.mode);
    await rename(temporary, path);
  } catch (thrown) {
    if (isPlain) await rm(temporary, { force: true }).catch(() => undefined);
    throw writeFailure(name, thrown);
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  await using file = await open(path, "wx");
  await file.writeFile(text);
  // A full disk may say so only now.
  await file.sync();
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "its folder is not there"],
  ["ENOTDIR", "a file stands where a folder should be"],
  ["EEXIST", "a file stands where a folder should be"],
  ["EACCES", "it may not be written"],
  ["EPERM", "it may not be written"],
  ["EROFS", "the disk can only be read"],
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "your share of the disk is full"],
  ["ENAMETOOLONG", "its name is too long"],
]);

function writeFailure(name: string, thrown: unknown): DivvyError {
  const reason = reasons.get(systemCodeOf(thrown) ?? "") ?? (thrown instanceof Error ? thrown.message : String(thrown));
  return new DivvyError("invalid_option", `${name} cannot be written: ${reason}.`, { hint: "Name another place.", cause: thrown });
}
