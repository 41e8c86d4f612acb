import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test, vi } from "vitest";
import { keptRunScenes } from "./kept-run-fixture.ts";
import { dataFolder } from "./kept-runs.ts";
import { cli } from "../test-world.ts";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const scene = keptRunScenes();

test.each([
  [{}, "linux", "/home/a/.local/share/divvy"],
  [{ XDG_DATA_HOME: "/data" }, "linux", "/data/divvy"],
  [{ XDG_DATA_HOME: "data" }, "linux", "/home/a/.local/share/divvy"],
  [{ XDG_DATA_HOME: "/data" }, "darwin", "/data/divvy"],
  [{}, "darwin", "/home/a/Library/Application Support/divvy"],
  [{ DIVVY_DATA_DIR: "/mine", XDG_DATA_HOME: "/data" }, "linux", "/mine"],
] as const)("with %j on %s, runs are kept in %s", (env, platform, folder) => {
  expect(dataFolder(env, platform, "/home/a")).toBe(folder);
});

test.skipIf(process.platform === "win32")("folder and files are made for their owner alone", async () => {
  const { env, folder } = await scene();
  const deep = join(folder, "new", "divvy");
  expect((await cli(["t", "-q"], { env: { ...env, DIVVY_DATA_DIR: deep } })).code).toBe(0);
  const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
  expect(await modeOf(deep)).toBe("700");
  expect(await modeOf(join(folder, "new"))).toBe("700");
  const files = await readdir(deep);
  expect(files).toContain("runs.sqlite");
  for (const file of files) expect(await modeOf(join(deep, file))).toBe("600");
});

describe("where runs cannot be kept", () => {
  test.each([
    [
      "a file that is none of ours",
      async (path: string) => writeFile(path, "no database, but long enough for one to look at it".repeat(20)),
      /runs\.sqlite is no SQLite file\./,
    ],
    ["a folder in its place", async (path: string) => mkdir(path), /runs\.sqlite cannot be opened\./],
    ["another program's", (path: string) => otherProgram(path), /runs\.sqlite is an SQLite file of another program\./],
  ])("%s: a run says so before anything is paid for, and how to go without", async (_, put, message) => {
    const { env, folder, server } = await scene();
    await put(join(folder, "runs.sqlite"));
    const { code, stdout, stderr } = await cli(["t"], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/DIVVY_DATA_DIR names another folder; --no-save keeps nothing of the run\.\n$/);
    expect(server.requests).toEqual([]);
    expect((await cli(["t", "-q", "--no-save"], { env })).code).toBe(0);
    const listed = await cli(["runs"], { env });
    expect(listed.code).toBe(1);
    expect(listed.stderr).toMatch(/DIVVY_DATA_DIR names another folder\.\n$/);
  });

  test.runIf(process.platform === "linux")("a folder that cannot be made: the same", async () => {
    const { env } = await scene();
    const { code, stderr } = await cli(["t"], { env: { ...env, DIVVY_DATA_DIR: "/proc/nowhere/divvy" } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^divvy: The ledger \/proc\/nowhere\/divvy\/runs\.sqlite cannot be opened\.\n/);
    expect((await cli(["runs"], { env: { ...env, DIVVY_DATA_DIR: "/proc/nowhere/divvy" } })).stderr).toContain("No runs are kept yet.");
  });
});

function otherProgram(path: string): Promise<void> {
  using db = new DatabaseSync(path);
  db.exec("CREATE TABLE recipes (name TEXT)");
  return Promise.resolve();
}
