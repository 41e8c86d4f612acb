import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { DivvyError } from "../errors.ts";
import type { RunWrites } from "./ledger.ts";
import { factOf, recordOf } from "./ledger-fixture.ts";
import type { LedgerWriter, RunEntry } from "./ledger-writer.ts";
import { RunLog } from "./run-log.ts";

/** A writer that writes when the test says so. */
function heldWriter(): LedgerWriter & { readonly entries: RunEntry[]; readonly written: RunWrites[]; write(error?: DivvyError): void } {
  const entries: RunEntry[] = [];
  const written: RunWrites[] = [];
  return {
    entries,
    written,
    writeRun: (entry) => void entries.push(entry),
    writeCall: async () => undefined,
    write: (error) => {
      const entry = entries.shift();
      const writes = entry?.take();
      if (error === undefined && writes !== undefined) written.push(writes);
      entry?.end(error);
    },
  };
}

function newLog(): { readonly log: RunLog; readonly writer: ReturnType<typeof heldWriter>; readonly broken: DivvyError[]; add(seq: number): void } {
  const writer = heldWriter();
  const broken: DivvyError[] = [];
  const log = new RunLog(recordOf("r"), 3, writer, (error) => broken.push(error));
  return { log, writer, broken, add: (seq) => log.append(factOf("r", seq), recordOf("r", { calls: seq })) };
}

async function stateOf(promise: Promise<void>): Promise<string> {
  const settled = promise.then(
    () => "kept",
    (thrown: unknown) => (thrown instanceof DivvyError ? thrown.code : "?"),
  );
  return await Promise.race([settled, setImmediate("waiting")]);
}

const fault = new DivvyError("ledger_failed", "The disk is full.");

describe("a run log", () => {
  test("is committed where nothing was added", async () => {
    expect(await stateOf(newLog().log.committed())).toBe("kept");
  });

  test("writes what was added until then in one go, with the last record, under its lease", () => {
    const { writer, add } = newLog();
    for (const seq of [0, 1, 2]) add(seq);
    expect(writer.entries.map(({ runId }) => runId)).toEqual(["r"]);
    writer.write();
    expect(writer.written).toEqual([{ runId: "r", epoch: 3, facts: [0, 1, 2].map((seq) => factOf("r", seq)), record: recordOf("r", { calls: 2 }) }]);
  });

  test("is committed when all that was added is, and not when only some of it is", async () => {
    const { log, writer, add } = newLog();
    add(0);
    const first = writer.entries[0];
    first?.take();
    // While the first is being written.
    add(1);
    const both = log.committed();
    first?.end();
    writer.entries.shift();
    expect(await stateOf(both)).toBe("waiting");
    writer.write();
    expect(await stateOf(both)).toBe("kept");
    expect(writer.written.map(({ facts }) => facts.length)).toEqual([1]);
  });

  test("writes nothing after a write that failed, says so once, and to whoever waits", async () => {
    const { log, writer, broken, add } = newLog();
    add(0);
    const first = writer.entries[0];
    first?.take();
    add(1);
    first?.end(fault);
    writer.entries.shift();
    add(2);
    writer.write();
    expect(await stateOf(log.committed())).toBe("ledger_failed");
    add(3);
    expect(writer.entries).toEqual([]);
    expect(writer.written).toEqual([]);
    expect(broken).toEqual([fault]);
    await expect(log.committed()).rejects.toBe(fault);
  });

  test("breaks when another process has taken the run over", async () => {
    const { log, writer, broken, add } = newLog();
    add(0);
    writer.write(new DivvyError("run_taken_over", "scripted"));
    expect(await stateOf(log.committed())).toBe("run_taken_over");
    expect(broken.map(({ code }) => code)).toEqual(["run_taken_over"]);
  });
});
