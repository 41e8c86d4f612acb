import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseArguments } from "../src/cli/flags/arguments.ts";
import { flags, flagsByName } from "../src/cli/flags/flags.ts";
import { anchors, type Doc, headComment, links, markdown, read, root, spans } from "./markdown.ts";

const cwd = fileURLToPath(root);
const folders = ["src", "test", "bench", "examples", "scripts", "docs"];
const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path);
const sources = globSync(
  folders.map((folder) => `${folder}/**/*.{ts,tsx,py}`),
  { cwd },
);
const pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

const docs: readonly Doc[] = [
  ...[...pages, ...globSync("docs/*.md", { cwd })].filter((path) => existsSync(new URL(path, root))).map(markdown),
  ...globSync("examples/*/{main,route}.ts", { cwd }).map(headComment),
];
const byPath = docs.map((doc) => [doc.path, doc] as const);

const manifest: unknown = JSON.parse(read("package.json"));
const scripts = new Map(Object.entries(Object(Object(manifest).scripts)).map(([name, command]) => [name, String(command)]));

/** Every name in code and configuration. */
const words = new Set(
  [...sources.filter((path) => !isTest(path)), "package.json", "tsconfig.json"].flatMap((path) => read(path).match(/[A-Za-z_$][\w$]*/g) ?? []),
);

/** Names of files, wherever they are. */
const fileNames = new Set([...sources, ...readdirSync(cwd), ...globSync("docs/*", { cwd })].map((path) => path.split("/").at(-1) ?? ""));

const fileEnd = /\.(?:ts|tsx|mjs|js|json|md|py|sh)$/;

