import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { providerServer, type ProviderServer } from "../../testing/index.ts";
import { cli, Screen, startCli, type TestCli } from "../test-world.ts";
import { choices, type Choice } from "./plan-prompts.ts";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

let server: ProviderServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

class Keyboard extends PassThrough {
  readonly isTTY = true;
  isRaw = false;

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }
}

const task = (id: string, words = `Do ${id}.`): string => `<task id="${id}"><type>${id}</type><description>${words}</description></task>`;

async function home(): Promise<{ readonly folder: string; readonly env: Record<string, string> }> {
  const folder = await mkdtemp(join(tmpdir(), "divvy-approval-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  server = await providerServer([
    {
      when: "You are the orchestrator",
      reply: ({ prompt }) =>
        `<analysis>Parts.</analysis><tasks combine="keep">${prompt.includes("sent back") ? task("x") + task("y") : ["a", "b", "c"].map((id) => task(id)).join("")}</tasks>`,
    },
    { when: "You carry out one subtask", reply: ({ prompt }) => `Done: ${/^(Do .*|Bake .*)$/m.exec(prompt)?.[1]}` },
  ]);
  return { folder, env: { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl, NO_COLOR: "1", TERM: "dumb", DIVVY_DATA_DIR: folder } };
}

interface Sitting extends TestCli {
  readonly type: (...keys: readonly string[]) => Promise<void>;
  /** Waits for the question on what shall become of the plan, and answers it. */
  readonly choose: (choice: Choice) => Promise<void>;
  readonly leave: () => Promise<void>;
}

const down = "\u001B[B";

function sitting(argv: readonly string[], env: Record<string, string>): Sitting {
  const keyboard = new Keyboard();
  const stderr = new Screen({ isTTY: true });
  const started = startCli(argv, { env, stdin: keyboard, stderr });
  const asking = "◆  What shall become of this plan?";
  const answered = "◇  What shall become of this plan?";
  const type = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) {
      await pause(60);
      keyboard.write(key);
    }
  };
  const question = async (): Promise<void> => {
    while (stderr.text.lastIndexOf(asking) <= stderr.text.lastIndexOf(answered) || !keyboard.isRaw) await pause(10);
  };
  return {
    ...started,
    type,
    choose: async (choice) => {
      await question();
      const before = stderr.text.lastIndexOf(answered);
      await type(...choices.slice(0, choices.indexOf(choice)).map(() => down), "\r");
      while (stderr.text.lastIndexOf(answered) === before) await pause(10);
    },
    leave: async () => {
      await question();
      await type("\u0003");
    },
  };
}

const workers = (): string[] =>
  (server?.requests ?? [])
    .flatMap(({ prompt, system }) => (system.includes("You carry out one subtask") ? [/^(Do .*|Bake .*)$/m.exec(prompt)?.[1] ?? ""] : []))
    .toSorted();

/** An editor that does this to the file that it is given. */
async function editor(folder: string, script: string): Promise<{ readonly EDITOR: string }> {
  const path = join(folder, "edit.sh");
  await writeFile(path, `#!/bin/sh\nfile="$2"\n${script}\n`);
  await chmod(path, 0o755);
  return { EDITOR: `${path} --wait` };
}

test("the plan and what it may cost are shown before anything starts; taken, it is carried out", async () => {
  const { env } = await home();
  const run = sitting(["run", "t", "--approve"], env);
  await run.choose("accept");
  expect(await run.code).toBe(0);
  expect(run.stderr.text).toMatch(/Plan: 3 subtasks · keep · about .*, at most /);
  expect(run.stderr.text).toMatch(/ {2}a · a\n {4}Do a\.\n\n {2}b · b\n/);
  expect(run.stdout.text).toContain("Done: Do c.");
  expect(workers()).toEqual(["Do a.", "Do b.", "Do c."]);
});

