import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Outcome, Result } from "../../outcome.ts";
import { failedOutcome } from "../../orchestrator/ending/outcome-of.ts";
import { Tally } from "../../orchestrator/tally.ts";
import { DivvyError } from "../../errors.ts";
import { systemRuntime } from "../../runtime.ts";
import { noUsage } from "../../usage.ts";
import { Outputs } from "./outputs.ts";
import type { RunCommand } from "../flags/command.ts";

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "divvy-outputs-"));
});

afterEach(() => rm(cwd, { recursive: true, force: true }));

const done = (id: string, result: string): Result => ({
  id,
  type: "t",
  description: "d",
  dependsOn: [],
  kind: "default",
  attempts: 1,
  usage: noUsage,
  durationMs: 1,
  status: "done",
  result,
});
const failed = (id: string): Result => ({
  id,
  type: "t",
  description: "d",
  dependsOn: [],
  kind: "default",
  attempts: 1,
  usage: noUsage,
  durationMs: 1,
  status: "failed",
  error: new DivvyError("empty_response", "Nothing came.").toJSON(),
});

function outcomeWith(results: readonly Result[], text = "The answer."): Outcome {
  return { ...failedOutcome("run-1", new DivvyError("internal", "x"), new Tally(), 5), results, status: "ok", text };
}

function open(typed: Partial<Pick<RunCommand, "output" | "outDir">>): Promise<Outputs> {
  return Outputs.open({ output: undefined, outDir: undefined, ...typed }, { cwd, runtime: systemRuntime });
}

test("a folder gets the answer, a file a worker in plan order, and the outcome; nothing else stays", async () => {
  const outputs = await open({ outDir: "a/b" });
  const written = await outputs.write(outcomeWith([done("con", "first"), failed("gap"), done("../up.md", "third\n")]));
  expect(written).toEqual({ said: ["4 files in a/b"], answer: false, errors: [] });
  expect((await readdir(join(cwd, "a/b"))).toSorted()).toEqual(["01-con.md", "03--up-md.md", "answer.md", "outcome.json"]);
  expect(await readFile(join(cwd, "a/b/answer.md"), "utf8")).toBe("The answer.\n");
  expect(await readFile(join(cwd, "a/b/03--up-md.md"), "utf8")).toBe("third\n");
  expect(JSON.parse(await readFile(join(cwd, "a/b/outcome.json"), "utf8"))).toMatchObject({ status: "ok", text: "The answer." });
});

test("says which files are an earlier run's", async () => {
  await (await open({ outDir: "d" })).write(outcomeWith([done("a", "x"), done("b", "y")]));
  const { said } = await (await open({ outDir: "d" })).write(outcomeWith([done("a", "z")]));
  expect(said).toEqual(["3 files in d (02-b.md is from an earlier run)"]);
});

test("a file is replaced whole, keeps its mode, and stays where its link points", async () => {
  await writeFile(join(cwd, "real.md"), "before", { mode: 0o600 });
  await symlink("real.md", join(cwd, "link.md"));
  const { answer, said } = await (await open({ output: "link.md" })).write(outcomeWith([]));
  expect({ answer, said }).toEqual({ answer: true, said: ["The answer is in link.md"] });
  expect(await readFile(join(cwd, "real.md"), "utf8")).toBe("The answer.\n");
  expect((await stat(join(cwd, "real.md"))).mode & 0o777).toBe(0o600);
  expect((await lstat(join(cwd, "link.md"))).isSymbolicLink()).toBe(true);
  expect(await readlink(join(cwd, "link.md"))).toBe("real.md");
  expect((await readdir(cwd)).toSorted()).toEqual(["link.md", "real.md"]);
});

test.runIf(process.platform === "linux")("a device is written to, not replaced", async () => {
  const { answer } = await (await open({ output: "/dev/null" })).write(outcomeWith([]));
  expect(answer).toBe(true);
  expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
  const full = await (await open({ output: "/dev/full" })).write(outcomeWith([]));
  expect(full).toMatchObject({ answer: false, errors: [{ message: "/dev/full cannot be written: the disk is full." }] });
});

test("what is in the way is said before anything is paid for", async () => {
  await mkdir(join(cwd, "folder"));
  await writeFile(join(cwd, "file"), "");
  await expect(open({ output: "folder" })).rejects.toMatchObject({ message: "folder is a folder; -o takes a file.", hint: "Type: --out-dir folder" });
  await expect(open({ output: "nope/a.md" })).rejects.toThrow("nope/a.md cannot be written: its folder is not there.");
  await expect(open({ outDir: "file/sub" })).rejects.toThrow("file/sub cannot be written: a file stands where a folder should be.");
});

test.runIf(process.platform === "linux")("a file system that takes no folders does not make it hang", async () => {
  await expect(open({ outDir: "/proc/divvy" })).rejects.toThrow("/proc/divvy cannot be written");
});

test("a folder that goes away during the run costs the files, not the answer", async () => {
  const outputs = await open({ outDir: "d" });
  await rm(join(cwd, "d"), { recursive: true });
  const { said, errors } = await outputs.write(outcomeWith([done("a", "x")]));
  expect(said).toEqual([]);
  expect(errors[0]?.message).toBe("d/01-a.md cannot be written: its folder is not there.");
});
