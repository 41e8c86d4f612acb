import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noUsage } from "../../usage.ts";
import { builtInModel } from "./built-in.ts";
import { fakeEngine, says } from "./fake-engine.ts";
import { content, fakeWeights, hubDouble } from "./hub-double.ts";

const load = () => Promise.resolve(fakeEngine(says("ok")));

test("downloads its weights and knows what it can do", async () => {
  await using hub = await hubDouble();
  const env = { DIVVY_MODEL_CACHE: mkdtempSync(join(tmpdir(), "divvy-")), HF_ENDPOINT: hub.url };
  await using model = await builtInModel({ env, weights: { ...fakeWeights, name: "smollm2-135m" }, load });
  expect(model).toMatchObject({
    id: "local:smollm2-135m",
    lane: "local",
    baseUrl: "",
    maxConcurrency: 4,
    model: { provider: "local", modelId: "smollm2-135m", specificationVersion: "v4" },
    policy: { direct: "never", combine: "keep", maxSubtasks: 3, maxOutputTokens: 160, allowLength: true },
  });
  expect(model.policy?.planProviderOptions?.["local"]?.["grammar"]).toContain("<task><type>");
  expect((await model.price())(noUsage)).toBe(0);
});

test("is a file of the user's own where one is named", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "divvy-")), "Mine.gguf");
  await expect(builtInModel({ env: {}, path, load })).rejects.toMatchObject({ code: "local_model" });
  writeFileSync(path, content);
  const model = await builtInModel({ env: {}, path, load });
  expect(model).toMatchObject({ id: `local:${path}`, model: { modelId: "Mine" }, policy: { maxOutputTokens: 1024 } });
});