test("subtasks are added, removed, given another type, and made to wait, before it is taken", async () => {
  const { env } = await home();
  const run = sitting(["run", "t", "--approve", "--json"], env);
  await run.choose("remove");
  await run.type(down, "\r");
  await run.choose("add");
  await run.type("Bake it.", "\r", "\r", " ", "\r");
  await run.choose("type");
  await run.type("\r", "\u0015", "shop", "\r");
  await run.choose("after");
  await run.type(down, "\r", " ", "\r");
  await run.choose("accept");
  expect(await run.code).toBe(0);
  const outcome: unknown = JSON.parse(run.stdout.text);
  expect(outcome).toMatchObject({
    plan: {
      subtasks: [
        { id: "a", type: "shop", dependsOn: [] },
        { id: "c", dependsOn: ["a"] },
        { id: "default", description: "Bake it.", dependsOn: ["a"] },
      ],
    },
  });
  expect(workers()).toEqual(["Bake it.", "Do a.", "Do c."]);
});

test("a change that makes a circle is refused with what is wrong, and the plan stays as it was", async () => {
  const { env } = await home();
  const run = sitting(["run", "t", "--approve"], env);
  await run.choose("after");
  await run.type("\r", " ", "\r");
  await run.choose("after");
  await run.type(down, "\r", " ", "\r");
  await run.choose("accept");
  expect(await run.code).toBe(0);
  expect(run.stderr.text).toMatch(/These subtasks wait for each other in a\s+circle: "a", "b"\./);
  expect(workers()).toEqual(["Do a.", "Do b.", "Do c."]);
});

test("an editor gets the plan, gets it back with what is wrong at its head until it can be carried out, and leaves no file", async () => {
  const { folder, env } = await home();
  const script = `cp "$file" "${folder}/seen-$(ls "${folder}" | grep -c seen).xml"
if grep -q "It has no subtasks\\|breaks off\\|no complete subtask" "$file"; then echo '<tasks combine="keep">${task("z", "Bake bread.")}</tasks>' >> "$file"
else sed -i.bak 's/<task .*//; s/<\\/task>//; /description/d; /<type/d' "$file"; fi`;
  const run = sitting(["run", "t", "--approve"], { ...env, ...(await editor(folder, script)) });
  await run.choose("edit");
  await run.choose("accept");
  expect(await run.code).toBe(0);
  expect(workers()).toEqual(["Bake bread."]);
  const first = await readFile(join(folder, "seen-0.xml"), "utf8");
  expect(first).toMatch(/^<!--\nEdit the plan/);
  expect(first).toContain('<task id="a">');
  expect(await readFile(join(folder, "seen-1.xml"), "utf8")).toMatch(/^<!--\nThe plan cannot be carried out\./);
  expect((await readdir(tmpdir())).filter((name) => name.startsWith("divvy-plan-"))).toEqual([]);
});

test("an editor that leaves what is wrong as it is has given up: the plan stays as it was, and that is said", async () => {
  const { folder, env } = await home();
  const script = `grep -q "cannot be carried out" "$file" || sed -i.bak 's/<task .*//; s/<\\/task>//; /description/d; /<type/d' "$file"`;
  const run = sitting(["run", "t", "--approve"], { ...env, ...(await editor(folder, script)) });
  await run.choose("edit");
  await run.choose("accept");
  expect(await run.code).toBe(0);
  expect(run.stderr.text).toMatch(/The plan cannot be carried out\.[^◆]*The plan stays as it was\./);
  expect(workers()).toEqual(["Do a.", "Do b.", "Do c."]);
});

test("a Ctrl-C in the editor is the editor's: the run waits for what comes of it", async () => {
  const { folder, env } = await home();
  const script = `echo $PPID > "${folder}/opening"\nmv "${folder}/opening" "${folder}/opened"\nwhile [ ! -e "${folder}/pressed" ]; do sleep 0.05; done\nsed -i 's/Do a\\./Bake a./' "$file"`;
  const run = sitting(["run", "t", "--approve"], { ...env, ...(await editor(folder, script)) });
  await run.choose("edit");
  while (!(await readdir(folder)).includes("opened")) await pause(10);
  run.signals.emit("SIGINT");
  // The terminal sends it to the shell around the editor as well.
  process.kill(Number(await readFile(join(folder, "opened"), "utf8")), "SIGINT");
  await writeFile(join(folder, "pressed"), "");
  await run.choose("accept");
  expect(await run.code).toBe(0);
  expect(run.stderr.text).not.toContain("Stopping");
  expect(workers()).toEqual(["Bake a.", "Do b.", "Do c."]);
});

