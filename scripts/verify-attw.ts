/** Asks of the packed package whether its types are found as they are, by every way of resolving that an ESM-only package serves. */
import { readFile } from "node:fs/promises";
import { checkPackage, createPackageFromTarballData, type Problem } from "@arethetypeswrong/core";
import { problemAffectsResolutionKind } from "@arethetypeswrong/core/problems";
import { packTarball } from "./package-tarball.ts";

/** Not served: `require` of Node before 22.12 and resolution that knows no `exports`. */
const served = ["node16-esm", "bundler"] as const;

const analysis = await checkPackage(createPackageFromTarballData(await readFile(await packTarball(".cache/pack"))));
if (analysis.types === false) throw new Error("The package has no types");

const problems = analysis.problems.filter((problem) => served.some((kind) => problemAffectsResolutionKind(problem, kind, analysis)));
for (const [name, { hasTypes }] of Object.entries(analysis.entrypoints)) console.log(`${name}${hasTypes ? "" : " (no types)"}`);
for (const problem of problems) console.error(described(problem));
if (problems.length > 0) process.exitCode = 1;

function described(problem: Problem): string {
  return `${problem.kind} ${JSON.stringify(problem)}`;
}
