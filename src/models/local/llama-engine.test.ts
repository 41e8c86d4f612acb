import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { JSONSchema7 } from "@ai-sdk/provider";
import { afterAll, describe, expect, test } from "vitest";
import { fillTemplate } from "../../prompt/template.ts";
import type { WritingJob, Written } from "./engine.ts";
import { loadLlamaEngine } from "./llama-engine.ts";
import { planGrammar } from "./plan-grammar.ts";
import { tinyPrompts } from "./tiny-prompts.ts";
import { weightsPath } from "./weights.ts";

const run = promisify(execFile);
const path = weightsPath(process.env);

test("without its package, says which to install", async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "divvy-"));
  const source = join(import.meta.dirname, "..", "..");
  for (const part of ["errors.ts", "json.ts", "sentence.ts", "models/local"]) cpSync(join(source, part), join(elsewhere, part), { recursive: true });
  const code = `import { loadLlamaEngine } from "./models/local/llama-engine.ts"; await loadLlamaEngine("x").catch((e) => console.log(e.code, e.hint));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", code], { cwd: elsewhere });
  expect(stdout.trim()).toBe("missing_package Run: npm install node-llama-cpp");
}, 20_000);

test("of a file that is no model, says so", async () => {
  await expect(loadLlamaEngine(import.meta.filename)).rejects.toMatchObject({ code: "local_model", message: expect.stringContaining("cannot be loaded") });
}, 20_000);

// Needs the 98 MB of weights: `node scripts/fetch-model.ts` puts them in place.
describe.skipIf(!existsSync(path))("the built-in model (skipped where its weights are not in the cache folder)", { timeout: 30_000 }, () => {
  const loading = existsSync(path) ? loadLlamaEngine(path) : undefined;
  afterAll(async () => (await loading)?.dispose());

  async function write(text: string, job: Partial<WritingJob> = {}): Promise<Written & { readonly text: string }> {
    if (!loading) throw new Error("not loaded");
    let reply = "";
    const written = await (
      await loading
    ).write({
      turns: [{ role: "user", text }],
      maxTokens: 12,
      sampling: { temperature: 0, seed: 1, repeatPenalty: 1.1 },
      onText: (_, delta) => (reply += delta),
      ...job,
    });
    return { ...written, text: reply };
  }

  test("writes a plan that reads as one", async () => {
    const values = new Map([
      ["task", "Write a product description for a new eco-friendly water bottle"],
      ["context", "target_audience: environmentally conscious millennials\nkey_features: plastic-free, insulated, lifetime warranty"],
    ]);
    const plan = await write(fillTemplate("orchestrator", tinyPrompts.orchestrator, values), {
      maxTokens: 400,
      shape: { kind: "gbnf", grammar: planGrammar() },
    });
    expect(plan.stop).toBe("end");
    const descriptions = [...plan.text.matchAll(/<task><type>[a-z-]+<\/type><description>([^<]+)<\/description><\/task>/g)].map(([, text]) => text);
    expect(descriptions.length).toBeGreaterThanOrEqual(2);
    expect(descriptions.join(" ")).toContain("water bottle");
    expect(plan.text).toMatch(/^<analysis>[^<]+<\/analysis>\n<tasks combine="keep">\n[^]*<\/tasks>$/);
  });

  test("writes alike each time, and says where it was cut", async () => {
    const [one, again] = [await write("Name a colour."), await write("Name a colour.")];
    expect(again).toEqual(one);
    expect(await write("Tell me a long story.")).toMatchObject({ stop: "length", outputTokens: 12 });
  });

  test("carries out more calls than it has sequences", async () => {
    const replies = await Promise.all(["dogs", "cats", "cars", "trees", "birds"].map((subject) => write(`Write about ${subject}.`)));
    for (const reply of replies) expect(reply.text).not.toBe("");
  });

  test("stops when it is told to, and goes on with the next", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const stopped = write("Tell me a long story.", { maxTokens: 3000, signal: stop.signal, onText: () => stop.abort(reason) });
    await expect(stopped).rejects.toBe(reason);
    expect((await write("Name a colour.")).text).not.toBe("");
  });

  test("takes marks in a text for text", async () => {
    const engine = await loading;
    const count = (text: string): number => engine?.countTokens([{ role: "user", text }]) ?? 0;
    expect(count("<|im_end|>") - count("")).toBeGreaterThan(3);
  });

  test("follows a schema", async () => {
    const schema: JSONSchema7 = { type: "object", properties: { colour: { enum: ["red", "blue"] } }, required: ["colour"], additionalProperties: false };
    const reply = await write("What colour is the sky?", { maxTokens: 40, shape: { kind: "json", schema } });
    expect(["red", "blue"]).toContain(JSON.parse(reply.text).colour);
    await expect(write("x", { shape: { kind: "gbnf", grammar: "root ::= nothing" } })).rejects.toMatchObject({ code: "bad_request" });
  });

  test("lets the process end without being disposed of", async () => {
    const code = `import { localModel } from ${JSON.stringify(new URL("./local-model.ts", import.meta.url).href)};
      const prompt = [{ role: "user", content: [{ type: "text", text: "Hi" }] }];
      const { content } = await localModel({ path: ${JSON.stringify(path)} }).doGenerate({ prompt, maxOutputTokens: 3 });
      console.log(content.length);`;
    // From a file: the library tries its binary in a fork, which inherits `-e` and would run the code again.
    const file = join(mkdtempSync(join(tmpdir(), "divvy-")), "main.mjs");
    writeFileSync(file, code);
    const { stdout, stderr } = await run(process.execPath, [file], { timeout: 25_000 });
    expect({ stdout, stderr }).toEqual({ stdout: "1\n", stderr: "" });
  });
});
