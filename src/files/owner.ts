/** Who holds a lock, and whether that process still exists. */
import { os, path as paths, syncFs } from "../encoding/node.ts";

/** A process, as a lock file names it. */
export interface Owner {
  pid: number;
  host: string;
  /** Of the machine and of its present start, where the system has them: host names are not unique. */
  machine: string | null;
  boot: string | null;
  /** The space in which the number of the process counts: containers have their own. */
  space: string | null;
  /** When the process started, in the system's own unit: numbers of processes are used again. */
  started: string | null;
  /** When it took the lock. */
  since: string;
  command: string;
  /** Differs for each lock that was ever taken. */
  token: string;
}

const MOST_COMMAND = 200;

function textOf(file: string): string | null {
  try {
    return syncFs.readFileSync(file, "utf8").trim() || null;
  } catch {
    return null;
  }
}

function linkOf(file: string): string | null {
  try {
    return syncFs.readlinkSync(file);
  } catch {
    return null;
  }
}

/** The fields of /proc/PID/stat after the name, which may hold spaces: state, parent, and so on. */
function statOf(pid: number): string[] | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

let place: Pick<Owner, "pid" | "host" | "machine" | "boot" | "space" | "started" | "command"> | undefined;

/** This process as the owner of one more lock. */
export function ownerHere(): Owner {
  place ??= {
    pid: process.pid,
    host: os.hostname(),
    machine: textOf("/etc/machine-id"),
    boot: textOf("/proc/sys/kernel/random/boot_id"),
    space: linkOf("/proc/self/ns/pid"),
    started: statOf(process.pid)?.[19] ?? null,
    command: commandHere(),
  };
  return { ...place, since: new Date().toISOString(), token: crypto.randomUUID() };
}

function commandHere(): string {
  const [, program = "", ...words] = process.argv;
  const name = /^(main\.[jt]s|verde\.js)$/.test(paths.basename(program)) ? "verde" : paths.basename(program);
  return [name, ...words].join(" ").slice(0, MOST_COMMAND);
}

/** @returns `undefined` for a text that no lock of Verde's has */
export function parseOwner(text: string): Owner | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const owner = (value ?? {}) as Partial<Record<keyof Owner, unknown>>;
  const texts = [owner.host, owner.since, owner.command, owner.token];
  const optional = [owner.machine, owner.boot, owner.space, owner.started];
  const fits =
    Number.isSafeInteger(owner.pid) &&
    (owner.pid as number) > 0 &&
    texts.every((text) => typeof text === "string") &&
    optional.every((text) => text === null || typeof text === "string");
  return fits ? (owner as Owner) : undefined;
}

/** `elsewhere`: it can't be seen from here, so nothing is known about it. */
export function stateOf(owner: Owner): "alive" | "gone" | "elsewhere" {
  const here = ownerHere();
  if (owner.host !== here.host || owner.machine !== here.machine) return "elsewhere";
  // The machine was started again since.
  if (owner.boot !== here.boot) return "gone";
  if (owner.space !== here.space) return "elsewhere";
  if (!exists(owner.pid)) return "gone";
  const stat = statOf(owner.pid);
  // Z, X: it has ended, and its parent has not yet noticed.
  if (stat && /^[ZX]/.test(stat[0])) return "gone";
  return stat && owner.started !== null && stat[19] !== owner.started ? "gone" : "alive";
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** `process 4711 (verde run job.ts --out a.trace, since 2026-11-29T10:00:00.000Z)` */
export function nameOfOwner({ pid, host, since, command }: Owner): string {
  const on = host === os.hostname() ? "" : ` on ${host}`;
  return `process ${pid}${on} (${command}, since ${since})`;
}
