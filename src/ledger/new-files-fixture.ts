import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Names of files in a folder that goes when the test file is through. */
export function newFiles(): () => string {
  const folder = mkdtempSync(join(tmpdir(), "divvy-ledger-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  let files = 0;
  return () => join(folder, `${++files}.sqlite`);
}
