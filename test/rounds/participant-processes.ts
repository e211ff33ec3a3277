/** The processes of participants that this one has started. */
import { execFileSync } from "node:child_process";
import { expect } from "vitest";

/**
 * Sends a signal to the process of a participant, which its arguments name.
 * @param folder of the test, which its arguments name too
 */
export function signalTo(folder: string, participant: number, signal: NodeJS.Signals): void {
  const lines = execFileSync("ps", ["-ww", "-ax", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  const own = lines.filter((line) => line.includes(folder) && line.includes(`"participant":${participant},`));
  const pids = own.map((line) => /^\s*(\d+)\s+(\d+)/.exec(line)!).filter(([, , parent]) => Number(parent) === process.pid); // prettier-ignore
  expect(pids.length).toBe(1);
  process.kill(Number(pids[0][1]), signal);
}
