import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DivvyError } from "../../errors.ts";
import { waysOn } from "./download-failure.ts";
import { content, fakeWeights as weights, hubDouble, rangeStart, serve } from "./hub-double.ts";
import { defaultWeights, ensureWeights, type EnsureWeightsOptions, modelCacheFolder, weightsUrl } from "./weights.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "divvy-weights-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const part = (): string => join(folder, "fake.gguf.part");
const whole = (): string => join(folder, "fake.gguf");
const ensure = (url: string, options: Partial<EnsureWeightsOptions> = {}): Promise<string> =>
  ensureWeights({ env: { DIVVY_MODEL_CACHE: folder, HF_ENDPOINT: url }, weights, ...options });
const failing = async (promise: Promise<unknown>): Promise<DivvyError> => {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof DivvyError)) throw new Error("no DivvyError was thrown");
  return thrown;
};

describe("where the weights are", () => {
  test("the cache folder of each platform", () => {
    expect(modelCacheFolder({}, "linux", "/home/u")).toBe("/home/u/.cache/divvy/models");
    expect(modelCacheFolder({ XDG_CACHE_HOME: "/x" }, "linux", "/home/u")).toBe("/x/divvy/models");
    expect(modelCacheFolder({}, "darwin", "/Users/u")).toBe("/Users/u/Library/Caches/divvy/models");
    expect(modelCacheFolder({ LOCALAPPDATA: "/l" }, "win32", "/u")).toBe("/l/divvy/models");
    expect(modelCacheFolder({ DIVVY_MODEL_CACHE: "/d", XDG_CACHE_HOME: "/x" }, "linux", "/home/u")).toBe("/d");
  });

  test("the hub's address, or a mirror's", () => {
    const path = `${defaultWeights.repo}/resolve/${defaultWeights.revision}/${defaultWeights.file}`;
    expect(weightsUrl({})).toBe(`https://huggingface.co/${path}`);
    expect(weightsUrl({ HF_ENDPOINT: "https://mirror.example/" })).toBe(`https://mirror.example/${path}`);
  });
});

