/** Locks between real processes: one holder at a time, whoever was killed before. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { FileError } from "../../src/errors/index.ts";
import { holderOf, takeLock, waitForLock } from "../../src/files/lock.ts";
import type { Owner } from "../../src/files/owner.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const HOLD = fileURLToPath(new URL("./hold.ts", import.meta.url));
const path = temporaryFolder();

function start(...args: string[]) {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", HOLD, ...args]);
}

async function holding(file: string) {
  const child = start(file);
  await once(child.stdout, "data");
  return child;
}

const ownerIn = (file: string): Owner => JSON.parse(readFileSync(file, "utf8")) as Owner;

function refusal(file: string): FileError {
  try {
    takeLock(file, "a.trace").release();
  } catch (error) {
    if (error instanceof FileError) return error;
  }
  throw new Error("the lock was taken");
}

describe("a lock", () => {
  test("can't be in a file, or in a folder that is not there, and the refusal names it", () => {
    writeFileSync(path("file"), "");
    for (const folder of ["file", "missing"]) {
      const error = refusal(path(`${folder}/a.lock`));
      expect(error.code).toBe("VERDE_FILE_UNWRITABLE");
      expect(error.message).toContain(path(`${folder}/a.lock`));
    }
  });

  test("names its owner, and both processes when another one wants it", async () => {
    const file = path("named.lock");
    const child = await holding(file);
    expect(ownerIn(file)).toMatchObject({
      pid: child.pid,
      host: hostname(),
      command: expect.stringContaining("hold.ts"),
    });
    const error = refusal(file);
    expect(error.code).toBe("VERDE_FILE_LOCKED");
    expect(error.message).toMatch(
      new RegExp(`^a\\.trace is being written by process ${child.pid} \\(hold\\.ts .*, so process ${process.pid} \\(`),
    );
    expect(error.evidence).toMatchObject({ path: file, owner: child.pid });
    expect(holderOf(file)).toContain(`process ${child.pid} (`);
    child.stdin.end();
    await once(child, "exit");
    // It is gone at the end of the process, although that has not released it.
    expect(existsSync(file)).toBe(false);
    expect(holderOf(file)).toBeUndefined();
    takeLock(file, "a.trace").release();
    expect(readdirSync(path(".")).filter((name) => name.startsWith("named"))).toEqual([]);
  });

  test("of a killed process is taken over", async () => {
    const file = path("killed.lock");
    const child = await holding(file);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(file)).toBe(true);
    expect(holderOf(file)).toBeUndefined();
    const lock = takeLock(file, "a.trace");
    expect(ownerIn(file).pid).toBe(process.pid);
    lock.release();
    expect(readdirSync(path(".")).filter((name) => name.startsWith("killed"))).toEqual([]);
  });

  test("is taken over where the number of the process is used again, or the machine was started again", () => {
    const file = path("changed.lock");
    takeLock(path("own.lock"), "own");
    const own = ownerIn(path("own.lock"));
    const parent = { ...own, pid: process.ppid, started: null };
    writeFileSync(file, JSON.stringify(parent));
    expect(refusal(file).message).toContain(`process ${process.ppid} (`);
    // Only where the system tells when a process started.
    const stale = [{ ...parent, boot: "another" }, ...(own.started === null ? [] : [{ ...parent, started: "1" }])];
    for (const owner of stale) {
      writeFileSync(file, JSON.stringify(owner));
      takeLock(file, "a.trace").release();
      expect(existsSync(file)).toBe(false);
    }
  });

  test("of another host, another container, or of nobody known is never taken over", () => {
    const file = path("elsewhere.lock");
    takeLock(path("here.lock"), "here");
    const own = { ...ownerIn(path("here.lock")), pid: 2 ** 30 };
    const contents: [string, RegExp][] = [
      [JSON.stringify({ ...own, host: "elsewhere" }), /on elsewhere .*if it has ended, remove .*elsewhere\.lock/],
      [JSON.stringify({ ...own, machine: "another" }), /if it has ended, remove .*elsewhere\.lock/],
      [JSON.stringify({ ...own, space: "pid:[1]" }), /if it has ended, remove .*elsewhere\.lock/],
      ["4711", /names no process; if none writes to it, remove .*elsewhere\.lock/],
      [JSON.stringify({ ...own, pid: -1 }), /names no process/],
      ["", /names no process/],
    ];
    for (const [content, words] of contents) {
      writeFileSync(file, content);
      const error = refusal(file);
      expect([error.code, error.message]).toEqual(["VERDE_FILE_LOCKED", expect.stringMatching(words)]);
      expect(readFileSync(file, "utf8")).toBe(content);
    }
  });

  test("that cannot be made names its file", () => {
    expect(() => takeLock(path("nowhere/a.lock"), "a")).toThrow(
      expect.objectContaining({ code: "VERDE_FILE_UNWRITABLE", message: expect.stringContaining("nowhere/a.lock") }),
    );
  });

  test("is not released for somebody who came after", async () => {
    const file = path("after.lock");
    const lock = takeLock(file, "a");
    const other = { ...ownerIn(file), token: "another" };
    writeFileSync(file, JSON.stringify(other));
    lock.release();
    expect(ownerIn(file).token).toBe("another");
  });

  test("has one holder at a time, also when it begins with one that was killed", async () => {
    const file = path("busy.lock");
    const log = path("busy.log");
    const killed = await holding(file);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    // The first never ends by itself: this process may look at the log late.
    const children = ["1000000", "20", "20", "20", "20"].map((times) => start(file, log, times));
    const ends = children.map((child) => once(child, "exit"));
    // One of them is killed in the middle: the others take over from it, too.
    const victim = children[0];
    while (!existsSync(log) || !readFileSync(log, "utf8").includes(`out ${victim.pid}\n`))
      await new Promise((resolve) => setTimeout(resolve, 5));
    victim.kill("SIGKILL");
    expect((await Promise.all(ends)).map(([code]) => code as number | null)).toEqual([null, 0, 0, 0, 0]);
    const lines = readFileSync(log, "utf8").trimEnd().split("\n");
    for (let i = 0; i < lines.length; i++) {
      const [word, pid] = lines[i].split(" ");
      if (word === "out") continue;
      if (lines[i + 1] === `out ${pid}`) i++;
      else expect(pid, `line ${i + 1} of ${lines.length}`).toBe(String(victim.pid));
    }
    expect(lines.filter((line) => line.startsWith("out")).length).toBeGreaterThanOrEqual(81);
    (await waitForLock(file, "a")).release();
  });
});
