import { expect, test } from "vitest";
import { providerServer, type ReplyFunction } from "../../testing/index.ts";
import { preferring } from "../../../test/preferring.ts";
import { cli } from "../test-world.ts";

const plan = `<tasks combine="choose"><task id="facts"><description>List the FACTS.</description></task>
<task id="feel"><description>Tell the FEELING.</description></task></tasks>`;

test("a choice is a line of its own, with its reason", async () => {
  await using server = await providerServer([
    { when: (call) => /combine=/.test(call.system), reply: plan },
    preferring("feeling", "It sells\nbetter."),
    { when: "FACTS", reply: "The facts." },
    { when: "FEELING", reply: "The feeling." },
  ]);
  const env = { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl };
  const { code, stdout, stderr } = await cli(["Write about a bottle"], { env });
  expect([code, stdout]).toEqual([0, "The feeling.\n"]);
  expect(stderr.split("\n")).toContain("answer: chose feel: It sells better.");
});

test("reasons that are too long for a line end with a mark that there is more", async () => {
  const reasons = "It is dry. ".repeat(40).trim();
  await using server = await providerServer([
    { when: (call) => /combine=/.test(call.system), reply: plan },
    preferring("feeling", reasons),
    { when: "You judge one piece", reply: JSON.stringify({ reasons, score: 9 }) },
    { when: "FACTS", reply: "The facts." },
    { when: "FEELING", reply: "The feeling." },
  ]);
  const env = { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl };
  const { stderr } = await cli(["Write about a bottle", "--evaluate", "It is vivid."], { env });
  const lines = stderr.split("\n");
  expect(lines.filter((line) => /^(facts|feel): try 1 is judged 90 of 100: It is dry\. .*…$/.test(line))).toHaveLength(2);
  expect(lines.filter((line) => /^answer: chose feel: It is dry\. .*…$/.test(line))).toHaveLength(1);
});

/** The lines of a run of which the first so many calls to one of its models are sent back. */
async function throttledLines(whose: string, times: number): Promise<string[]> {
  let sentBack = 0;
  const orThrottled =
    (text: string): ReplyFunction =>
    (call) =>
      `${call.system} ${call.prompt}`.includes(whose) && sentBack++ < times
        ? { fault: { kind: "status", status: 429, headers: { "retry-after-ms": "300" } } }
        : { text };
  await using server = await providerServer([
    { when: (call) => /combine=/.test(call.system), reply: orThrottled(plan.replace("choose", "merge")) },
    { when: "Several workers each", reply: orThrottled("Joined.") },
    { when: "FACTS", reply: orThrottled("The facts.") },
    { when: "FEELING", reply: orThrottled("The feeling.") },
  ]);
  const env = { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl };
  const { code, stderr } = await cli(["t", "-m", "anthropic:claude-test"], { env });
  expect([code, sentBack >= times]).toEqual([0, true]);
  return stderr.split("\n").filter((line) => /limited|overloaded|waits|throttled/.test(line));
}

const said = /^anthropic:claude-test is rate limited: calls to it go on in 0\.\d s$/;

test.each([
  ["the planner", "You are the orchestrator", 1],
  ["a worker", "one subtask", 1],
  ["the answer", "Several workers each", 1],
])("throttling is said with its reason and its end: of %s", async (_, whose, times) => {
  expect(await throttledLines(whose, times)).toEqual([expect.stringMatching(said)]);
});

test("results that are too long to be merged as they are: a line for each time that they are shortened", async () => {
  const long = "It is long. ".repeat(36_000);
  await using server = await providerServer([
    { when: (call) => /combine=/.test(call.system), reply: plan.replace("choose", "merge") },
    { when: "Several workers each", reply: "Joined." },
    { when: "You shorten texts", reply: "In short." },
    { when: "FACTS", reply: `The facts. ${long}` },
    { when: "FEELING", reply: `The feeling. ${long}` },
  ]);
  const env = { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl };
  const { code, stdout, stderr } = await cli(["t", "-m", "anthropic:claude-test"], { env });
  expect([code, stdout]).toEqual([0, "Joined.\n"]);
  expect(stderr.split("\n")).toContain("answer: shortens 2 results in 4 calls, to fit its window");
});

test("a further round: the analysis is not said again, and what builds on what is done waits for nothing", async () => {
  const more = `<tasks combine="merge"><task id="more" after="facts"><description>Tell MORE.</description></task></tasks>`;
  await using server = await providerServer([
    { when: "Your plan has been carried out", reply: more },
    { when: (call) => /combine=/.test(call.system), reply: `<analysis>Two parts.</analysis>${plan.replace("choose", "merge")}` },
    { when: "Several workers each", reply: "Joined." },
    { when: "MORE", reply: "More." },
    { when: "FACTS", reply: "The facts." },
    { when: "FEELING", reply: "The feeling." },
  ]);
  const env = { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl };
  const { code, stderr } = await cli(["t", "--rounds", "2"], { env });
  const lines = stderr.split("\n");
  expect(code).toBe(0);
  expect(lines.filter((line) => line === "plan: Two parts.")).toHaveLength(1);
  expect(lines.filter((line) => line.startsWith("more: planned"))).toEqual(["more: planned"]);
});
