/**
 * Lock files: one process at a time writes to what a lock stands for. A lock names its owner. The lock of a
 * process that has ended does not count, and exactly one process takes it over.
 */
import { syncFs } from "../encoding/node.ts";
import { FileError, unwritable } from "../errors/index.ts";
import { nameOfOwner, type Owner, ownerHere, parseOwner, stateOf } from "./owner.ts";

/** A lock that this process holds. It is released when the process ends, too. */
export interface FileLock {
  readonly path: string;
  release(): void;
}

/** How often a lock is looked at while it changes, and the pause between, in milliseconds. */
const ATTEMPTS = 200;
const PAUSE = 5;
/** What the system says where a file can't have two names. */
const NO_LINKS: readonly unknown[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

const held = new Map<string, string>();
let watching = false;

/**
 * Takes a lock, or fails at once.
 * @param path the lock's own file
 * @param what it is for, as the user knows it: `a.trace`
 * @throws {FileError} when another process holds it (`LOCKED`), or no file can be made there
 */
export function takeLock(path: string, what: string): FileLock {
  const own = ownerHere();
  const draft = `${path}.${own.token}`;
  try {
    syncFs.writeFileSync(draft, `${JSON.stringify(own)}\n`, { flag: "wx" });
    for (let attempt = 0; !appears(draft, path); attempt++) {
      const owner = ownerOf(path);
      if (owner && stateOf(owner) !== "gone") throw locked(path, what, own, owner);
      if (owner && replaces(draft, path, owner)) break;
      // It has just been released or taken over, or it is being written.
      if (attempt >= ATTEMPTS) throw locked(path, what, own, owner);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  } catch (cause) {
    throw unwritable(path, cause);
  } finally {
    removes(draft);
  }
  hold(path, own.token);
  return { path, release: () => release(path, own.token) };
}

/**
 * Takes a lock that others hold for moments only: it waits for them.
 * @throws {FileError} when another process still holds it after this time
 */
export async function waitForLock(path: string, what: string, millis = 10_000): Promise<FileLock> {
  const end = performance.now() + millis;
  for (;;)
    try {
      return takeLock(path, what);
    } catch (error) {
      if (!isLocked(error) || performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2 * PAUSE));
    }
}

/** The process that holds a lock. `undefined` when none does, or it has ended. */
export function holderOf(path: string): string | undefined {
  const owner = ownerOf(path);
  return owner && stateOf(owner) !== "gone" ? nameOfOwner(owner) : undefined;
}

export function isLocked(error: unknown): boolean {
  return error instanceof FileError && error.code === "VERDE_FILE_LOCKED";
}

/** Removes a draft. Where that fails, it could not be written either, and that is the error. */
function removes(draft: string): void {
  try {
    syncFs.rmSync(draft, { force: true });
  } catch {}
}

/** Gives the draft the lock's name, unless there is such a file. So a lock appears with its whole content. */
function appears(draft: string, path: string): boolean {
  try {
    syncFs.linkSync(draft, path);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (!NO_LINKS.includes(code)) throw cause;
  }
  try {
    syncFs.writeFileSync(path, syncFs.readFileSync(draft), { flag: "wx" });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
}

/**
 * Takes over the lock of a process that has ended. Of two that try, the second finds another owner: whoever
 * replaces a lock holds a second lock meanwhile, so nobody replaces what was not looked at.
 */
function replaces(draft: string, path: string, stale: Owner): boolean {
  let guard: FileLock;
  try {
    guard = takeLock(`${path}.takeover`, path);
  } catch (error) {
    if (isLocked(error)) return false;
    throw error;
  }
  try {
    if (ownerOf(path)?.token !== stale.token) return false;
    syncFs.renameSync(draft, path);
    return true;
  } finally {
    guard.release();
  }
}

function ownerOf(path: string): Owner | undefined {
  try {
    return parseOwner(syncFs.readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function hold(path: string, token: string): void {
  held.set(path, token);
  if (watching) return;
  watching = true;
  process.on("exit", () => {
    for (const [left, own] of held) release(left, own);
  });
}

function release(path: string, token: string): void {
  if (held.get(path) === token) held.delete(path);
  // Not somebody else's, who came after a user had removed this one.
  if (ownerOf(path)?.token === token) syncFs.rmSync(path, { force: true });
}

function locked(path: string, what: string, own: Owner, owner: Owner | undefined): FileError {
  const evidence = { path, ...(owner && { owner: owner.pid, host: owner.host, command: owner.command }) };
  const here = `so ${nameOfOwner(own)} does not`;
  if (!owner)
    return new FileError("LOCKED", `${what} is locked, and ${path} names no process; if none writes to it, remove ${path}`, evidence); // prettier-ignore
  if (stateOf(owner) === "elsewhere")
    return new FileError(
      "LOCKED",
      `${what} is being written by ${nameOfOwner(owner)}, ${here}; that process can't be seen from here, so if it has ended, remove ${path}`,
      evidence,
    );
  return new FileError(
    "LOCKED",
    `${what} is being written by ${nameOfOwner(owner)}, ${here}; wait until it ends, or stop it`,
    evidence,
  );
}
