import { expect, test, vi } from "vitest";
import { isRecord } from "../../json.ts";
import { callsAt, keptRunScenes, refusal, threeParts, threeWorkers } from "../kept/kept-run-fixture.ts";
import { cli } from "../test-world.ts";

/** What a run at the terminal may use: said before it begins, held to, and easy to raise. */

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const scene = keptRunScenes();

/** A reply that fills its cap nearly. */
const long = { text: "So it is.", usage: { inputTokens: 100, outputTokens: 8_000 } };

/** The flags that the last line names. */
function advised(stderr: string): string[] {
  const [, line = ""] = /Go on with it: divvy (resume .*) \(/.exec(stderr) ?? [];
  return line.split(" ");
}

test("five dollars where nothing is said of it, which is shown at the start", async () => {
  const { code, stderr } = await cli(["t"], await scene(threeWorkers({})));
  expect(code).toBe(0);
  expect(stderr).toMatch(/\nbudget: at most \$5\.00; --budget changes it\n(?:.*\n)*plan: \S+ is asked\n/);
});

test("half a million tokens where a price is not known", async () => {
  const { env } = await scene(threeWorkers({}));
  const { stderr } = await cli(["t", "-m", "anthropic:nobody-knows-its-price"], { env });
  expect(stderr).toContain("budget: at most 500.0k tokens; --max-tokens changes it\n");
});

const unknown = "anthropic:nobody-knows-its-price";

test("dollars are refused where a price is not known: the line says of which model, and how to give one", async () => {
  const { env } = await scene(threeWorkers({}));
  const { code, stderr } = await cli(["t", "-m", unknown, "--budget", "1"], { env });
  expect(code).toBe(1);
  expect(stderr).toMatch(/what anthropic:nobody-knows-its-price costs is not known\.\n {2}.*--price provider:model=3\/15; .*--max-tokens 500000\n/);
});

test("a price that is given holds: for the default, for a budget in dollars, and in what the run cost", async () => {
  const here = await scene(threeWorkers({}));
  const priced = ["t", "-m", unknown, "--price", `${unknown}=3/$15.50`];
  expect((await cli(priced, here)).stderr).toContain("budget: at most $5.00; --budget changes it\n");
  const { stdout } = await cli([...priced, "--budget", "1", "--json"], here);
  expect(JSON.parse(stdout)).toMatchObject({ status: "ok", cost: expect.any(Number) });
});

test("a price that is given stands in the line at the end, which can be typed as it stands", async () => {
  let asked = 0;
  const here = await scene(threeWorkers({ FEELING: () => (asked++ === 0 ? refusal : "The feeling.") }));
  const { code, stderr } = await cli(["t", "-q", "-m", unknown, "--price", `${unknown}=3/$15.50`], here);
  expect([code, advised(stderr).slice(2)]).toEqual([3, ["--price", `${unknown}=3/15.5`]]);
  expect(await cli([...advised(stderr), "-q"], here)).toMatchObject({ code: 0, stderr: "" });
});

test("a price that is given on a resume and a rerun holds there too", async () => {
  const here = await scene(threeWorkers({ FACTS: long, FEELING: long }));
  const price = ["--price", `${unknown}=3/15`];
  expect(await cli(["t", "-m", unknown, ...price, "--budget", "0.30"], here)).not.toMatchObject({ code: 0 });
  const resume = ["resume", "last", "--budget", "5", "-q"];
  expect((await cli(resume, here)).stderr).toContain("--price");
  expect(await cli([...resume, ...price], here)).toMatchObject({ code: 0 });
  expect(await cli(["rerun", "last", "--subtask", "end", "--budget", "1", "-q", ...price], here)).toMatchObject({ code: 0 });
});

test.each([
  ["calls", ["--max-calls", "4"]],
  ["dollars", ["--budget", "$0.56"]],
  ["tokens", ["--max-tokens", "60000"]],
])("what is too little in %s leaves out what does not fit; the line at the end names what is enough", async (_, flags) => {
  const here = await scene(threeWorkers({ FACTS: long, FEELING: long }));
  const { code, stdout, stderr } = await cli(["t", ...flags], here);
  expect(code).toBe(3);
  expect(stdout).toContain("The joined answer.");
  expect(stdout).toContain("the run's budget did not allow it");
  expect(stderr).toMatch(/\n\w+: left out: the budget did not allow it\n/);
  const before = callsAt(here).length;
  expect(await cli([...advised(stderr), "-q"], here)).toMatchObject({ code: 0, stdout: "The joined answer.\n", stderr: "" });
  expect(callsAt(here).length - before).toBeLessThan(4);
});

test("what is too little for the plan asks for nothing; the line at the end names what is enough for that", async () => {
  const here = await scene(threeWorkers({}));
  const { code, stderr } = await cli(["t", "-q", "--budget", "0.01"], here);
  expect([code, callsAt(here)]).toEqual([1, []]);
  expect(stderr).toMatch(/budget of \$0\.010 allows no further call: \$0 used, \$0\.\d+ kept back for the answer, and this one may take \$0\.\d+\.\n/);
  const again = await cli([...advised(stderr), "-q"], here);
  expect(again.code).not.toBe(1);
  expect(callsAt(here)).toContain("plan");
});

test("what is too little for another try of the plan says so; the line at the end names what is enough for that", async () => {
  let asked = 0;
  const here = await scene(threeWorkers({ plan: () => (asked++ === 0 ? { fault: { kind: "status", status: 500 } } : threeParts) }));
  const { code, stderr } = await cli(["t", "-q", "--max-calls", "2"], here);
  expect([code, asked]).toEqual([1, 1]);
  expect(stderr).toMatch(
    /HTTP 500.* The run's budget did not allow another try\.\n {2}What is done is not paid again: --budget, .*\n {2}Go on with it: .* --max-calls 4 /,
  );
  expect((await cli([...advised(stderr), "-q"], here)).code).not.toBe(1);
});

test("an outcome sets what was expected beside what was used", async () => {
  const { stdout } = await cli(["t", "--json", "-q"], await scene(threeWorkers({})));
  const outcome: unknown = JSON.parse(stdout);
  expect(outcome).toMatchObject({ cost: expect.any(Number), estimate: { expected: { calls: 5, cost: expect.any(Number) }, worst: { calls: 5 } } });
  expect(isRecord(outcome)).toBe(true);
});

test.each([
  [["--budget", "much"], "--budget is an amount of US dollars such as 0.50"],
  [["--budget", "-1"], "--budget"],
  [["--budget", "0"], "--budget: must be a number over 0"],
  [["--max-calls", "0"], "--max-calls: must be a whole number from 1"],
  [["--max-tokens", "1k"], "--max-tokens is a whole number"],
  [["--price", "3/15"], "--price is a model with what it costs, such as provider:model=3/15"],
  [["--price", "p:m=3"], "--price is a model with what it costs"],
  [["--price", "p:m=3/15"], "--price names p:m, and the models here are anthropic:"],
])("%j is refused", async (flags, why) => {
  const { code, stderr } = await cli(["t", ...flags], await scene(threeWorkers({})));
  expect(code).toBe(2);
  expect(stderr).toContain(why);
});

test("a plan alone is bounded too, and says what carrying it out comes to", async () => {
  const here = await scene(threeWorkers({}));
  const { code, stderr } = await cli(["plan", "t"], here);
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /\nbudget: at most \$5\.00; --budget changes it\nCarried out, it comes to about \$0\.\d+, at most \$\d\.\d+, the plan included, where \S+ plans and joins, \S+ works\.\n$/,
  );
  expect((await cli(["plan", "t", "--budget", "0.01"], here)).stderr).toContain("budget of $0.010 allows no further call");
});

test("a plan says for which models its estimate is, and takes those that are to carry it out", async () => {
  const here = await scene(threeWorkers({}));
  const estimated = async (...flags: string[]): Promise<string | undefined> => {
    const { stderr } = await cli(["plan", "t", "--orchestrator", "anthropic:claude-opus-4-5", ...flags], here);
    return /where (.*)\.\n$/.exec(stderr)?.[1];
  };
  expect(await estimated()).toBe("anthropic:claude-opus-4-5 does everything");
  expect(await estimated("--worker", "anthropic:claude-haiku-4-5")).toBe("anthropic:claude-opus-4-5 plans and joins, anthropic:claude-haiku-4-5 works");
});
