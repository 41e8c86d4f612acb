import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { systemCodeOf } from "../../system-code.ts";
import { usageError } from "../flags/usage-error.ts";

/** Of one file, and of stdin: some 300,000 tokens, which is beyond most models. */
export const mostBytes = 1_048_576;

/** A text file, whole. @throws DivvyError for what is no text, too large, or cannot be read */
export async function readTextFile(cwd: string, name: string): Promise<string> {
  const path = resolve(cwd, name);
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw usageError(`${name} is a folder.`, `Name the files in it: "${name.replace(/[/\\]+$/, "")}/**/*"`);
    // Said by its size, it need not be read; pipes and devices say none.
    if (found.size > mostBytes) throw tooLarge(name);
    return await readText(createReadStream(path), name);
  } catch (thrown) {
    throw readFailure(name, thrown);
  }
}

/** Everything that comes, as text. Reads no further than the limit. */
export async function readText(chunks: AsyncIterable<unknown>, name: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const bytes = chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
    size += bytes.byteLength;
    if (size > mostBytes) throw tooLarge(name);
    if (bytes.includes(0)) throw binary(name);
    parts.push(bytes);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw binary(name);
  }
}

function tooLarge(name: string): Error {
  return usageError(`${name} is larger than 1 MB, more than is read.`, "Give the part of it that matters.");
}

function binary(name: string): Error {
  return usageError(`${name} is not a text in UTF-8.`, "Only text can be read: convert it, or leave it out.");
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "is not there"],
  ["ENOTDIR", "is not there"],
  ["EACCES", "may not be read"],
  ["EPERM", "may not be read"],
  ["ELOOP", "is a link to itself"],
  ["ENAMETOOLONG", "has too long a name"],
]);

function readFailure(name: string, thrown: unknown): unknown {
  const code = systemCodeOf(thrown);
  if (code === undefined) return thrown;
  return usageError(`${name} ${reasons.get(code) ?? `cannot be read (${code})`}.`, "Check the name and the folder you are in.");
}