/** What is wrong with a path that a text names; nothing where it is none, is not ours, or is there. */
function pathFault(text: string, doc: Doc): string | undefined {
  if (!/^[\w./-]+$/.test(text) || /^(?:dist|node_modules|\.cache)\//.test(text)) return undefined;
  const isOurs = folders.includes(text.split("/")[0] ?? "") || (text.includes("/") && fileEnd.test(text));
  if (isOurs) return existsSync(join(cwd, text)) || existsSync(join(cwd, dirname(doc.path), text)) ? undefined : `there is no ${text}`;
  // A file of the user's, such as those that the terminal writes, occurs in the code.
  if (!/^[\w.-]+$/.test(text) || !fileEnd.test(text) || fileNames.has(text)) return undefined;
  return sources.some((path) => path.startsWith("src/") && !isTest(path) && read(path).includes(text)) ? undefined : `there is no file ${text}`;
}

/** What is wrong with a name: `symbol`, `a.b`, `call()`, `key: value`, `{variable}`. */
function nameFault(text: string): string | undefined {
  const name = /^\{\{?(\w+)\}\}?$/.exec(text)?.[1] ?? /^([A-Za-z]\w*): /.exec(text)?.[1] ?? text.replace(/\(.*\)$/, "");
  if (!/^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/.test(name) || fileEnd.test(name)) return undefined;
  const unknown = name.split(".").find((part) => !words.has(part));
  return unknown === undefined ? undefined : `nothing is called ${unknown}`;
}

/** The simple commands of a line, as words; quotes taken off, redirections left out. */
function commands(line: string): string[][] {
  const all: string[][] = [[]];
  for (const [, double, single, operator, word] of line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([|;&]+|>>?|<)|((?:[^\s"'|;&<>]|"[^"]*")+)/g)) {
    if (word?.startsWith("#")) break;
    if (operator === ">" || operator === ">>" || operator === "<") all.push([">"]);
    else if (operator !== undefined) all.push([]);
    else all.at(-1)?.push(double ?? single ?? word?.replaceAll('"', "") ?? "");
  }
  return all.flatMap((one) => {
    const command = one.slice(one.findIndex((word) => !/^(?:\$|[A-Z_]+=.*)$/.test(word)));
    return command.length === 0 || command[0] === ">" ? [] : [command];
  });
}

function flagFault(word: string): string | undefined {
  const [, dashes = "", name = ""] = /^(--?)([A-Za-z][\w-]*)/.exec(word) ?? [];
  if (dashes === "") return undefined;
  const known = dashes === "--" ? flagsByName.has(name) : flags.some(({ short }) => short === name);
  return known ? undefined : `divvy has no flag ${dashes}${name}`;
}

/** What is wrong with a command as somebody would type it. */
function commandFault([program = "", ...args]: readonly string[]): string | undefined {
  if (program === "npx" && args[0] === "divvy") return commandFault(args);
  if (program === "node" && args[0] === "dist/cli.js") return commandFault(["divvy", ...args.slice(1)]);
  if (program === "divvy") {
    // A form to be filled in, as against what can be typed.
    if (args.some((word) => /[[\]<>…]|\.\.\./.test(word))) return args.map(flagFault).find((fault) => fault !== undefined);
    try {
      parseArguments(args);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  if (program === "node") {
    const file = args.find((word) => fileEnd.test(word) && !word.startsWith("dist/"));
    return file === undefined || existsSync(join(cwd, file)) ? undefined : `there is no ${file}`;
  }
  if (program !== "npm") return undefined;
  const script = args[0] === "run" ? args[1] : args[0] === "test" ? "test" : undefined;
  if (script === undefined) return undefined;
  const command = scripts.get(script);
  if (command === undefined) return `there is no script ${script}`;
  const file = /[\w/-]+\.ts\b/.exec(command)?.[0];
  const passed = args.includes("--") ? args.slice(args.indexOf("--") + 1) : [];
  const unknown = passed.find((word) => word.startsWith("--") && file !== undefined && !read(file).includes(word.slice(2).replace(/=.*/, "")));
  return unknown === undefined ? undefined : `${file} knows no ${unknown}`;
}

const isCommand = (text: string): boolean => /^(?:npx divvy|divvy|npm|node) /.test(text) || /^[A-Z_]+=\S+ (?:npx )?divvy /.test(text);

/** What a page says that is not so, each with its line. */
function faultsIn(doc: Doc): string[] {
  const faults: (readonly [number, string | undefined])[] = [];
  for (const { line, text } of spans(withoutTheirNames(doc))) {
    if (isCommand(text)) for (const command of commands(text)) faults.push([line, commandFault(command)]);
    else faults.push([line, pathFault(text, doc)], [line, nameFault(text)], [line, flagFault(text)]);
  }
  for (const { line, text, language } of doc.blocks) {
    if (!["bash", "sh", "console"].includes(language)) continue;
    const typed = text.replaceAll(/\\\n/g, " \n").split("\n");
    for (const [index, command] of typed.entries()) for (const words of commands(command.replace(/^\$ /, ""))) faults.push([line + index, commandFault(words)]);
  }
  for (const { line, target } of links(doc)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? doc.path : join(dirname(doc.path), path);
    if (!existsSync(join(cwd, file))) faults.push([line, `there is no ${file}`]);
    else if (anchor !== undefined && !anchors(markdown(file)).includes(anchor)) faults.push([line, `${file} has no heading #${anchor}`]);
  }
  return faults.flatMap(([line, fault]) => (fault === undefined ? [] : [`${doc.path}:${line}: ${fault}`]));
}

/** The first column of docs/pattern.md holds the pattern's names, not ours. */
function withoutTheirNames(doc: Doc): Doc {
  if (doc.path !== "docs/pattern.md") return doc;
  return { ...doc, prose: doc.prose.map((line) => line.replace(/^\|[^|]*\|/, "|")) };
}

describe("the documents", () => {
  test("are all there", () => {
    const names = docs.map(({ path }) => path);
    expect(names).toEqual(
      expect.arrayContaining(["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/pattern.md", "docs/options.md", "docs/errors.md", "docs/events.md"]),
    );
    expect(names.filter((name) => name.startsWith("examples/"))).toHaveLength(globSync("examples/*/", { cwd }).length);
  });

  test.each(byPath)("%s names no file, script, flag, command or symbol that is not there", (_, doc) => {
    expect(faultsIn(doc)).toEqual([]);
  });

  test.each(byPath)("%s closes every backtick on its line, and names the language of every block", (_, doc) => {
    const odd = doc.prose.flatMap((line, index) => ((line.match(/`/g)?.length ?? 0) % 2 === 0 ? [] : [`${doc.path}:${index + 1}: ${line}`]));
    expect(odd).toEqual([]);
    const known = ["ts", "bash", "sh", "console", "xml", "json", "text", "mermaid"];
    expect(doc.blocks.flatMap(({ line, language }) => (known.includes(language) ? [] : [`${doc.path}:${line}: ${language || "no language"}`]))).toEqual([]);
  });
});

/** Each block is a module of its own, on the line on which it stands, so that the compiler names the page's own lines. */
function compilerFaults(): { readonly blocks: number; readonly faults: string[] } {
  mkdirSync(join(cwd, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(cwd, ".cache/docs-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const written = new Map<string, string>();
  for (const { path, blocks } of docs) {
    for (const { line, language, text } of blocks) {
      if (language !== "ts") continue;
      const name = `${path.replaceAll(/[^\w]/g, "-")}-${line}.ts`;
      writeFileSync(join(folder, name), `${"\n".repeat(line - 1)}${text}\n`);
      written.set(name, path);
    }
  }
  const compilerOptions = { moduleDetection: "force", isolatedDeclarations: false, declaration: false, noUnusedLocals: false, noUnusedParameters: false };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] }));
  const compiler = join(cwd, "node_modules/typescript/bin/tsc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, "--pretty", "false", "--project", folder], { cwd: folder, encoding: "utf8" });
  const said = stdout.split("\n").filter((line) => line.trim() !== "");
  const faults = said.map((line) => line.replace(/^([\w.-]+\.ts)\((\d+),\d+\)/, (_, name: string, at: string) => `${written.get(name) ?? name}:${at}`));
  return {
    blocks: written.size,
    faults: status === 0 ? faults : [...faults, ...(faults.length === 0 ? [stderr || `The compiler ended with ${status}.`] : [])],
  };
}

test("every TypeScript block in the documents compiles as it stands", { timeout: 120_000 }, () => {
  const { blocks, faults } = compilerFaults();
  expect(faults).toEqual([]);
  expect(blocks).toBeGreaterThanOrEqual(3);
});

describe("the checks themselves", () => {
  const page = (prose: string, block = "", language = "bash"): Doc => ({
    path: "CONTRIBUTING.md",
    prose: [prose],
    blocks: block === "" ? [] : [{ line: 2, language, text: block }],
  });

  test.each([
    ["`src/plan/nowhere.ts`", "there is no src/plan/nowhere.ts"],
    ["`src/attic`", "there is no src/attic"],
    ["`elsewhere.md`", "there is no file elsewhere.md"],
    ["[x](docs/nowhere.md)", "there is no docs/nowhere.md"],
    ["[x](docs/options.md#nowhere)", "docs/options.md has no heading #nowhere"],
    ["`parsePlann`", "nothing is called parsePlann"],
    ["`limits.subtasksMax`", "nothing is called subtasksMax"],
    ["`--max-subtask`", "divvy has no flag --max-subtask"],
    ["`-x`", "divvy has no flag -x"],
    ['`divvy plan "t" --json --jsonl`', "--jsonl does not go with divvy plan; it goes with divvy run, divvy resume, divvy rerun and divvy show."],
    ["`npm run nothing`", "there is no script nothing"],
  ])("find %s", (prose, fault) => {
    expect(faultsIn(page(prose))).toEqual([`CONTRIBUTING.md:1: ${fault}`]);
  });

  test.each([
    ['npm ci && divvy "task" --concurency 3', "There is no flag --concurency. Did you mean --concurrency?"],
    ["cat x | npx divvy run --frobnicate # why", "There is no flag --frobnicate."],
    ["node examples/nowhere/main.ts", "there is no examples/nowhere/main.ts"],
    ["npm run bench -- --sizzes 3", "bench/main.ts knows no --sizzes"],
  ])("find what is wrong with %s", (block, fault) => {
    expect(faultsIn(page("", block))).toEqual([`CONTRIBUTING.md:2: ${fault}`]);
  });

  test("let pass what is there", () => {
    const prose =
      '`src/plan/planner.ts`, `src/plan/`, `parsePlan`, `run.events`, `{task}`, `--out-dir`, `-m`, `answer.md`, `npm run bench -- --sizes 3`, `divvy run "t" --plan plan.xml > answer.md`';
    expect(faultsIn(page(prose, 'git diff | divvy "What could break?" -f - -c a=b | less'))).toEqual([]);
  });
});
