import { expect, test } from "vitest";
import { providerServer } from "../../testing/index.ts";
import { cli } from "../test-world.ts";

const plan = `<tasks combine="choose"><task id="facts"><description>List the FACTS.</description></task>
<task id="feel"><description>Tell the FEELING.</description></task></tasks>`;

test("a choice is a line of its own, with its reason", async () => {
  await using server = await providerServer([
    { when: (call) => /combine=/.test(call.system), reply: plan },
    { when: "You choose the one", reply: "<choice>feel</choice>\n<reason>It sells\nbetter.</reason>" },
    { when: "FACTS", reply: "The facts." },
    { when: "FEELING", reply: "The feeling." },
  ]);
  const env = { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: server.anthropicBaseUrl };
  const { code, stdout, stderr } = await cli(["Write about a bottle"], { env });
  expect([code, stdout]).toEqual([0, "The feeling.\n"]);
  expect(stderr.split("\n")).toContain("answer: chose feel: It sells better.");
});
