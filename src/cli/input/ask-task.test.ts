import { PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { providerServer, type ProviderServer } from "../../testing/index.ts";
import { cli, Screen, startCli, type TestCli } from "../test-world.ts";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

let server: ProviderServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** What somebody types, and whether the terminal hands over each key as it is pressed. */
class Keyboard extends PassThrough {
  readonly isTTY = true;
  isRaw = false;

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }
}

interface Asked extends TestCli {
  readonly keyboard: Keyboard;
}

const silence = { text: "x", fault: { kind: "silence", afterChunks: 0 } } as const;

/** Bare `divvy` on a terminal, waited for until it asks. */
async function asked(...argv: string[]): Promise<Asked> {
  server = await providerServer([
    { when: "slowly", reply: silence },
    { when: "", reply: "<answer>The answer.</answer>" },
  ]);
  const keyboard = new Keyboard();
  const stderr = new Screen({ isTTY: true });
  const env = { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl, NO_COLOR: "1", TERM: "dumb" };
  const started = startCli(argv, { env, stdin: keyboard, stderr });
  await until(() => stderr.text.includes("What shall be done?") && keyboard.isRaw);
  return { ...started, keyboard };
}

/** The terminal as it was: keys go to the shell again, and its cursor shows. */
function expectLeftAsFound({ keyboard, stderr }: Asked): void {
  expect(keyboard.isRaw).toBe(false);
  expect(stderr.text.lastIndexOf("\u001B[?25h")).toBeGreaterThan(stderr.text.lastIndexOf("\u001B[?25l"));
  expect(keyboard.listenerCount("keypress")).toBe(0);
}

test("what is typed is the task; the question stands on stderr, the answer alone on stdout", async () => {
  const run = await asked();
  run.keyboard.write("  Write about a bottle\r");
  expect(await run.code).toBe(0);
  expect(server?.requests[0]?.prompt).toMatch(/^Write about a bottle$/m);
  expect(run.stdout.text).toBe("The answer.\n");
  expectLeftAsFound(run);
});

test("the other flags hold for it", async () => {
  const run = await asked("-q", "-c", "audience=hikers");
  run.keyboard.write("Write about a bottle\r");
  expect(await run.code).toBe(0);
  expect(server?.requests[0]?.prompt).toContain("audience: hikers");
});

test("an empty line is asked again, and says what is wanted", async () => {
  const run = await asked();
  run.keyboard.write("  \r");
  await until(() => run.stderr.text.includes("Say in a sentence what you want."));
  expect(server?.requests).toEqual([]);
  run.keyboard.write("Write about a bottle\r");
  expect(await run.code).toBe(0);
  expect(server?.requests[0]?.prompt).toContain("Write about a bottle");
});

test.each([
  ["Ctrl-C", "\u0003"],
  ["Ctrl-C after some words", "Write about\u0003"],
  ["Ctrl-D", "\u0004"],
  ["Escape", "\u001B"],
])("%s ends it: the code 130, nothing asked, the terminal as it was", async (_, keys) => {
  const run = await asked();
  run.keyboard.write(keys);
  expect(await run.code).toBe(130);
  expect(run.stdout.text).toBe("");
  expect(server?.requests).toEqual([]);
  expectLeftAsFound(run);
});

test("a signal ends it too, and so does a terminal that goes away", async () => {
  const stopped = await asked();
  stopped.signals.emit("SIGTERM");
  expect(await stopped.code).toBe(130);
  expectLeftAsFound(stopped);
  await server?.close();

  const gone = await asked();
  gone.keyboard.end();
  expect(await gone.code).toBe(130);
});

test("Ctrl-D after some words is no end", async () => {
  const run = await asked();
  run.keyboard.write("Write about a bottle\u0004");
  await pause(50);
  run.keyboard.write("\r");
  expect(await run.code).toBe(0);
  expect(server?.requests[0]?.prompt).toContain("Write about a bottle");
});

test("after the answer the prompt is done with the terminal, also when the run is stopped", async () => {
  const run = await asked();
  run.keyboard.write("Write slowly\r");
  await until(() => server?.inFlight === 1);
  const before = run.stderr.text.length;
  run.signals.emit("SIGINT");
  expect(await run.code).toBe(130);
  const said = run.stderr.text.slice(before);
  expect(said).toMatch(/^Stopping; Ctrl-C again leaves at once\.\n/);
  expect(said).toMatch(/\nStopped before there was a plan\.\n {2}Go on with it: .*\n$/);
  expect(said).not.toContain("\n\n");
});

test("what else is wrong shows before anybody types", async () => {
  const stderr = new Screen({ isTTY: true });
  expect(await startCli(["-f", "nope.txt"], { stdin: new Keyboard(), stderr }).code).toBe(2);
  expect(stderr.text).toContain("nope.txt is not there.");
  expect(stderr.text).not.toContain("What shall be done?");
});

test("nobody is asked where the question would not be seen: that is a mistake in what was typed", async () => {
  expect(await cli([], { stdin: new Keyboard() })).toEqual({
    code: 2,
    stdout: "",
    stderr: 'divvy: There is no task.\n  Type: divvy "what you want done"\n',
  });
});

test("a terminal is not asked where stdin is to be something else", async () => {
  const stderr = new Screen({ isTTY: true });
  expect(await startCli(["-f", "-"], { stdin: new Keyboard(), stderr }).code).toBe(2);
  expect(stderr.text).toContain("There is no task.");
});

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error("It did not happen in time.");
    await pause(10);
  }
}
