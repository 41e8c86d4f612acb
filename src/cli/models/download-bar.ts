import type { Env } from "../../models/catalog.ts";
import type { DownloadProgress } from "../../models/local/download.ts";
import type { OutStream } from "../writing/out-stream.ts";
import { isDumb } from "../writing/paint.ts";
import { megabytes } from "../../quantity.ts";

const cells = 20;
const label = "Fetching the built-in model";

/** Shows a download on stderr: as a bar that moves, or as a line now and then where nothing can move. */
export class DownloadBar {
  readonly #err: OutStream;
  readonly #moves: boolean;
  #shown = -1;

  constructor(err: OutStream, env: Env) {
    this.#err = err;
    this.#moves = err.isTerminal && !isDumb(env);
  }

  readonly show = ({ receivedBytes, totalBytes }: DownloadProgress): void => {
    const percent = Math.floor((receivedBytes / totalBytes) * 100);
    const step = this.#moves ? percent : Math.floor(percent / 25);
    if (step === this.#shown) return;
    this.#shown = step;
    const total = megabytes(totalBytes);
    const of = `${megabytes(receivedBytes)} of ${total} MB`;
    if (!this.#moves) return void this.#err.write(`${label}: ${of}\n`);
    const full = Math.round((percent / 100) * cells);
    const bar = `${"█".repeat(full)}${"░".repeat(cells - full)}`;
    // By its widest, so that the line does not change its form on the way.
    const room = this.#err.columns - `${total} of ${total} MB`.length;
    const before = [`${label} ${bar} `, `${bar} `].find(({ length }) => length < room) ?? "";
    // Back to the line's start and over what stands there; the last step leaves the line behind.
    void this.#err.write(`\r${before}${of}\u001B[K${percent === 100 ? "\n" : ""}`);
  };
}