describe("a download", () => {
  test("arrives whole, is told of, and is not repeated", async () => {
    await using hub = await hubDouble();
    const seen: number[] = [];
    expect(await ensure(hub.url, { onProgress: ({ receivedBytes }) => seen.push(receivedBytes) })).toBe(whole());
    expect(readFileSync(whole()).equals(content)).toBe(true);
    expect(existsSync(part())).toBe(false);
    expect([seen[0], seen.at(-1)]).toEqual([0, content.length]);
    await ensure(hub.url);
    expect(hub.asked).toEqual(["whole"]);
  });

  test("replaces a file of the wrong size", async () => {
    await using hub = await hubDouble();
    writeFileSync(whole(), "cut");
    await ensure(hub.url);
    expect(statSync(whole()).size).toBe(content.length);
  });

  test("goes on where the last one was cut off", async () => {
    let cut = (): void => undefined;
    await using hub = await hubDouble((_, response) => {
      response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 1000));
      cut = () => void response.destroy();
    });
    const error = await failing(ensure(hub.url, { onProgress: ({ receivedBytes }) => receivedBytes === 1000 && cut() }));
    expect(error).toMatchObject({ code: "local_model", hint: waysOn });
    expect(error.message).toContain("cut off");
    hub.answer = serve;
    await ensure(hub.url);
    expect(hub.asked).toEqual(["whole", "bytes=1000-"]);
    expect(readFileSync(whole()).equals(content)).toBe(true);
  });

  test("starts over where the server sends all of it", async () => {
    await using hub = await hubDouble((_, response) => void response.writeHead(200).end(content));
    writeFileSync(part(), "x".repeat(500));
    await ensure(hub.url);
    expect(readFileSync(whole()).equals(content)).toBe(true);
  });

  test("starts over where the server knows no such range", async () => {
    await using hub = await hubDouble((request, response) => (rangeStart(request) > 0 ? void response.writeHead(416).end() : serve(request, response)));
    writeFileSync(part(), "x".repeat(500));
    await ensure(hub.url);
    expect(hub.asked).toEqual(["bytes=500-", "whole"]);
  });

  test("asks for nothing where all of it is in the part", async () => {
    await using hub = await hubDouble();
    writeFileSync(part(), content);
    await ensure(hub.url);
    expect(hub.asked).toEqual([]);
  });

  test("of the wrong bytes is deleted", async () => {
    await using hub = await hubDouble((_, response) => void response.writeHead(200).end(Buffer.alloc(content.length)));
    expect((await failing(ensure(hub.url))).message).toContain("SHA-256");
    expect(existsSync(part())).toBe(false);
    hub.answer = (_, response) => void response.writeHead(200).end(Buffer.alloc(content.length + 1));
    expect((await failing(ensure(hub.url))).message).toContain("larger than");
    expect(existsSync(part())).toBe(false);
  });

  test("that is aborted keeps what it has", async () => {
    await using hub = await hubDouble((_, response) => void response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 2000)));
    const stop = new AbortController();
    const error = await failing(
      ensure(hub.url, { signal: stop.signal, onProgress: ({ receivedBytes }) => receivedBytes === 2000 && setImmediate(() => stop.abort()) }),
    );
    expect(error.code).toBe("aborted");
    expect(statSync(part()).size).toBe(2000);
  });

  test("says why it failed", async () => {
    await using hub = await hubDouble((_, response) => void response.writeHead(404).end("no"));
    expect(await failing(ensure(hub.url))).toMatchObject({ code: "local_model", evidence: { status: 404 }, hint: waysOn });
    hub.answer = () => undefined;
    expect((await failing(ensure(hub.url, { connectMs: 30 }))).message).toContain("did not answer");
    hub.answer = (_, response) => void response.writeHead(200).write("x");
    expect((await failing(ensure(hub.url, { idleMs: 30 }))).message).toContain("silent");
  });

  test("says that the host cannot be reached", async () => {
    const hub = await hubDouble();
    await hub[Symbol.asyncDispose]();
    expect((await failing(ensure(hub.url))).message).toMatch(/127\.0\.0\.1:\d+ cannot be reached/);
    expect((await failing(ensure("http://host.invalid"))).message).toContain("host.invalid cannot be reached");
  });

  test("says that the folder cannot be written to", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const error = await failing(ensureWeights({ env: { DIVVY_MODEL_CACHE: join(file, "models") }, weights }));
    expect(error.message).toContain("cannot be written to");
  });

  test.runIf(existsSync("/dev/full"))("says that the disk is full", async () => {
    await using hub = await hubDouble();
    symlinkSync("/dev/full", part());
    expect((await failing(ensure(hub.url))).message).toContain("no room");
  });
});

describe("two that want it at once", () => {
  test("in one process: one downloads", async () => {
    await using hub = await hubDouble();
    expect(await Promise.all([ensure(hub.url), ensure(hub.url)])).toEqual([whole(), whole()]);
    expect(hub.asked).toEqual(["whole"]);
  });

  test("a process that is killed leaves its part and no lock", async () => {
    await using hub = await hubDouble((_, response) => void response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 3000)));
    const code = `import { ensureWeights } from ${JSON.stringify(new URL("./weights.ts", import.meta.url).href)};
      await ensureWeights({ env: process.env, weights: ${JSON.stringify(weights)} });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], { env: { ...process.env, DIVVY_MODEL_CACHE: folder, HF_ENDPOINT: hub.url } });
    await expect.poll(() => existsSync(part()) && statSync(part()).size, { timeout: 10_000 }).toBe(3000);
    hub.answer = serve;
    const waiting = ensure(hub.url);
    child.kill("SIGKILL");
    expect(readFileSync(await waiting).equals(content)).toBe(true);
    expect(hub.asked).toEqual(["whole", "bytes=3000-"]);
    expect(readdirSync(folder).toSorted()).toEqual(["fake.gguf", "fake.gguf.lock"]);
  });
});
