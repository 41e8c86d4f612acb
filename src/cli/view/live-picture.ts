import { type Instance, render } from "ink";
import type { ReactNode } from "react";
import type { Cancel } from "../../runtime.ts";
import type { Terminal } from "../terminal.ts";

/** Twelve pictures a second: text flows, and the terminal keeps its breath. */
const frameMs = 83;
/** The mark turns more calmly than that. */
const turnMs = 250;

/** A picture on stderr that is drawn anew in place, as long as it stands. */
export class LivePicture {
  readonly #terminal: Pick<Terminal, "err" | "world">;
  readonly #draw: (turn: number) => ReactNode;
  readonly #ink: Instance;
  #cancelTick: Cancel | undefined;

  constructor(terminal: Pick<Terminal, "err" | "world">, draw: (turn: number) => ReactNode) {
    this.#terminal = terminal;
    this.#draw = draw;
    const { stream } = terminal.err;
    this.#ink = render(this.#picture(), {
      stdout: stream,
      stdin: terminal.world.stdin,
      stderr: stream,
      exitOnCtrlC: false,
      // Whether a person watches is decided already; Ink would look at this process's environment.
      interactive: true,
      incrementalRendering: true,
      maxFps: 1000 / frameMs,
      patchConsole: false,
    });
    this.#tick();
  }

  draw(): void {
    if (!this.#terminal.err.gone) this.#ink.rerender(this.#picture());
  }

  /** Takes the picture away. */
  async close(): Promise<void> {
    this.#cancelTick?.();
    // What is still to be drawn would otherwise come after the picture was taken away.
    await this.#ink.waitUntilRenderFlush();
    this.#ink.clear();
    this.#ink.unmount();
    await this.#ink.waitUntilExit();
  }

  #picture(): ReactNode {
    return this.#draw(Math.floor(this.#terminal.world.runtime.clock.now() / turnMs));
  }

  #tick(): void {
    this.#cancelTick = this.#terminal.world.runtime.clock.setTimer(frameMs, () => {
      this.draw();
      this.#tick();
    });
  }
}
