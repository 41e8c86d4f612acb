import { maxWorkers } from "../../assembly/assembly.ts";
import { readPast } from "../../orchestrator/past/read-past.ts";
import { isComplete } from "../../outcome.ts";
import { reduce } from "../../reduce.ts";
import { initialRunState } from "../../run-state.ts";
import { canAsk, mustAsk, TerminalApproval } from "../approval/terminal-approval.ts";
import type { ResumeCommand } from "../flags/command.ts";
import { followRun } from "./follow-run.ts";
import { whatIsLeft } from "../kept/resume-line.ts";
import { shortId, shownTask } from "../kept/run-name.ts";
import { lastBegun } from "../kept/run-times.ts";
import { sayTo } from "../writing/say.ts";
import type { Terminal } from "../terminal.ts";
import { withKeptRun } from "../kept/with-kept-run.ts";

/** Goes on with a run that is kept. */
export async function resumeCommand(command: ResumeCommand, terminal: Terminal): Promise<number> {
  const { world, signal } = terminal;
  if (command.approve) mustAsk(terminal, "The run waits until somebody resumes it at a terminal.");
  const { quiet, acceptChanges, concurrency, budget } = command;
  return await withKeptRun(command, terminal, async ({ record, ledger, outputs, orchestrator }) => {
    const { runId } = record;
    const facts = await ledger.readFacts(runId);
    // Who sits here can be asked what the run waits for.
    const asks = command.approve || (canAsk(terminal) && readPast(runId, facts).approval === "needed");
    const approval = asks ? new TerminalApproval(terminal, maxWorkers(undefined)) : undefined;
    const run = await orchestrator.resume(runId, {
      signal,
      acceptChanges,
      ...(concurrency !== undefined && { concurrency }),
      ...(budget && { budget }),
      ...(approval && { approvePlan: approval.approve }),
    });

    const { outcome } = facts.reduce(reduce, initialRunState);
    const isOver = outcome !== undefined && isComplete(outcome);
    if (!quiet) {
      const what = `${await shortId(ledger, runId)}, "${shownTask(record)}"`;
      const left = whatIsLeft(facts.reduce(reduce, initialRunState));
      sayTo(
        terminal,
        isOver
          ? `The run ${what}, ${outcome.status === "ok" ? "ended well" : "is over"}: nothing is asked again.`
          : `Going on with ${what}${left === undefined ? "" : `, to ${left}`}.`,
      );
    }
    const since = isOver ? lastBegun(facts) : world.runtime.clock.now();
    return await followRun(run, { command, outputs, ledger, approval, seen: facts.at(-1)?.seq ?? -1, ...(since !== undefined && { since }) }, terminal);
  });
}
