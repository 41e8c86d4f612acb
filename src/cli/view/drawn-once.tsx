import { renderToString } from "ink";
import type { Terminal } from "../terminal.ts";
import { RunPicture } from "./run-picture.tsx";
import type { RunView } from "./run-view.ts";

/** A run's picture that stays, for the end of stderr. */
export function drawnOnce(view: RunView, { err, errPaint }: Pick<Terminal, "err" | "errPaint">): string {
  return `${renderToString(<RunPicture view={view} columns={err.columns} paint={errPaint} whole />, { columns: err.columns })}\n`;
}
