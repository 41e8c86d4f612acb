import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { chunksOf, chunkSizes, readChunks } from "../../../test/plan-reading.ts";
import { jsonPlanReader } from "./json-reader.ts";
import { xmlPlanReader } from "./xml-reader.ts";

const folder = new URL("../../../test/fixtures/plans/", import.meta.url);
const names = readdirSync(folder).flatMap((file) => (file.endsWith(".txt") ? [file.slice(0, -".txt".length)] : []));
const contents = (file: string): string => readFileSync(new URL(file, folder), "utf8");

test("each raw reply has its expected reading beside it, and its place in the list of where they come from", () => {
  expect(names.length).toBeGreaterThanOrEqual(20);
  expect(readdirSync(folder).toSorted()).toEqual(["README.md", ...names.flatMap((name) => [`${name}.json`, `${name}.txt`])].toSorted());
  const listed = [...contents("README.md").matchAll(/^- `(.+)`$/gm)].map(([, name]) => name);
  expect(new Set(listed)).toEqual(new Set(names));
});

/** Replies of orchestrators, quirks and all, and beside each what has to be read from it. */
describe.each(names)("the raw reply %s", (name) => {
  const text = contents(`${name}.txt`);
  const { quirk, recorded, ...expected }: Record<string, unknown> = JSON.parse(contents(`${name}.json`));

  test("says what is peculiar about it, and where it was recorded if it was", () => {
    expect(quirk).toMatch(/\w/);
    const origin = { model: expect.any(String), date: expect.any(String), task: expect.any(String) };
    expect(recorded).toEqual(name.includes("recorded-") ? expect.objectContaining(origin) : undefined);
  });

  test.each(chunkSizes)(`reads as expected in chunks of %s. ${String(quirk)}`, (size) => {
    const reader = name.startsWith("json-") ? jsonPlanReader() : xmlPlanReader();
    const { combine, ...reading } = readChunks(reader, chunksOf(text, size));
    expect({ ...reading, combine: combine.at(-1)?.[0] ?? "keep" }).toEqual(expected);
  });
});
