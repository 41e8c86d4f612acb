import { hash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { systemCodeOf } from "../system-code.ts";
import type { LeaseOwner } from "./ledger.ts";

/** This process, as its leases name it. */
export function thisProcess(): LeaseOwner {
  return { pid: process.pid, host: hostname(), space: space(), startTime: statOf("self")?.startTime ?? "" };
}

/**
 * Is that process certainly dead? A number is given again in time, and counts differently in each container: so it says nothing
 * without the boot, the number space and the start time, which Linux tells (proc(5)). Another boot says that it is dead only where
 * both were the same machine: containers of two machines may bear one host name. Where this is not known, nobody is certain: the
 * lease's end decides.
 *
 * @param here who asks
 */
export function isDead(owner: LeaseOwner, here: LeaseOwner = thisProcess()): boolean {
  if (owner.space === "" || here.space === "" || owner.host !== here.host) return false;
  const [machine, boot, pids] = owner.space.split(" ");
  const [ourMachine, ourBoot, ourPids] = here.space.split(" ");
  if (boot !== ourBoot) return machine === ourMachine && machine !== unknown;
  if (pids !== ourPids) return false;
  const found = statOf(owner.pid);
  // A system may hide the processes of other users.
  if (found === undefined) return !exists(owner.pid);
  return found.ended || (owner.startTime !== "" && found.startTime !== owner.startTime);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return systemCodeOf(thrown) === "EPERM";
  }
}

function space(): string {
  const boot = read(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const pids = read(() => readlinkSync("/proc/self/ns/pid"));
  // A container may see another's /proc, which numbers processes differently.
  const isOurs = read(() => readlinkSync("/proc/self")) === String(process.pid);
  return boot !== "" && pids !== "" && isOurs ? `${machine()} ${boot} ${pids}` : "";
}

const unknown = "-";

/** Hashed, for a machine's id is nobody else's business (machine-id(5)). Images have an empty one, or one that is no id yet. */
function machine(): string {
  const id = read(() => readFileSync("/etc/machine-id", "utf8").trim());
  return /^[0-9a-f]{32}$/.test(id) ? hash("sha256", `divvy ${id}`, "hex").slice(0, 16) : unknown;
}

interface ProcessStat {
  /** Dead, and only kept by the system until its parent has asked how it ended. */
  readonly ended: boolean;
  /** In clock ticks since the boot. */
  readonly startTime: string;
}

/** The first and the 20th field after the name, which stands in parentheses and may hold anything. */
function statOf(pid: number | "self"): ProcessStat | undefined {
  const stat = read(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTime] = [fields[0], fields[19]];
  return state === undefined || startTime === undefined ? undefined : { ended: state === "Z" || state === "X", startTime };
}

function read(from: () => string): string {
  try {
    return from();
  } catch {
    return "";
  }
}
