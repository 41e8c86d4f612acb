import { expect, test } from "vitest";
import type { Draft, PlanEnd, PlanReader } from "../src/plan/reading/reader.ts";
import type { Combine } from "../src/subtask.ts";

/** What a reader made of a whole text. */
export interface Reading {
  readonly subtasks: readonly Draft[];
  /** Every word on it, in order, with the number of subtasks that came before. */
  readonly combine: readonly (readonly [Combine, number])[];
  readonly answer: string;
  readonly analysis: string;
  readonly state: PlanEnd["state"];
}

/** The sizes of chunks in which every tolerance case is read; the last is the whole at once. */
export const chunkSizes: readonly number[] = [1, 4, 64, Number.POSITIVE_INFINITY];

export function chunksOf(text: string, size: number): string[] {
  if (text.length <= size) return [text];
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.slice(index * size, (index + 1) * size));
}

/** Reads the chunks one after another, to the end. */
export function readChunks(reader: PlanReader, chunks: readonly string[]): Reading {
  const subtasks: Draft[] = [];
  const combine: [Combine, number][] = [];
  let answer = "";
  const take = (items: PlanEnd["items"]): void => {
    for (const item of items) {
      if (item.type === "subtask") subtasks.push(item.draft);
      else if (item.type === "combine") combine.push([item.combine, subtasks.length]);
      else answer += item.delta;
    }
  };
  for (const chunk of chunks) take(reader.push(chunk));
  const { items, state, analysis } = reader.end();
  take(items);
  return { subtasks, combine, answer, analysis, state };
}

/** A subtask as a reader hands it out. */
export function draft(description: string, more: Partial<Draft> = {}): Draft {
  return { type: "", description, after: [], ...more };
}

/** A reading of a plan that is whole, with nothing in it but what is told. */
function reading(told: Partial<Reading>): Reading {
  return { subtasks: [], combine: [], answer: "", analysis: "", state: "closed", ...told };
}

/** Tolerance cases of a reader: each text reads the same in chunks of every size. */
export function readsWith(newReader: () => PlanReader): (behaviour: string, text: string, told: Partial<Reading>) => void {
  return (behaviour, text, told) => {
    test.each(chunkSizes)(`${behaviour} (chunks of %s)`, (size) => {
      expect(readChunks(newReader(), chunksOf(text, size))).toEqual(reading(told));
    });
  };
}
