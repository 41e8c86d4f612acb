import { spawnSync } from "node:child_process";
import { median } from "./measure.ts";

/** What a fresh process pays, in milliseconds. */
export interface ColdStart {
  /** CPU of importing the library, as against a process that imports nothing. */
  readonly importCpuMs: number;
  /** From the process's beginning to the first request's arrival at the provider; and the same by bare `doStream`. */
  readonly firstRequestMs: number;
  readonly bareFirstRequestMs: number;
}

const built = new URL("../dist/index.js", import.meta.url).href;

const tries = 9;

/** Medians over several fresh processes. The server answers nothing: only the request's arrival counts. */
export function coldStart(): ColdStart {
  const importing = repeat(() =>
    run(
      `const before = process.cpuUsage(); await import(${JSON.stringify(built)}); const used = process.cpuUsage(before); console.log((used.user + used.system) / 1000);`,
    ),
  );
  const divvy = `const { FlexibleOrchestrator } = await import(${JSON.stringify(built)});
    const run = new FlexibleOrchestrator({ model: "openai-compatible:x" }, { models: { env: { OPENAI_COMPATIBLE_BASE_URL: url } } }).start("Say hello.");`;
  const bare = `const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    createOpenAICompatible({ name: "x", baseURL: url })("x").doStream({ prompt: [{ role: "user", content: [{ type: "text", text: "Say hello." }] }] }).catch(() => undefined);`;
  return {
    importCpuMs: importing,
    firstRequestMs: repeat(() => run(firstRequest(divvy))),
    bareFirstRequestMs: repeat(() => run(firstRequest(bare))),
  };
}

/** The server is in the same process, so that one clock tells both times; its own start is taken off. */
function firstRequest(code: string): string {
  return `const { createServer } = await import("node:http");
    const server = createServer(() => { console.log(performance.now() - listening + started); process.exit(); });
    let listening = 0;
    const started = performance.now();
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    listening = performance.now();
    const url = "http://127.0.0.1:" + server.address().port;
    ${code}`;
}

function run(code: string): number {
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8", cwd: new URL("..", import.meta.url) });
  const figure = Number.parseFloat(stdout);
  if (Number.isNaN(figure)) throw new Error(`No figure: ${stderr}`);
  return figure;
}

function repeat(once: () => number): number {
  return median(Array.from({ length: tries }, once));
}
