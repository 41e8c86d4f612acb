#!/usr/bin/env node
// The check stands alone: a static import would load code that an older Node cannot even read.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > 22 || (major === 22 && minor >= 13)) {
  const { runProcess } = await import("./process-world.ts");
  await runProcess();
} else {
  process.stderr.write(`divvy needs Node 22.13 or later; this is ${process.versions.node}.\n`);
  process.exitCode = 2;
}
