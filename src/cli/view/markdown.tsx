import { Box, renderToString, Text } from "ink";
import { lexer, type MarkedToken, type Token, type Tokens } from "marked";
import type { ReactNode } from "react";
import type { Paint } from "../writing/paint.ts";
import { inlineText, known } from "./markdown-inline.ts";
import { wrapped } from "./wrapped.ts";

/** Lines longer than this are hard to read, however wide the terminal. */
const widest = 100;

/** Beyond this it is shown as it was written: laying it out would take longer than anybody waits. */
const longest = 200_000;

/** Markdown laid out for a terminal. The text must be clean. */
export function renderMarkdown(text: string, columns: number, paint: Paint): string {
  if (text.length > longest) return text;
  try {
    const width = Math.max(10, Math.min(columns, widest));
    const blocks = shownBlocks(lexer(text));
    const parts: string[] = [];
    // In portions: the time for one picture grows faster than its height.
    for (let from = 0; from < blocks.length; from += portion) {
      parts.push(renderToString(<Blocks tokens={blocks.slice(from, from + portion)} width={width} paint={paint} />, { columns: width }));
    }
    return parts.join("\n\n").replace(/[ \t]+$/gm, "");
  } catch {
    // Lists in lists in lists, a thousand deep: the answer is worth more than its looks.
    return text;
  }
}

/** Blocks of one picture. */
const portion = 10;

function shownBlocks(tokens: readonly Token[]): readonly MarkedToken[] {
  return known(tokens).filter(({ type }) => type !== "space" && type !== "def" && type !== "checkbox");
}

interface BlocksProps {
  readonly tokens: readonly Token[];
  readonly width: number;
  readonly paint: Paint;
  readonly tight?: boolean;
}

function Blocks({ tokens, width, paint, tight = false }: BlocksProps): ReactNode {
  return (
    <Box flexDirection="column" width={width} gap={tight ? 0 : 1}>
      {shownBlocks(tokens).map((token, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- drawn once, never reordered
        <Block key={index} token={token} width={width} paint={paint} />
      ))}
    </Box>
  );
}

function Block({ token, width, paint }: { token: MarkedToken; width: number; paint: Paint }): ReactNode {
  switch (token.type) {
    case "heading":
      return <Heading token={token} width={width} paint={paint} />;
    case "code":
      return (
        <Box paddingLeft={2} width={width}>
          <Text>{paint("cyan", token.text)}</Text>
        </Box>
      );
    case "blockquote":
      return (
        <Box width={width} borderStyle="single" borderTop={false} borderRight={false} borderBottom={false} paddingLeft={1}>
          <Blocks tokens={token.tokens} width={Math.max(1, width - 2)} paint={paint} />
        </Box>
      );
    case "list":
      return <List token={token} width={width} paint={paint} />;
    case "table":
      return <Table token={token} width={width} paint={paint} />;
    case "hr":
      return <Text>{paint("dim", "─".repeat(Math.min(width, 40)))}</Text>;
    case "html":
      return <Text>{token.text.trimEnd()}</Text>;
    default:
      return <Text>{wrapped(inlineText("tokens" in token && token.tokens ? token.tokens : [token], paint), width)}</Text>;
  }
}

function Heading({ token, width, paint }: { token: Tokens.Heading; width: number; paint: Paint }): ReactNode {
  const text = wrapped(inlineText(token.tokens, paint), width);
  const styled = paint(token.depth === 1 ? ["bold", "underline"] : "bold", text);
  // Where no style can set it off, its signs do.
  return <Text>{styled === text ? `${"#".repeat(token.depth)} ${text}` : styled}</Text>;
}

function List({ token, width, paint }: { token: Tokens.List; width: number; paint: Paint }): ReactNode {
  const start = Number(token.start) || 1;
  const marks = token.items.map((item, index) => (item.task ? (item.checked ? "☑" : "☐") : token.ordered ? `${start + index}.` : "•"));
  const indent = Math.max(...marks.map(({ length }) => length)) + 1;
  return (
    <Box flexDirection="column" width={width} gap={token.loose ? 1 : 0}>
      {token.items.map((item, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- drawn once, never reordered
        <Box key={index}>
          <Box width={indent} flexShrink={0}>
            <Text>{marks[index]}</Text>
          </Box>
          <Blocks tokens={item.tokens} width={Math.max(1, width - indent)} paint={paint} tight={!token.loose} />
        </Box>
      ))}
    </Box>
  );
}

/** Cells narrower than this make a table unreadable. */
const leastCell = 8;

function Table({ token, width, paint }: { token: Tokens.Table; width: number; paint: Paint }): ReactNode {
  const gap = 2;
  const cells = token.header.length;
  const room = width - gap * (cells - 1);
  if (room / cells < leastCell) return <Records token={token} width={width} paint={paint} />;
  const widths = shares(
    token.header.map((head, column) => Math.max(head.text.length, ...token.rows.map((row) => row[column]?.text.length ?? 0))),
    room,
  );
  const row = (key: number, of: readonly Tokens.TableCell[], bold: boolean): ReactNode => (
    <Box key={key} columnGap={gap}>
      {of.map((cell, column) => (
        // oxlint-disable-next-line react/no-array-index-key -- drawn once, never reordered
        <Box key={column} width={widths[column] ?? leastCell} flexShrink={0}>
          <Text>{wrapped(bold ? paint("bold", inlineText(cell.tokens, paint)) : inlineText(cell.tokens, paint), widths[column] ?? leastCell)}</Text>
        </Box>
      ))}
    </Box>
  );
  return (
    <Box flexDirection="column" width={width}>
      {row(-1, token.header, true)}
      <Text>{paint("dim", widths.map((cell) => "─".repeat(cell)).join(" ".repeat(gap)))}</Text>
      {token.rows.map((of, index) => row(index, of, false))}
    </Box>
  );
}

/** What each column gets: what it wants where that is little, else a fair share of the rest. */
function shares(wanted: readonly number[], room: number): number[] {
  let left = room;
  const widths = wanted.map(() => 0);
  const byWish = wanted.map((wish, column) => ({ wish, column })).toSorted((a, b) => a.wish - b.wish);
  for (const [index, { wish, column }] of byWish.entries()) {
    const share = Math.max(1, Math.min(wish, Math.floor(left / (byWish.length - index))));
    widths[column] = share;
    left -= share;
  }
  return widths;
}

/** A table too wide for the terminal: each row as a list of what its columns say. */
function Records({ token, width, paint }: { token: Tokens.Table; width: number; paint: Paint }): ReactNode {
  return (
    <Box flexDirection="column" width={width} gap={1}>
      {token.rows.map((row, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- drawn once, never reordered
        <Text key={index}>
          {wrapped(row.map((cell, column) => `${paint("bold", token.header[column]?.text ?? "")}: ${inlineText(cell.tokens, paint)}`).join("\n"), width)}
        </Text>
      ))}
    </Box>
  );
}
