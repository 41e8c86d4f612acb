import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type FakeEngine, fakeEngine } from "../../models/local/fake-engine.ts";
import type { LoadEngine } from "../../models/local/engine.ts";
import { defaultWeights } from "../../models/local/weights.ts";
import { DownloadBar } from "./download-bar.ts";
import { OutStream } from "../writing/out-stream.ts";
import { cli, Screen, startCli } from "../test-world.ts";

vi.setConfig({ testTimeout: 30_000 });

let cache: string;
let engine: FakeEngine;
let loaded: string[];

/** Plans under its grammar, writes a sentence otherwise. */
const loadEngine: LoadEngine = (path) => {
  loaded.push(path);
  return Promise.resolve(engine);
};

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "divvy-local-"));
  loaded = [];
  engine = fakeEngine((job) => {
    job.onText(
      "text",
      job.shape === undefined
        ? "A sentence."
        : "<tasks><task><type>one</type><description>Do one.</description></task><task><type>two</type><description>Do two.</description></task></tasks>",
    );
    return Promise.resolve({ stop: "end", outputTokens: 3, reasoningTokens: 0 });
  }, 100_000);
});

afterEach(() => rm(cache, { recursive: true, force: true }));

test("the built-in model works without a key, says before and after what it is, and is freed", async () => {
  const weights = join(cache, defaultWeights.file);
  await writeFile(weights, "");
  await truncate(weights, defaultWeights.bytes);
  const { code, stdout, stderr } = await cli(["Write about a bottle"], { env: { DIVVY_MODEL_CACHE: cache }, loadEngine });
  expect(code).toBe(0);
  expect(stdout).toContain("A sentence.");
  const lines = stderr.trimEnd().split("\n");
  expect(lines[0]).toMatch(/^local:smollm2-135m does everything \(no key is set/);
  expect(lines[1]).toMatch(/^The built-in model is tiny/);
  expect(lines.at(-1)).toMatch(/^Written by the tiny built-in model/);
  expect(loaded).toEqual([weights]);
  expect(engine.disposed).toBe(true);
});

test("a run on it goes on with it, and says again what it is", async () => {
  const weights = join(cache, defaultWeights.file);
  await writeFile(weights, "");
  await truncate(weights, defaultWeights.bytes);
  const env = { DIVVY_MODEL_CACHE: cache, DIVVY_DATA_DIR: cache };
  const write = engine;
  engine = fakeEngine(async (job) => {
    // The second worker stands still until it is stopped.
    if (job.shape !== undefined || write.jobs.length < 2) return await write.write(job);
    return await new Promise((_, reject) => job.signal?.addEventListener("abort", () => reject(new Error("stopped"))));
  }, 100_000);
  const first = startCli(["Write about a bottle"], { env, loadEngine });
  while (engine.jobs.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  first.signals.emit("SIGINT");
  expect(await first.code).toBe(130);
  expect(first.stderr.text).toMatch(/\(it would do 1 subtask and the answer\)\n$/);
  engine = write;
  const { code, stdout, stderr } = await cli(["resume", "last"], { env: { ...env, ANTHROPIC_API_KEY: "k" }, loadEngine });
  expect(code).toBe(0);
  expect(stdout.split("A sentence.")).toHaveLength(3);
  expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/^Written by the tiny built-in model/);
});

test("a file of one's own is nobody's tiny model", async () => {
  const file = join(cache, "own.gguf");
  await writeFile(file, "x");
  const { code, stderr } = await cli(["t", "-m", `local:${file}`], { loadEngine });
  expect(code).toBe(0);
  expect(stderr).not.toContain("tiny");
  expect(loaded).toEqual([file]);
});

test("Ctrl-C ends a download", async () => {
  const endless: typeof globalThis.fetch = (_, init) =>
    new Promise((_resolve, reject) => {
      const reason: unknown = init?.signal?.reason;
      init?.signal?.addEventListener("abort", () => reject(reason instanceof Error ? reason : new Error("aborted")), { once: true });
    });
  const started = startCli(["t", "-m", "local:"], { env: { DIVVY_MODEL_CACHE: cache }, fetch: endless, loadEngine });
  await new Promise((resolve) => setTimeout(resolve, 200));
  started.signals.emit("SIGINT");
  expect(await started.code).toBe(130);
  expect(started.stderr.text).toMatch(/Stopped before there was a plan\.\n$/);
});

function shownBar(screen: Screen, env: Record<string, string> = {}): string {
  const { show } = new DownloadBar(new OutStream(screen), env);
  for (let receivedBytes = 0; receivedBytes <= 98_000_000; receivedBytes += 98_000) show({ receivedBytes, totalBytes: 98_000_000 });
  return screen.text;
}

test("a download moves one line on a terminal, at most a hundred times, and fits", () => {
  const text = shownBar(new Screen({ isTTY: true, columns: 70 }));
  expect(text.match(/\r/g)).toHaveLength(101);
  expect(text).toContain("\rFetching the built-in model ██████████░░░░░░░░░░ 49 of 98 MB\u001B[K");
  expect(text.endsWith("98 of 98 MB\u001B[K\n")).toBe(true);
  expect(shownBar(new Screen({ isTTY: true, columns: 40 }))).toContain("\r██████████░░░░░░░░░░ 49 of 98 MB\u001B[K");
  expect(shownBar(new Screen({ isTTY: true, columns: 30 }))).toContain("\r49 of 98 MB\u001B[K");
});

test("and is a line now and then elsewhere", () => {
  const expected =
    "Fetching the built-in model: 0 of 98 MB\nFetching the built-in model: 25 of 98 MB\nFetching the built-in model: 49 of 98 MB\nFetching the built-in model: 74 of 98 MB\nFetching the built-in model: 98 of 98 MB\n";
  expect(shownBar(new Screen())).toBe(expected);
  expect(shownBar(new Screen({ isTTY: true }), { TERM: "dumb" })).toBe(expected);
});
