// Arrows run one way: doors -> orchestrator -> plan, work, synthesis -> the `Calls` type. The composition root puts the rest together.

/** Tests, and what stands beside them for their sake. */
const tests = "([.]test|-double|-fixture|/fake-[^/]+)[.]tsx?$";
const phases = "^src/(plan|work|synthesis)/";
const heart = "^src/(orchestrator|plan|work|synthesis|prompt|evaluation|output)/";
const machinery = "^src/(calls|governor|ledger|models)/";
const doors = "^src/(cli|server|mcp|ai-sdk)/";
/** What may be named anywhere: the request as data, never who carries it out. */
const callTypes = "^src/calls/(call|run-scope|run-budget)[.]ts$";

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-cycle",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "machinery-knows-no-story",
      comment: "One call is made trustworthy without knowing what it is for.",
      severity: "error",
      from: { path: ["^src/(calls|governor|ledger|models|prompt)/"], pathNot: tests },
      to: { path: ["^src/(orchestrator|plan|work|synthesis)/", "^src/(assembly/|(flexible-orchestrator|index)[.]ts$)"] },
    },
    {
      name: "story-knows-no-machinery",
      comment: "The heart sees a call as data; who sends it is decided by the composition root.",
      severity: "error",
      from: { path: heart, pathNot: tests },
      to: { path: machinery, pathNot: callTypes },
    },
    {
      name: "phases-apart",
      comment: "Plan, work and synthesis meet in the orchestrator. A choice is read with the plan's own reader of tags.",
      severity: "error",
      from: { path: phases, pathNot: tests },
      to: { path: phases, pathNot: ["^src/$1/", "^src/plan/reading/extract-xml[.]ts$"] },
    },
    {
      name: "phases-know-no-orchestrator",
      severity: "error",
      from: { path: [phases, "^src/(prompt|evaluation|output)/"], pathNot: tests },
      to: { path: ["^src/orchestrator/", "^src/(assembly/|(flexible-orchestrator|index)[.]ts$)"] },
    },
    {
      name: "vocabulary-joins-nothing",
      comment: "Only the composition root joins the rooms of the house; options are checked by those who know what a model is.",
      severity: "error",
      from: {
        path: "^src/[^/]+[.]ts$",
        pathNot: [tests, "^src/(flexible-orchestrator|index|sqlite|options-check)[.]ts$"],
      },
      to: { path: "^src/[^/]+/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "options-check-asks-about-models-only",
      severity: "error",
      from: { path: "^src/options-check[.]ts$" },
      to: { path: "^src/[^/]+/", pathNot: "^src/models/(language-model|model-name)[.]ts$", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "doors-open-inwards",
      severity: "error",
      from: { path: "^src/", pathNot: [doors, tests] },
      to: { path: doors },
    },
    {
      name: "doubles-are-for-tests",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/testing/", tests] },
      to: { path: "^src/testing/" },
    },
    {
      name: "nobody-needs-a-test",
      severity: "error",
      from: { pathNot: [tests, "^test/"] },
      to: { path: tests },
    },
    {
      name: "no-vendor-in-the-heart",
      comment:
        "Vendors stay where calls are sent, models are found, and in the doors. Types of a call's parts are the provider's, those of a schema the standard's.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/(calls|models|cli|server|mcp|ai-sdk|telemetry|testing)/", tests] },
      to: { path: "node_modules/", pathNot: "node_modules/(@ai-sdk/provider|@standard-schema/spec)/" },
    },
    {
      name: "provider-types-only-in-the-heart",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/(calls|models|cli|server|mcp|ai-sdk|telemetry|testing)/", tests] },
      to: { path: "node_modules/(@ai-sdk/provider|@standard-schema/spec)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "ai-sdk-in-its-terms-alone",
      comment: "The AI SDK's parts and messages are plain data: whoever has them made needs nothing of it loaded.",
      severity: "error",
      from: { path: "^src/ai-sdk/", pathNot: tests },
      to: { path: "node_modules/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-io-in-the-heart",
      comment: "Hashing is no I/O.",
      severity: "error",
      from: { path: ["^src/[^/]+[.]ts$", heart, "^src/(calls|governor)/"], pathNot: tests },
      to: { dependencyTypes: ["core"], pathNot: "^crypto$" },
    },
    {
      name: "nothing-unresolved",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "nothing-undeclared",
      comment: "A package that only another package brings along can go away with it.",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|coverage|[.]cache)/" },
    // Types are arrows too.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
  },
};
