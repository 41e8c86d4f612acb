import { renderToString } from "ink";
import { styleText } from "node:util";
import type { Paint } from "../src/cli/writing/paint.ts";
import { RunPicture } from "../src/cli/view/run-picture.tsx";
import { runView } from "../src/cli/view/run-view.ts";
import { TokenMeter } from "../src/cli/view/token-meter.ts";
import type { RunEvent } from "../src/events.ts";
import { reduce } from "../src/reduce.ts";
import { initialRunState } from "../src/run-state.ts";

const styled: Paint = (style, text) => (text === "" ? "" : styleText(style, text, { validateStream: false }));

/** The terminal's view as it stood after the last of these events. */
export function frameAfter(events: readonly RunEvent[], columns: number): string {
  const state = events.reduce(reduce, initialRunState);
  const view = runView({ state, now: state.at ?? 0, meter: new TokenMeter() }, 24);
  return renderToString(<RunPicture view={view} columns={columns} paint={styled} />, { columns });
}
