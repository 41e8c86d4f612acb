import { describe, expect, test } from "vitest";
import { errorCodes, FlexibleOrchestrator } from "../src/index.ts";
import { defaults } from "../src/limits.ts";
import { defaultsByProvider, providers } from "../src/models/catalog.ts";
import { bare, type Doc, markdown, read, tables } from "./markdown.ts";

/** The rows of all tables that begin so. */
function rowsUnder(doc: Doc, head: string, heading?: string): (readonly string[])[] {
  return tables(doc).flatMap((table) => (table.head[0] === head && (heading === undefined || table.heading === heading) ? table.rows : []));
}

describe("docs/errors.md", () => {
  const rows = rowsUnder(markdown("docs/errors.md"), "Code");

  test("has one row for each code, in the order of the errors file, and no other", () => {
    expect(rows.map(([code]) => bare(code))).toEqual(Object.keys(errorCodes));
  });

  test("says of each what happened, what to do, and whether it is tried again", () => {
    const said = Object.fromEntries(rows.map(([code, , , again]) => [bare(code), again]));
    expect(said).toEqual(Object.fromEntries(Object.entries(errorCodes).map(([code, { retryable }]) => [code, retryable ? "yes" : "no"])));
    for (const [, happened, toDo] of rows) expect([happened, toDo]).not.toContain("");
  });
});

describe("docs/events.md", () => {
  const doc = markdown("docs/events.md");
  const source = read("src/events.ts");

  test("has one row for each event, and no other", () => {
    const types = [...source.matchAll(/readonly type: "([a-z_.]+)"/g)].map(([, type = ""]) => type);
    const rows = rowsUnder(doc, "Event").map(([event]) => bare(event));
    expect(rows.toSorted()).toEqual(types.toSorted());
  });

  test("has one row for each notice, and no other", () => {
    const codes = [...read("src/notice.ts").matchAll(/"([a-z_]+)"/g)].map(([, code = ""]) => code);
    const rows = rowsUnder(doc, "Code", "Notices").map(([code]) => bare(code));
    expect(rows.toSorted()).toEqual(codes.toSorted());
  });
});

interface Key {
  readonly name: string;
  /** As its comment says; empty where it says nothing. */
  readonly byDefault: string;
}

/** The keys of an interface, with what their comments say. */
function keysOf(name: string, source: string): Key[] {
  const body = new RegExp(`export interface ${name}(?:<[\\w =]+>)?(?: extends [\\w<>]+)? \\{\\n([^]*?)\\n\\}`).exec(source)?.[1];
  if (body === undefined) throw new Error(`There is no interface ${name}.`);
  return [...body.matchAll(/(?:\/\*\*([^]*?)\*\/\s*)?^ {2}readonly (\w+)\??:/gm)].map(([, comment = "", key = ""]) => ({
    name: key,
    byDefault: /@default ([^\n*]*)/.exec(comment)?.[1]?.trim() ?? "",
  }));
}

/** Where each of these stands in the options. */
const places: Readonly<Record<string, (key: string, value: number) => unknown>> = {
  OrchestratorOptions: (key, value) => ({ [key]: value }),
  RoleSettings: (key, value) => ({ worker: { [key]: value } }),
  WorkerSettings: (key, value) => ({ worker: { [key]: value } }),
  SynthesizerSettings: (key, value) => ({ synthesizer: { [key]: value } }),
  PlanCache: (key, value) => ({ planCache: { embed: "openai:any", threshold: 0, [key]: value } }),
  Limits: (key, value) => ({ limits: { [key]: value } }),
  Retry: (key, value) => ({ retry: { [key]: value } }),
  Timeout: (key, value) => ({ timeout: { [key]: value } }),
};

const numbersIn = (text: string): number[] => [...text.replace(/(?<=\d)[,_](?=\d{3})/g, "").matchAll(/\d+/g)].map(Number);

function accepts(options: unknown): boolean {
  try {
    return Reflect.construct(FlexibleOrchestrator, [options]) instanceof FlexibleOrchestrator;
  } catch {
    return false;
  }
}

describe("docs/options.md", () => {
  const doc = markdown("docs/options.md");
  const options = read("src/options.ts") + read("src/role-options.ts");
  const interfaces = [...Object.keys(places), "RunCallOptions", "ResumeOptions", "RerunOptions", "WorkerCallOptions"].map(
    (name) => [name, keysOf(name, options)] as const,
  );
  const all = [...interfaces, ["World", keysOf("World", read("src/assembly/assembly.ts"))] as const];
  const rowsOf = (name: string): (readonly string[])[] => rowsUnder(doc, "Option", name);

  test.each(all)("names every key of %s, in order, and no other", (name, keys) => {
    expect(rowsOf(name).map(([key]) => bare(key))).toEqual(keys.map((key) => key.name));
  });

  test.each(interfaces)("says for %s the defaults that the code's comments say", (name, keys) => {
    for (const [key = "", , byDefault = ""] of rowsOf(name)) {
      const commented = keys.find((one) => one.name === bare(key))?.byDefault ?? "";
      expect(numbersIn(byDefault), `${name}.${bare(key)}`).toEqual(numbersIn(commented));
      for (const [quoted] of commented.matchAll(/"[a-z]+"/g)) expect(byDefault, `${name}.${bare(key)}`).toContain(quoted);
    }
  });

  test("says the defaults that hold", () => {
    const { limits, retry, timeout, concurrency, maxOutputTokens } = defaults;
    const said = (name: string, option: string): number[] => numbersIn(rowsOf(name).find(([key]) => bare(key) === option)?.[2] ?? "");
    for (const [name, held] of Object.entries({ Limits: limits, Retry: retry, Timeout: timeout, OrchestratorOptions: { concurrency } })) {
      for (const [option, value] of Object.entries(held)) expect(said(name, option), `${name}.${option}`).toEqual([value]);
    }
    expect(said("RoleSettings", "maxOutputTokens")).toEqual([maxOutputTokens.orchestrator, maxOutputTokens.synthesizer]);
    expect(said("SynthesizerSettings", "contextTokens")).toEqual([defaults.contextTokens]);
    expect(maxOutputTokens.worker).toBe(maxOutputTokens.orchestrator);
  });

  test("gives the bounds that are kept", () => {
    const ofTimeouts = doc.prose.find((line) => line.startsWith("All in milliseconds, from")) ?? "";
    for (const [name, place] of Object.entries(places)) {
      for (const [key, , , bounds = ""] of rowsOf(name)) {
        const [min, max] = numbersIn(name === "Timeout" ? ofTimeouts : bounds);
        if (min === undefined || max === undefined || bare(key) === "price") continue;
        const accepted = [min - 1, min, max, max + 1].map((value) => accepts(place(bare(key), value)));
        expect(accepted, `${name}.${bare(key)}`).toEqual([false, true, true, false]);
      }
    }
  });

  test("has the default models as they are, in the order in which keys are looked for", () => {
    const rows = rowsUnder(doc, "Key", "Which model where none is named");
    expect(rows).toEqual(
      [...defaultsByProvider].map(([provider, { strong, fast }]) => {
        const keys = providers.get(provider)?.settings["apiKey"] ?? [];
        return [keys.map((key) => `\`${key}\``).join(" or "), `\`${provider}:${strong}\``, `\`${provider}:${fast}\``];
      }),
    );
  });
});
