import type { ViteUserConfig } from "vitest/config";

/** CI reads the numbers from this file; a person reads the terminal. */
const report = process.env["DIVVY_TEST_REPORT"];

const config: ViteUserConfig = {
  // Examples import "divvy" as its users do; tests run them on the sources, by the paths in tsconfig.json.
  resolve: { tsconfigPaths: true },
  test: {
    setupFiles: ["test/setup.ts"],
    include: ["{src,test,bench,examples,scripts}/**/*.test.{ts,tsx}"],
    // A process for each file: sockets, signals and the local model's native code do not meet.
    pool: "forks",
    maxWorkers: 2,
    // Long enough for the local model on a busy machine; what hangs still ends.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
  },
};

export default config;
