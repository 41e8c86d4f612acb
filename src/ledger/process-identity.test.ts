import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { LeaseOwner } from "./ledger.ts";
import { isDead, thisProcess } from "./process-identity.ts";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A process that lives until it is killed, described from outside as it would describe itself. */
function living(): { readonly child: ChildProcess; readonly owner: LeaseOwner } {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  children.push(child);
  return { child, owner: ownerOf(child.pid ?? 0) };
}

function ownerOf(pid: number): LeaseOwner {
  return { ...thisProcess(), pid, startTime: statOf(pid).startTime };
}

function statOf(pid: number): { readonly state: string; readonly startTime: string } {
  const [, state = "", startTime = ""] = /^.*\) (\S)(?: \S+){18} (\S+)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
  return { state, startTime };
}

// Only Linux tells enough to be certain; elsewhere a lease has to end by itself.
describe.runIf(process.platform === "linux")("a process", () => {
  test("is described by what tells it apart on its host, and nothing else", () => {
    const { startTime } = statOf(process.pid);
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const space = expect.stringMatching(new RegExp(`^([0-9a-f]{16}|-) ${boot} pid:\\[\\d+\\]$`));
    expect(thisProcess()).toEqual({ pid: process.pid, host: hostname(), space, startTime });
    expect(startTime).toMatch(/^\d+$/);
  });

  test.runIf(existsSync("/etc/machine-id"))("tells nobody its machine's id", () => {
    expect(thisProcess().space).not.toContain(readFileSync("/etc/machine-id", "utf8").trim() || "?");
  });

  test("is not dead while it lives, itself included", () => {
    expect([isDead(living().owner), isDead(thisProcess())]).toEqual([false, false]);
  });

  test("is not dead while it is stopped", async () => {
    const { child, owner } = living();
    child.kill("SIGSTOP");
    while (statOf(owner.pid).state !== "T") await sleep(5);
    expect(isDead(owner)).toBe(false);
  });

  test("is dead when it was killed", async () => {
    const { child, owner } = living();
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isDead(owner)).toBe(true);
    expect(isDead({ ...owner, startTime: "" })).toBe(true);
  });

  test("is dead though its parent has not asked how it ended", async () => {
    // The shell becomes a program that asks after no children.
    const parent = spawn("sh", ["-c", "sleep 0.2 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    children.push(parent);
    const owner = ownerOf(Number(await firstLine(parent)));
    expect(isDead(owner)).toBe(false);
    while (statOf(owner.pid).state !== "Z") await sleep(10);
    expect(isDead(owner)).toBe(true);
  });

  test("is dead when its number is another's by now, which started at another time", () => {
    const { owner } = living();
    expect(isDead({ ...owner, startTime: String(Number(owner.startTime) - 1) })).toBe(true);
  });

  test("is dead when its machine has been started anew; of another machine, or one that is not known, nobody can tell", () => {
    const { owner } = living();
    const [, boot = "", pids = ""] = owner.space.split(" ");
    const here = { ...owner, space: `mine ${boot} ${pids}` };
    const before = "0dd0b007-0000-4000-8000-000000000000";
    expect(isDead({ ...owner, space: `mine ${before} ${pids}` }, here)).toBe(true);
    expect(isDead({ ...owner, space: `other ${before} ${pids}` }, here)).toBe(false);
    expect(isDead({ ...owner, space: `- ${before} ${pids}` }, here)).toBe(false);
    expect(isDead({ ...owner, space: `- ${before} ${pids}` }, { ...owner, space: `- ${boot} ${pids}` })).toBe(false);
  });

  test("may be alive in another container, where its number means another process", () => {
    const { owner } = living();
    expect(isDead({ ...owner, pid: 2 ** 22 - 1, space: owner.space.replace(/pid:.*/, "pid:[1]") })).toBe(false);
  });

  test("may be alive on another host, whatever else is said of it", () => {
    const { owner } = living();
    expect(isDead({ ...owner, host: "elsewhere", space: "another boot", startTime: "1" })).toBe(false);
  });

  test("may be alive where its system did not say enough", () => {
    const { owner } = living();
    expect(isDead({ ...owner, startTime: "" })).toBe(false);
    expect(isDead({ ...owner, space: "", startTime: "1", pid: 2 ** 22 - 1 })).toBe(false);
  });
});

async function firstLine(child: ChildProcess): Promise<string> {
  const [data]: unknown[] = child.stdout === null ? [] : await once(child.stdout, "data");
  return String(data).split("\n", 1)[0] ?? "";
}
