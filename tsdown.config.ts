import type { UserConfig } from "tsdown";
import manifest from "./package.json" with { type: "json" };
import { thirdPartyLicenses } from "./scripts/third-party-licenses.ts";

/**
 * One build for library and terminal, so that both hold the same classes and `instanceof` works across them. What only the
 * terminal needs is bundled out of devDependencies; what the library needs stays a dependency of the package. The output is
 * as readable as the source, so there are no source maps.
 */
const config: UserConfig = {
  entry: { index: "src/index.ts", "ai-sdk": "src/ai-sdk/index.ts", sqlite: "src/sqlite.ts", testing: "src/testing/index.ts", cli: "src/cli/main.ts" },
  platform: "node",
  fixedExtension: false,
  // Only what people import has types.
  dts: { entry: ["src/index.ts", "src/ai-sdk/index.ts", "src/sqlite.ts", "src/testing/index.ts"], oxc: true },
  // React brings a second copy of itself for development.
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
  deps: {
    // Optional peers of the library, but part of the terminal.
    alwaysBundle: ["ai", "ollama-ai-provider-v2"],
    // The developer tools of Ink, which load only where they are installed.
    neverBundle: ["react-devtools-core"],
    onlyBundle: false,
    // Who imports `divvy/ai-sdk` has the types of `ai`; in code it stands nowhere but in the bundle.
    dts: { alwaysBundle: [], neverBundle: ["ai"] },
    // What is neither bundled nor installed with the package must not be needed.
    onlyImport: [...Object.keys(manifest.dependencies), "ai", "node-llama-cpp", "react-devtools-core"],
  },
  outputOptions: { chunkFileNames: "chunks/[name]-[hash].js" },
  // Silent about sizes and times, so that the demo begins with the demo.
  report: false,
  checks: { bundlerTimings: false },
  plugins: [thirdPartyLicenses("THIRD-PARTY-LICENSES.txt")],
};

export default config;
