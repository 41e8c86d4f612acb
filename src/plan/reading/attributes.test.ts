import { describe, expect, test } from "vitest";
import { draft, readsWith } from "../../../test/plan-reading.ts";
import { readAttributes } from "./attributes.ts";
import { xmlPlanReader } from "./xml-reader.ts";

describe("attributes", () => {
  test("are read with either quotes or none, names in lower case", () => {
    expect(Object.fromEntries(readAttributes(` id="a>b" Type='it"s' after = c data-id="no" x`))).toEqual({
      id: "a>b",
      type: 'it"s',
      after: "c",
      "data-id": "no",
    });
  });
});

describe("a value in quotes", () => {
  const reads = readsWith(xmlPlanReader);
  const rest = "<description>d</description></task></tasks>";

  reads("may hold >, in either quotes", `<tasks note="a > b" combine='merge'><task id="a>b" type='x -> "y"' after = ">c">${rest}`, {
    combine: [["merge", 0]],
    subtasks: [draft("d", { id: "a>b", type: 'x -> "y"', after: [">c"] })],
  });
  reads("may hold > and /> in an empty tag", `<tasks><task id="a" description="Map x => y/> z"/></tasks>`, {
    subtasks: [draft("Map x => y/> z", { id: "a" })],
  });
  reads("may hold 256 characters", `<tasks><task type=">${"x".repeat(255)}">${rest}`, { subtasks: [draft("d", { type: `>${"x".repeat(255)}` })] });
  reads("may spread over lines where it holds no >", `<tasks><task type="x\ny" id="a>b">${rest}`, { subtasks: [draft("d", { type: "x\ny", id: "a>b" })] });
  reads("begins after = alone", `<tasks><task "a>${rest}`, { subtasks: [draft("d")] });
});

describe("a quote that opens no value: the first > after it ends the tag", () => {
  const reads = readsWith(xmlPlanReader);
  const rest = "<description>d</description></task></tasks>";

  reads("where it is not closed in its line", `<tasks><task id="a>\n${rest} "`, { subtasks: [draft("d")] });
  reads("where it is not closed before the next <", `<tasks><task id='a>${rest} '`, { subtasks: [draft("d")] });
  reads("where it is not closed within 256 characters", `<tasks><task id="a>${"x".repeat(256)}" ${rest}`, { subtasks: [draft("d")] });
  reads("where it is not closed at all", `<tasks><task><description>d</description></task></tasks note="x> y`, { subtasks: [draft("d")] });
  reads("where text goes on after the next quote", `<tasks><task id="a>Say "b" > c</task></tasks>`, { subtasks: [draft('Say "b" > c')] });
  reads("where no other > comes before the next <", `<tasks><task id="a>b" ${rest}`, { subtasks: [draft("d")] });
  reads("and leaves another tag's attributes alone", `<tasks><task id="a><type x="y>z">t</type>${rest}`, { subtasks: [draft("d", { type: "t" })] });
});
