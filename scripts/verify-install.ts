/**
 * The packed package in an empty project, as a stranger installs it: on the oldest Node it allows and on this one it is
 * installed, type-checked, imported, run end to end on a scripted model, and started as `npx divvy`.
 */
import { cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { isRecord } from "../src/json.ts";
import { packTarball } from "./package-tarball.ts";
import { cleanEnv, releasedNode } from "./released-node.ts";
import { said, shell } from "./shell.ts";

const MOST_PACKAGES = 20;
const MOST_MEGABYTES = 30;
const OLDEST_NODE = "22.13.0";

const root = resolve(import.meta.dirname, "..");

const program = `
import { FlexibleOrchestrator, type Outcome, type RunEvent } from "divvy";
import { sqliteLedger } from "divvy/sqlite";
import { ledgerConformance, scriptedModel } from "divvy/testing";

const tasks = "<tasks combine='keep'><task><type>facts</type><description>List the facts.</description></task><task><type>story</type><description>Tell it.</description></task></tasks>";
const model = scriptedModel([{ when: "You are the orchestrator", reply: tasks }, { when: "You carry out one subtask", reply: "done" }]);
const orchestrator = new FlexibleOrchestrator({ model, ledger: sqliteLedger("runs.sqlite") });
const run = orchestrator.start("Describe the bottle", { features: ["insulated"] });
const events: RunEvent["type"][] = [];
for await (const event of run.events) events.push(event.type);
const outcome: Outcome = await run.outcome;
if (outcome.status !== "ok" || outcome.results.length !== 2 || events.at(-1) !== "run.finished") throw new Error(JSON.stringify({ outcome, events }));
const again = await (await orchestrator.resume(run.runId)).outcome;
if (JSON.stringify(again) !== JSON.stringify(outcome)) throw new Error(JSON.stringify({ outcome, again }));
let files = 0;
for (const { name, run: check } of ledgerConformance(() => sqliteLedger("conformance-" + files++ + Math.random() + ".sqlite"))) {
  await check().catch((cause: unknown) => {
    throw new Error(name, { cause });
  });
}
// What is made of an outcome can be handed on by a module with declarations.
export const whole = outcome;
export const done = outcome.results.filter((result) => result.status === "done");
export const missing = outcome.results.filter((result) => result.status !== "done");
`;

interface Check {
  readonly compiler: "typescript" | "typescript-5";
  readonly options: Readonly<Record<string, unknown>>;
}

const node = { types: ["node"], typeRoots: [join(root, "node_modules/@types")], skipLibCheck: false };
const checks: readonly Check[] = [
  { compiler: "typescript", options: { module: "nodenext", outDir: "out", declaration: true, ...node } },
  { compiler: "typescript", options: { module: "preserve", moduleResolution: "bundler", noEmit: true, ...node } },
  { compiler: "typescript-5", options: { module: "nodenext", noEmit: true, ...node } },
  // As in a project that has nothing but the package: its types need no others, those of Node included.
  { compiler: "typescript", options: { module: "nodenext", noEmit: true, types: [], skipLibCheck: false } },
];

/** The schema types that the provider's declarations want are not among its dependencies; nobody but its makers can mend that. */
const foreign = /^node_modules\/@ai-sdk\//;

async function checkTypes(project: string): Promise<void> {
  for (const { compiler, options } of checks) {
    const compilerOptions = { target: "es2022", lib: ["es2023", "dom", "esnext.disposable"], strict: true, exactOptionalPropertyTypes: true, ...options };
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
    const { output } = await said(process.execPath, [join(root, "node_modules", compiler, "bin/tsc"), "--pretty", "false"], { cwd: project });
    const errors = output.split("\n").filter((line) => line.includes("error TS") && !foreign.test(line));
    if (errors.length > 0) throw new Error(`${compiler} with ${JSON.stringify(options)}:\n${errors.join("\n")}`);
  }
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await lstat(join(entry.parentPath, entry.name))).blocks * 512;
  }
  return bytes;
}

async function countPackages(project: string): Promise<number> {
  const lock: unknown = JSON.parse(await readFile(join(project, "node_modules/.package-lock.json"), "utf8"));
  const packages = isRecord(lock) ? lock["packages"] : undefined;
  return isRecord(packages) ? Object.keys(packages).length : 0;
}

async function measure(project: string): Promise<string> {
  const packages = await countPackages(project);
  const megabytes = (await sizeOf(join(project, "node_modules"))) / 1e6;
  const measured = `${packages} packages, ${megabytes.toFixed(1)} MB`;
  if (packages > MOST_PACKAGES || megabytes > MOST_MEGABYTES) throw new Error(`${measured}: more than ${MOST_PACKAGES} packages or ${MOST_MEGABYTES} MB`);
  return measured;
}

async function use(project: string, env: NodeJS.ProcessEnv): Promise<string> {
  const version = await shell("node", ["out/program.js"], { cwd: project, env }).then(() => shell("node", ["--version"], { env }));
  for (const entry of ["divvy", "divvy/ai-sdk", "divvy/sqlite", "divvy/testing", "divvy/package.json"]) {
    const how = entry.endsWith(".json") ? `, { with: { type: "json" } }` : "";
    await shell("node", ["--input-type=module", "--eval", `await import(${JSON.stringify(entry)}${how})`], { cwd: project, env });
  }
  const answer = await shell("npx", ["--no", "--", "divvy", "--version"], { cwd: project, env });
  if (answer.trim() !== manifest.version) throw new Error(`divvy --version says ${answer}`);
  if (!(await shell("npx", ["--no", "--", "divvy", "--help"], { cwd: project, env })).includes("divvy")) throw new Error("divvy --help says nothing");
  return version.trim();
}

const folder = await mkdtemp(join(tmpdir(), "divvy-install-"));
try {
  const tarball = await packTarball(folder);
  const nodes = [await releasedNode(OLDEST_NODE), dirname(process.execPath)];
  const versions: string[] = [];
  let measured = "";
  for (const [i, nodeFolder] of nodes.entries()) {
    const project = join(folder, `project-${i}`);
    const env = cleanEnv(nodeFolder);
    await mkdir(project);
    await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    await writeFile(join(project, "program.ts"), program);
    await shell("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], { cwd: project, env });
    measured = await measure(project);
    if (i === 0) await checkTypes(project);
    else await cp(join(folder, "project-0/out"), join(project, "out"), { recursive: true });
    versions.push(await use(project, env));
  }
  console.log(`${measured}; works on Node ${versions.join(" and ")}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
