import { oneLine } from "../writing/clean-text.ts";
import type { RerunCommand } from "../flags/command.ts";
import { leftOut } from "../flags/flags-again.ts";
import { followRun } from "./follow-run.ts";
import { shortId, shownTask } from "../kept/run-name.ts";
import { sayTo } from "../writing/say.ts";
import type { Terminal } from "../terminal.ts";
import { withKeptRun } from "../kept/with-kept-run.ts";

/** A new run over the plan of one that is kept: a subtask and what builds on it are done anew. */
export async function rerunCommand(command: RerunCommand, terminal: Terminal): Promise<number> {
  const { quiet, subtask, description, type, concurrency, budget } = command;
  return await withKeptRun(command, terminal, async ({ record, ledger, outputs, orchestrator }) => {
    const { runId } = record;
    const changes = { ...(description !== undefined && { description }), ...(type !== undefined && { type }) };
    const run = await orchestrator.rerun(runId, {
      subtask,
      signal: terminal.signal,
      ...changes,
      ...(concurrency !== undefined && { concurrency }),
      ...(budget && { budget }),
    });

    if (!quiet) {
      sayTo(terminal, `A new run over the plan of ${await shortId(ledger, runId)}, "${shownTask(record)}": ${oneLine(subtask)} and what builds on it anew.`);
      const left = leftOut(await ledger.readFacts(runId), command);
      if (left !== "") sayTo(terminal, `! ${left}`);
    }
    return await followRun(run, { command, outputs, ledger }, terminal);
  });
}
