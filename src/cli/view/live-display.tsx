import type { ReactNode } from "react";
import { initialRunState, type RunState } from "../../run-state.ts";
import type { Terminal } from "../terminal.ts";
import type { Display } from "./display.ts";
import { drawnOnce } from "./drawn-once.tsx";
import { LivePicture } from "./live-picture.ts";
import { RunPicture } from "./run-picture.tsx";
import { type RunView, runView } from "./run-view.ts";
import { TokenMeter } from "./token-meter.ts";

/** Lines of the picture that stays; with more workers, what is missing is listed and the rest counted. */
const lastPictureLines = 40;

/** The run as a picture on stderr that changes in place; its last state stays. */
export class LiveDisplay implements Display {
  readonly #terminal: Pick<Terminal, "err" | "errPaint" | "world">;
  readonly #since: number | undefined;
  readonly #meter = new TokenMeter();
  #state: RunState = initialRunState;
  #note = "";
  #isPaused = false;
  #picture: LivePicture | undefined;

  /** @param since when what is shown began, where that was not the run's own beginning; epoch milliseconds */
  constructor(terminal: Pick<Terminal, "err" | "errPaint" | "world">, since?: number) {
    this.#terminal = terminal;
    this.#since = since;
  }

  update(_: RunState, state: RunState): void {
    this.#state = state;
    // Before a run starts, a local model may be on its way, and that has a line of its own.
    if (this.#isPaused) return;
    if (state.phase !== "starting" && state.outcome === undefined) this.#picture ??= new LivePicture(this.#terminal, (turn) => this.#draw(turn));
  }

  note(text: string): void {
    this.#note = text;
    if (this.#picture === undefined) void this.#terminal.err.write(`${text}\n`);
    else this.#picture.draw();
  }

  async pause(): Promise<void> {
    this.#isPaused = true;
    const picture = this.#picture;
    this.#picture = undefined;
    await picture?.close();
  }

  goOn(): void {
    this.#isPaused = false;
  }

  async close(): Promise<void> {
    await this.#picture?.close();
    if (this.#state.startedAt === undefined) return;
    await this.#terminal.err.write(drawnOnce(this.#view(lastPictureLines), this.#terminal));
  }

  #draw(turn: number): ReactNode {
    const { err, errPaint } = this.#terminal;
    // One line is the cursor's: a picture as tall as the terminal would make it scroll.
    const lines = err.rows - 1 - (this.#note === "" ? 0 : 1);
    return <RunPicture view={this.#view(lines)} columns={err.columns} paint={errPaint} turn={turn} note={this.#note} />;
  }

  #view(lines: number): RunView {
    return runView({ state: this.#state, now: this.#terminal.world.runtime.clock.now(), since: this.#since, meter: this.#meter }, lines);
  }
}
