import { describe, expect, it } from "vitest";
import { checkedUrl, isLoopback, ollamaRoot, shownUrl } from "./base-url.ts";

describe("base URLs", () => {
  it("are shown without the slash at their end", () => {
    expect(shownUrl(checkedUrl("https://example.com/v1/", "baseURL"))).toBe("https://example.com/v1");
  });

  it.each(["example.com/v1", "ftp://example.com", "", "file:///etc/passwd"])("must be http or https: %s", (text) => {
    expect(() => checkedUrl(text, "OPENAI_BASE_URL")).toThrow("OPENAI_BASE_URL is not a URL");
  });

  it("says how to write it, and nothing of an option where it is the environment's", () => {
    expect(() => checkedUrl("localhost:1234", "OPENAI_BASE_URL")).toThrow(expect.objectContaining({ hint: "Write it whole, as http://127.0.0.1:8000/v1." }));
  });

  it("may not carry a password, and do not repeat it", () => {
    expect(() => checkedUrl("https://me:secret@example.com", "baseURL")).toThrow(/^baseURL carries a user name or password\.$/);
  });

  it("may not carry a query, in which some put keys", () => {
    expect(() => checkedUrl("https://example.com/v1?key=secret", "baseURL")).toThrow(/^baseURL carries a query or a fragment/);
  });

  it.each(["http://127.0.0.1:1", "http://127.8.0.1", "http://localhost:80/v1", "http://[::1]:11434"])("know %s as this machine", (url) => {
    expect(isLoopback(url)).toBe(true);
  });

  it.each(["http://10.0.0.1", "http://localhost.example.com", "http://127.0.0.1.example.com", "nonsense"])("know %s as another", (url) => {
    expect(isLoopback(url)).toBe(false);
  });
});

describe("OLLAMA_HOST", () => {
  it.each([
    ["127.0.0.1", "http://127.0.0.1:11434"],
    ["127.0.0.1:5000", "http://127.0.0.1:5000"],
    [":5000", "http://127.0.0.1:5000"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["0.0.0.0:5000", "http://127.0.0.1:5000"],
    ["[::]:5000", "http://[::1]:5000"],
    ["[::1]", "http://[::1]:11434"],
    ["gpu.lan", "http://gpu.lan:11434"],
    ["http://gpu.lan", "http://gpu.lan"],
    ["https://gpu.lan/", "https://gpu.lan"],
    ["http://127.0.0.1:11434/v1", "http://127.0.0.1:11434"],
    ["http://127.0.0.1:11434/api/", "http://127.0.0.1:11434"],
    ["https://gpu.lan/ollama", "https://gpu.lan/ollama"],
  ])("%s is the server at %s", (host, root) => {
    expect(ollamaRoot(host)).toBe(root);
  });
});
