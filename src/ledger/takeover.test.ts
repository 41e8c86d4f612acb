import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { systemClock, timeOfDay } from "../runtime.ts";
import { holdRun, type ProcessIdentity } from "./lease-keeper.ts";
import { type Child, startChild } from "./ledger-child-fixture.ts";
import { ownAndWrite } from "./ledger-child-work-fixture.ts";
import { factOf, recordOf, someone } from "./ledger-fixture.ts";
import type { Ledger } from "./ledger.ts";
import { writerOf } from "./ledger-writer.ts";
import { newFiles } from "./new-files-fixture.ts";
import { isDead, thisProcess } from "./process-identity.ts";
import { RunLog } from "./run-log.ts";
import { sqliteLedger } from "./sqlite-ledger.ts";

const newFile = newFiles();
const unused = (): void => undefined;

/** This process, at a time of day of its own. */
const us = (aheadMs = 0): ProcessIdentity => ({ owner: thisProcess(), isDead, now: () => timeOfDay() + aheadMs });

async function stop({ process: child }: Child): Promise<void> {
  child.kill("SIGSTOP");
  while (!spawnSync("ps", ["-o", "state=", "-p", String(child.pid)], { encoding: "utf8" }).stdout.startsWith("T")) await sleep(5);
}

async function authorsOf(ledger: Ledger): Promise<string[]> {
  return (await ledger.readFacts("r")).map((fact) => `${fact.seq} ${fact.type === "plan.answered" ? fact.analysis : ""}`);
}

describe("a run's process", () => {
  test("that was stopped, and wakes after a takeover, writes nothing to the log; what it has paid for is taken", async () => {
    const file = newFile();
    const ledger = sqliteLedger(file);
    await using child = startChild(ownAndWrite, [file]);
    expect(await child.heard()).toBe("holds 1");
    for (const seq of [0, 1]) {
      child.tell("fact");
      expect(await child.heard()).toBe(`wrote ${seq}`);
    }

    await stop(child);
    await expect(holdRun(ledger, "r", us(), systemClock, unused)).rejects.toMatchObject({ code: "run_held" });
    // As it would be half a minute later: nobody can tell that a stopped process is not just slow.
    const held = await holdRun(ledger, "r", us(30_000), systemClock, unused);
    expect(held.epoch).toBe(2);
    const log = new RunLog(recordOf("r"), held.epoch, writerOf(ledger, systemClock), unused);
    log.append(factOf("r", 2, "by epoch 2"), recordOf("r"));
    await log.committed();

    for (const order of ["fact", "call late", "fact"]) child.tell(order);
    child.process.kill("SIGCONT");
    expect([await child.heard(), await child.heard()]).toEqual(["broken: run_taken_over", "refused: run_taken_over"]);
    expect([await child.heard(), await child.heard()]).toEqual(["paid late", "refused: run_taken_over"]);

    log.append(factOf("r", 3, "by epoch 2"), recordOf("r"));
    await log.committed();
    expect(await authorsOf(ledger)).toEqual(["0 by epoch 1", "1 by epoch 1", "2 by epoch 2", "3 by epoch 2"]);
    expect([await ledger.readCall("r", "late"), await ledger.readLease("r")]).toMatchObject(["paid", { epoch: 2, owner: thisProcess() }]);
    await held.release();
    await ledger.close();
  });

  // Elsewhere nobody can tell, and the lease has to end.
  test.runIf(process.platform === "linux")("that was killed leaves its run to whoever asks next, at once", async () => {
    const file = newFile();
    const ledger = sqliteLedger(file);
    await using first = startChild(ownAndWrite, [file]);
    expect(await first.heard()).toBe("holds 1");
    await expect(holdRun(ledger, "r", { ...us(), owner: someone }, systemClock, unused)).rejects.toMatchObject({
      code: "run_held",
      message: expect.stringContaining(`process ${first.process.pid} on `),
    });
    first.process.kill("SIGKILL");
    await first.ended();
    await using second = startChild(ownAndWrite, [file]);
    expect(await second.heard()).toBe("holds 2");
    await ledger.close();
  });
});
