import { readFileSync } from "node:fs";

export const root: URL = new URL("../", import.meta.url);

export function read(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

/** Lines are counted from 1, in the file. */
export interface Block {
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

export interface Doc {
  readonly path: string;
  /** Code between fences. */
  readonly blocks: readonly Block[];
  /** Everything else, blocks blanked, so that lines keep their numbers. */
  readonly prose: readonly string[];
}

export function markdown(path: string): Doc {
  return parsed(path, read(path));
}

/** The comment at the head of a source file, read as Markdown; what is indented in it is to be typed. */
export function headComment(path: string): Doc {
  const [comment = ""] = /^\/\*\*[^]*?\*\//.exec(read(path)) ?? [];
  const lines = comment.split("\n").map((line) => line.replace(/^(?:\/\*\*| \*\/| \* ?)/, ""));
  const blocks = lines.flatMap((line, index) =>
    /^ {2,}\S/.test(line) ? [{ line: index + 1, language: "bash", text: line.trim().replace(/ {3,}.*/, "") }] : [],
  );
  return { path, blocks, prose: lines.map((line) => (/^ {2,}\S/.test(line) ? "" : line)) };
}

function parsed(path: string, text: string): Doc {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { line: number; language: string; indent: number; lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^( *)```(.*)$/.exec(line);
    if (open === undefined && fence !== null) {
      open = { line: index + 2, language: (fence[2] ?? "").trim(), indent: (fence[1] ?? "").length, lines: [] };
      prose.push("");
    } else if (open === undefined) prose.push(line);
    else {
      if (fence === null) open.lines.push(line.slice(open.indent));
      else {
        blocks.push({ line: open.line, language: open.language, text: open.lines.join("\n") });
        open = undefined;
      }
      prose.push("");
    }
  }
  if (open !== undefined) throw new Error(`${path}:${open.line}: the code block is not closed.`);
  return { path, blocks, prose };
}

/** What stands in backticks, outside of blocks. */
export function spans({ prose }: Doc): { readonly line: number; readonly text: string }[] {
  return prose.flatMap((text, index) => [...text.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => ({ line: index + 1, text: span })));
}

/** Where links lead. */
export function links({ prose }: Doc): { readonly line: number; readonly target: string }[] {
  return prose.flatMap((text, index) => [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => ({ line: index + 1, target })));
}

/** A heading as a link names it. */
export function anchors({ prose }: Doc): string[] {
  return prose.flatMap((line) => {
    const heading = /^#+ (.*)$/.exec(line)?.[1];
    return heading === undefined
      ? []
      : [
          heading
            .toLowerCase()
            .replace(/[^\p{L}\p{N} _-]/gu, "")
            .replaceAll(" ", "-"),
        ];
  });
}

export interface Table {
  /** The last heading before it. */
  readonly heading: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function tables({ prose }: Doc): Table[] {
  const all: { heading: string; head: string[]; rows: string[][] }[] = [];
  let heading = "";
  let inTable = false;
  for (const line of prose) {
    heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    const cells = /^ *\|(.*)\| *$/
      .exec(line)?.[1]
      ?.split("|")
      .map((cell) => cell.trim());
    if (cells === undefined) inTable = false;
    else if (!inTable) {
      all.push({ heading, head: cells, rows: [] });
      inTable = true;
    } else if (!cells.every((cell) => /^:?-+:?$/.test(cell))) all.at(-1)?.rows.push(cells);
  }
  return all;
}

/** A cell's text without the backticks around it. */
export function bare(cell: string | undefined): string {
  return /^`([^`]+)`$/.exec(cell ?? "")?.[1] ?? cell ?? "";
}
