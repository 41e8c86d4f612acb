import { isDumb } from "../writing/paint.ts";
import type { Terminal } from "../terminal.ts";

/** Whether stderr is a terminal that can draw. Build servers say they are one, and keep every picture. */
export function isLive({ err, world }: Pick<Terminal, "err" | "world">): boolean {
  const ci = world.env["CI"];
  const isBuildServer = ci !== undefined && ci !== "" && ci !== "0" && ci !== "false";
  return err.isTerminal && !isDumb(world.env) && !isBuildServer;
}
