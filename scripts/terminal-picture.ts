import { readFileSync, writeFileSync } from "node:fs";
import { build } from "tsdown";
import type { RunEvent } from "../src/events.ts";

/**
 * Draws docs/terminal.svg, the picture in the README, from docs/terminal-transcript.jsonl: the events of a real run of the built-in
 * model, as `--jsonl` printed them. The picture is the terminal's own view of those events, at the moment when the first worker
 * was done, and below it at the end.
 */
const columns = 92;

// oxlint-disable-next-line no-control-regex -- an escape is what is looked for
const styles = /\u001B\[([\d;]*)m/;
const looks: Readonly<Record<string, string>> = {
  "1": ' font-weight="bold"',
  "2": ' fill="#8b919c"',
  "31": ' fill="#ff7a85"',
  "32": ' fill="#8fd18f"',
  "33": ' fill="#e5c07b"',
  "36": ' fill="#6cc7d8"',
};
const root = new URL("..", import.meta.url);

const lines = readFileSync(new URL("docs/terminal-transcript.jsonl", root), "utf8").trim().split("\n");
const events: RunEvent[] = lines.map((line) => JSON.parse(line));
const firstDone = events.findIndex(({ type }) => type === "subtask.finished") + 1;
const recorded = new Date(events[0]?.at ?? 0).toISOString().slice(0, 10);

await build({
  config: false,
  entry: { "terminal-frame": new URL("scripts/terminal-frame.tsx", root).pathname },
  outDir: new URL(".cache/picture", root).pathname,
  platform: "node",
  fixedExtension: false,
  dts: false,
  logLevel: "error",
});
const { frameAfter }: typeof import("./terminal-frame.tsx") = await import(new URL(".cache/picture/terminal-frame.js", root).href);

const command = '\u001B[2m$\u001B[22m divvy -m local: "Write a product description for a new eco-friendly water bottle" …';
const label = `\u001B[2mRecorded on ${recorded} with the tiny built-in model, on two cores and without a key: docs/terminal-transcript.jsonl\u001B[22m`;
const text = [
  command,
  frameAfter(events.slice(0, firstDone), columns),
  "",
  "\u001B[2m… and at its end:\u001B[22m",
  frameAfter(events, columns),
  "",
  label,
].join("\n");
writeFileSync(new URL("docs/terminal.svg", root), svg(text.split("\n")));

/** Terminal text with SGR styles as a picture. */
function svg(rows: readonly string[]): string {
  const advance = 8.4;
  const leading = 20;
  const margin = 18;
  const width = Math.ceil(Math.max(columns, ...rows.map((row) => plain(row).length)) * advance + 2 * margin);
  const height = rows.length * leading + 2 * margin;
  const texts = rows.map((row, index) => `<text x="${margin}" y="${margin + 14 + index * leading}" xml:space="preserve">${spans(row)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#d7dae0">
<rect width="100%" height="100%" rx="8" fill="#1b1e24"/>
${texts.join("\n")}
</svg>
`;
}

function plain(row: string): string {
  return row
    .split(styles)
    .filter((_, index) => index % 2 === 0)
    .join("");
}

function spans(row: string): string {
  let style = "";
  return row
    .split(styles)
    .map((piece, index) => {
      if (index % 2 === 1) {
        style = nextStyle(style, piece);
        return "";
      }
      return piece === "" ? "" : `<tspan${style}>${escaped(piece)}</tspan>`;
    })
    .join("");
}

function nextStyle(style: string, codes: string): string {
  const code = codes.split(";").at(-1) ?? "";
  const known = looks[code];
  return known ?? (["0", "22", "39", ""].includes(code) ? "" : style);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