test("an editor that is not there is said, and the plan is asked about again", async () => {
  const { env } = await home();
  const run = sitting(["run", "t", "--approve"], { ...env, EDITOR: "no-such-editor-here" });
  await run.choose("edit");
  await run.choose("accept");
  expect(await run.code).toBe(0);
  expect(run.stderr.text).toContain("The editor no-such-editor-here is not there.");
});

test("a remark has another plan written, which is asked about in its turn", async () => {
  const { env } = await home();
  const run = sitting(["run", "t", "--approve"], env);
  await run.choose("another");
  await run.type("Two parts are enough.", "\r");
  await run.choose("accept");
  expect(await run.code).toBe(0);
  expect(server?.requests[1]?.prompt).toContain("Two parts are enough.");
  expect(workers()).toEqual(["Do x.", "Do y."]);
});

test("a plan that is rejected ends the run with nothing started", async () => {
  const { env } = await home();
  const run = sitting(["run", "t", "--approve"], env);
  await run.choose("reject");
  expect(await run.code).toBe(1);
  expect(run.stderr.text).toMatch(
    /The plan was rejected\.\n {2}Nothing was started\.\n {2}Go on with it: divvy resume \w{4} \(it would ask for approval of the plan\)\n$/,
  );
  expect(workers()).toEqual([]);
});

test("who leaves the question leaves a run that waits; at a terminal its resume asks by itself", async () => {
  const { env } = await home();
  const run = sitting(["run", "t", "--approve"], env);
  await run.leave();
  expect(await run.code).toBe(130);
  expect(run.stderr.text).toMatch(
    /a: waits for approval\n[^]*\nStopped\. Nothing of the plan was started: it waits for approval\.\n {2}Go on with it: divvy resume \w+ \(it would ask for approval of the plan\)\n$/,
  );
  expect((await cli(["runs"], { env })).stdout).toMatch(/ waiting /);
  expect((await cli(["show", "last"], { env })).stderr).toContain("a: not begun: waits for approval\n");
  const advice = "  Approve its plan first, at a terminal: divvy resume RUN --approve\n";
  for (const argv of [
    ["resume", "last"],
    ["rerun", "last", "--subtask", "a"],
  ]) {
    expect(await cli(argv, { env })).toMatchObject({ code: 1, stderr: expect.stringMatching(new RegExp(`needs approval.*\n${advice}$`)) });
  }
  const again = sitting(["resume", "last"], env);
  await again.choose("accept");
  expect(await again.code).toBe(0);
  expect(workers()).toEqual(["Do a.", "Do b.", "Do c."]);
  expect(server?.requests.filter(({ system }) => system.includes("You are the orchestrator"))).toHaveLength(1);
});

test("who has edited a plan is told before a remark, and on leaving, that this is not kept", async () => {
  const { env } = await home();
  const run = sitting(["run", "t", "--approve"], env);
  await run.choose("remove");
  await run.type("\r");
  await run.choose("another");
  while (!run.stderr.text.includes("What shall be otherwise?")) await pause(10);
  await run.type("\u001B");
  await run.leave();
  expect(await run.code).toBe(130);
  expect(run.stderr.text).toContain("What shall be otherwise? (what you edited is not shown to it, and not kept)");
  expect(run.stderr.text).toContain("What was edited is not kept; the plan will be asked about as it was written.\n");
});

test("a run that waits counts as one that nobody carries out: it can be removed", async () => {
  const { env } = await home();
  const run = sitting(["run", "t", "--approve"], env);
  await run.leave();
  await run.code;
  expect(await cli(["runs", "rm", "last"], { env })).toMatchObject({ code: 0, stdout: expect.stringContaining("Removed") });
});

test("--approve where nobody can be asked is refused with what to do, before anything is paid for", async () => {
  const { env } = await home();
  for (const [argv, advice] of [
    [["run", "t", "--approve"], "Make the plan first, look at it, then carry it out"],
    [["resume", "last", "--approve"], "The run waits until somebody resumes it at a terminal."],
  ] as const) {
    const { code, stderr } = await cli([...argv], { env });
    expect(code).toBe(2);
    expect(stderr).toContain("--approve asks at a terminal");
    expect(stderr).toContain(`  ${advice}`);
  }
  expect(server?.requests).toEqual([]);
});
