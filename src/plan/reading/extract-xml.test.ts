import { expect, test } from "vitest";
import { extractXml } from "./extract-xml.ts";

test("gives the text between the first opening tag and the closing tag that follows it, as it stands there", () => {
  expect(extractXml("a <x> b & <i>c</i>\n </x> d <x>e</x>", "x")).toBe(" b & <i>c</i>\n ");
});

test("reads tags in any case, with attributes and white space", () => {
  expect(extractXml('<Response lang="en"\n>yes</RESPONSE >', "response")).toBe("yes");
});

test("does not take a longer name for the tag, nor a dot for any character", () => {
  expect(extractXml("<tasks>no</tasks><task>yes</task>", "task")).toBe("yes");
  expect(extractXml("<axb>no</axb><a.b>yes</a.b>", "a.b")).toBe("yes");
});

test("gives nothing where the tag is missing or not closed", () => {
  expect(extractXml("text", "x")).toBe("");
  expect(extractXml("<x>text", "x")).toBe("");
  expect(extractXml("</x> <x>", "x")).toBe("");
});

test("refuses what is no name", () => {
  expect(() => extractXml("", "a b")).toThrow(new RangeError('extractXml: "a b" is not the name of a tag'));
  expect(() => extractXml("", "")).toThrow(RangeError);
});
