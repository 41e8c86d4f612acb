import { Text } from "ink";
import { oneLine } from "../writing/clean-text.ts";
import { duration } from "../../quantity.ts";
import type { Terminal } from "../terminal.ts";
import { LivePicture } from "./live-picture.ts";
import { turned } from "./run-picture.tsx";

/** Shows on stderr, where that is a terminal that can draw, what is waited for, and for how long already. */
export async function showWaiting<T>(terminal: Terminal, what: string, work: Promise<T>): Promise<T> {
  const { errPaint, world } = terminal;
  const { clock } = world.runtime;
  const startedAt = clock.now();
  const picture = new LivePicture(terminal, (turn) => (
    <Text wrap="truncate">
      {errPaint("cyan", turned(turn))} {oneLine(what)} · {duration(clock.now() - startedAt)}
    </Text>
  ));
  try {
    return await work;
  } finally {
    await picture.close();
  }
}
