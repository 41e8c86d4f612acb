import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readContextFiles } from "./context-files.ts";
import { readContextValues } from "./context-values.ts";
import { mostBytes, readText } from "./text-file.ts";

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "divvy-context-"));
});

afterEach(() => rm(cwd, { recursive: true, force: true }));

async function file(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(join(cwd, name, ".."), { recursive: true });
  await writeFile(join(cwd, name), content);
}

test("values are text; objects and lists are data; @ is a file", async () => {
  await file("brief.md", "# Brief\n");
  const values = await readContextValues(cwd, [
    "a=hikers",
    "n=12",
    "yes=true",
    "eq=x=y",
    'list=["a", 2]',
    'map={"k": 1}',
    "broken={a",
    "empty=",
    "file=@brief.md",
    "at=@@home",
  ]);
  expect(Object.fromEntries(values)).toEqual({
    a: "hikers",
    n: "12",
    yes: "true",
    eq: "x=y",
    list: ["a", 2],
    map: { k: 1 },
    broken: "{a",
    empty: "",
    file: "# Brief\n",
    at: "@home",
  });
});

test.each([
  [["audience"], '-c takes key=value, and got "audience".'],
  [["=x"], '-c takes key=value, and got "=x".'],
  [["a=1", "a=2"], '-c gives "a" twice.'],
  [["a=@nope"], "nope is not there."],
])("-c %j", async (typed, message) => {
  await expect(readContextValues(cwd, typed)).rejects.toMatchObject({ code: "invalid_option", message });
});

test("files keep their names; globs leave out node_modules; nothing comes twice", async () => {
  await file("src/a.ts", "a");
  await file("src/deep/b.ts", "b");
  await file("node_modules/x/c.ts", "c");
  await file("[slug].ts", "page");
  const texts = await readContextFiles(cwd, ["./src/a.ts", "src/**/*.ts", "[slug].ts", "**/*.ts"]);
  expect([...texts]).toEqual([
    ["src/a.ts", "a"],
    ["src/deep/b.ts", "b"],
    ["[slug].ts", "page"],
  ]);
});

test("text in UTF-8 loses its byte order mark", async () => {
  await file("bom.txt", "\uFEFFhällo");
  expect((await readContextFiles(cwd, ["bom.txt"])).get("bom.txt")).toBe("hällo");
});

test("says what is wrong with a file, and what could have been meant", async () => {
  await file("notes.md", "x");
  await file("zero.bin", new Uint8Array([65, 0, 66]));
  await file("latin.txt", new Uint8Array([0xe4, 0xf6]));
  await file("huge.txt", "x".repeat(mostBytes + 1));
  await expect(readContextFiles(cwd, ["ntoes.md"])).rejects.toThrow("ntoes.md is not there. Did you mean notes.md?");
  await expect(readContextFiles(cwd, ["*.rs"])).rejects.toThrow("-f *.rs finds no file.");
  await expect(readContextFiles(cwd, ["."])).rejects.toThrow(/is a folder\./);
  await expect(readContextFiles(cwd, ["zero.bin"])).rejects.toThrow("zero.bin is not a text in UTF-8.");
  await expect(readContextFiles(cwd, ["latin.txt"])).rejects.toThrow("latin.txt is not a text in UTF-8.");
  await expect(readContextFiles(cwd, ["huge.txt"])).rejects.toThrow("huge.txt is larger than 1 MB");
});

test("a stream is read no further than the limit", async () => {
  let given = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      given++;
      yield new Uint8Array(65_536).fill(65);
    }
  }
  await expect(readText(endless(), "stdin")).rejects.toThrow("stdin is larger than 1 MB");
  expect(given).toBe(17);
});
