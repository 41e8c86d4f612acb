import { Box, Text } from "ink";
import type { ReactNode } from "react";
import type { Paint } from "../writing/paint.ts";
import type { RunView } from "./run-view.ts";
import type { CallLine } from "./worker-line.ts";
import { wrapped } from "./wrapped.ts";

export interface RunPictureProps {
  readonly view: RunView;
  readonly columns: number;
  readonly paint: Paint;
  /** Which picture of the turning mark. */
  readonly turn?: number;
  /** Long lines are cut while the run is on, and wrapped in what stays. */
  readonly whole?: boolean;
  /** Something to say below. */
  readonly note?: string;
}

/** A run in a terminal: the plan, a line for each call, the totals. All text in the view is clean already. */
export function RunPicture({ view, columns, paint, turn = 0, whole = false, note = "" }: RunPictureProps): ReactNode {
  const { plan, words, reused, calls, more, chosen, totals } = view;
  const widths = widthsOf(calls, columns);
  const fitted = (text: string, room: number): string => (whole ? wrapped(text, room) : text);
  return (
    <Box flexDirection="column" width={columns}>
      <Text wrap="truncate">{fitted(`${planMark(plan.status, turn, paint)} ${paint("bold", "plan")}   ${plan.detail}`, columns)}</Text>
      {reused !== "" && (
        <Box paddingLeft={2}>
          <Text wrap="truncate">{fitted(reused, columns - 2)}</Text>
        </Box>
      )}
      {words && (
        <Box paddingLeft={2}>
          <Text wrap={words.tail ? "truncate-start" : "truncate"}>{paint("dim", fitted(words.text, columns - 2))}</Text>
        </Box>
      )}
      {calls.map((call) => (
        <CallRow key={call.id} call={call} widths={widths} paint={paint} turn={turn} />
      ))}
      {more !== "" && <Text wrap="truncate">{paint("dim", `  ${more}`)}</Text>}
      {chosen !== "" && (
        <Box paddingLeft={2}>
          <Text wrap="truncate">{fitted(chosen, columns - 2)}</Text>
        </Box>
      )}
      <Box paddingLeft={2}>
        <Text wrap="truncate">{paint("dim", fitted(totals, columns - 2))}</Text>
      </Box>
      {note !== "" && <Text wrap="truncate">{paint("yellow", note)}</Text>}
    </Box>
  );
}

interface Widths {
  readonly id: number;
  readonly tokens: number;
  readonly tries: number;
  readonly time: number;
  readonly cost: number;
}

function CallRow({ call, widths, paint, turn }: { call: CallLine; widths: Widths; paint: Paint; turn: number }): ReactNode {
  const quiet = call.status === "running" || call.status === "failed" || call.status === "retrying" ? call.detail : paint("dim", call.detail);
  return (
    <Box>
      <Text>{callMark(call.status, turn, paint)} </Text>
      <Box width={widths.id} flexShrink={0}>
        <Text wrap="truncate">{call.id}</Text>
      </Box>
      <Box flexGrow={1} flexBasis={0} marginLeft={2} minWidth={0}>
        <Text wrap={call.tail ? "truncate-start" : "truncate"}>{quiet}</Text>
      </Box>
      <Figure text={call.tokens} width={widths.tokens} />
      <Figure text={call.tries} width={widths.tries} />
      <Figure text={call.time} width={widths.time} />
      <Figure text={call.cost} width={widths.cost} />
    </Box>
  );
}

function Figure({ text, width }: { text: string; width: number }): ReactNode {
  if (width === 0) return undefined;
  return (
    <Box width={width} flexShrink={0} marginLeft={2} justifyContent="flex-end">
      <Text>{text}</Text>
    </Box>
  );
}

/** The narrower the terminal, the less beside the names: first the costs and the tries go, then the tokens. */
function widthsOf(calls: readonly CallLine[], columns: number): Widths {
  const widest = (of: (call: CallLine) => string): number => calls.reduce((most, call) => Math.max(most, of(call).length), 0);
  return {
    id: Math.min(
      widest(({ id }) => id),
      Math.max(8, Math.floor(columns * 0.36)),
    ),
    tokens:
      columns < 56
        ? 0
        : Math.max(
            8,
            widest((call) => call.tokens),
          ),
    tries: columns < 76 ? 0 : widest((call) => call.tries),
    time:
      columns < 30
        ? 0
        : Math.max(
            6,
            widest((call) => call.time),
          ),
    cost: columns < 76 ? 0 : widest((call) => call.cost),
  };
}

const turning = ["◐", "◓", "◑", "◒"] as const;

export function turned(turn: number): string {
  return turning[turn % turning.length] ?? turning[0];
}

function planMark(status: RunView["plan"]["status"], turn: number, paint: Paint): string {
  if (status === "done") return paint("cyan", "◆");
  if (status === "failed") return paint("red", "✖");
  return status === "waiting" ? paint("dim", "○") : paint("cyan", turned(turn));
}

function callMark(status: CallLine["status"], turn: number, paint: Paint): string {
  switch (status) {
    case "done":
      return paint("green", "✔");
    case "failed":
      return paint("red", "✖");
    case "running":
      return paint("cyan", turned(turn));
    case "retrying":
      return paint("yellow", "↻");
    case "skipped":
      return paint("dim", "–");
    default:
      return paint("dim", "○");
  }
}
