import { describe, expect, test } from "vitest";
import { masked } from "./masked.ts";

const secret = "CANARYc4n4ry0123456789";

describe("what looks like a credential is hidden", () => {
  test.each([
    `Incorrect API key provided: sk-proj-${secret}. You can find your API key at https://platform.openai.com.`,
    `invalid x-api-key: sk-ant-api03-${secret}-AA`,
    `invalid x-api-key ${secret}`,
    `Your api_key="${secret}" has expired`,
    `{"apiKey":"${secret}"}`,
    `Authorization: Bearer ${secret}`,
    `authorization: ${secret}`,
    `bearer ${secret} was revoked`,
    `Key AIzaSy${secret}abcdefgh is not allowed here`,
    `gsk_${secret} unknown`,
    `xai-${secret} is blocked`,
    `token eyJhbGciOi.${secret}.x is malformed`,
    `GET https://host.invalid/v1/models?key=${secret}&alt=sse failed`,
    `connect to https://user:${secret}@host.invalid/v1 failed`,
    `Headers.append: "Bearer ${secret}\nrest-of-${secret}" is an invalid header value.`,
  ])("%s", (words) => {
    expect(masked(words)).toContain("[hidden]");
    expect(masked(words)).not.toMatch(/CANARY|c4n4ry/);
  });
});

describe("what does not is left as it is", () => {
  test.each([
    "max_tokens: 200000 > 64000, which is the maximum allowed number of output tokens for claude-haiku-4-5-20251001",
    "API key not valid. Please pass a valid API key.",
    "The model `gpt-6-luna-2026-08-07` does not exist or you do not have access to it. (request id: req_011CSHoEeqs5C35K2UUqR7Fy)",
    "Rate limit reached for gpt-6 in organization org-9 on tokens per min (TPM): Limit 30000, Used 29500, Requested 1200.",
    "You exceeded your current quota. See https://ai.google.dev/gemini-api/docs/rate-limits?page=2 and https://host.invalid:8080/a@b.",
    "basic understanding of bearer authentication is required; the password is wrong",
    "",
  ])("%s", (words) => {
    expect(masked(words)).toBe(words);
  });
});

test("takes steps in proportion to the length of what it reads", () => {
  // Each of these would keep a backtracking expression busy for longer than a test may take.
  const length = 262_144;
  for (const piece of ["api_key ", "sk-", "Bearer ", "://a:", "apikey", "apikey=", "Headers.x: ", "eyJ", " "]) {
    expect(masked(piece.repeat(length / piece.length)).length).toBeGreaterThan(0);
  }
  for (const start of ["api key", "api key:", "api key is", "Bearer", "Headers.x:"]) {
    const words = `${start}${" ".repeat(length)}!`;
    expect(masked(words)).toBe(words);
  }
});
