/** Runs a job in a process of its own, so that nothing that it does can end the provider. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { RunError } from "../../errors/index.ts";
import { plainText } from "../../game/received.ts";

/** The characters that are kept of what a run says last. */
const MOST_SAID = 2_000;

export interface RunOrder {
  /** The job file. */
  job: string;
  /** The trace to write, or to continue. */
  trace: string;
  /** Training steps in a segment. */
  commitEvery: number;
  /** Further options of `verde run`, such as `--backend native`. */
  options: readonly string[];
  /** Ends the run after the training step that is executed now; it can be continued. */
  signal: AbortSignal;
}

/**
 * Runs a job, or continues its run, until its trace is finished.
 * @param command how `verde` is started: a program and its first arguments
 * @throws {RunError} when the run ends before its trace is finished; the next call continues it
 */
export async function runApart(command: readonly string[], order: RunOrder): Promise<void> {
  const { job, trace, commitEvery, options, signal } = order;
  const args = ["run", job, "--out", trace, "--commit-every", `${commitEvery}`, "--progress", "off"];
  // What an honest run of the job is does not depend on whether it diverges.
  args.push("--no-stop-on-divergence", ...options, ...(existsSync(trace) ? ["--resume"] : []));
  // What is lost of an earlier run is computed again: the same job has the same root.
  args.push("--force");
  const child = spawn(command[0], [...command.slice(1), ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (piece: Buffer) => (said = (said + piece.toString()).slice(-MOST_SAID)));
  const stop = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  try {
    const [code, killedBy] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    if (code === 0) return;
    const last = said.split("\n").findLast((line) => line.trim() !== "") ?? "";
    const how = killedBy === null ? `with the code ${code}` : `by the signal ${killedBy}`;
    throw new RunError("STOPPED", `the run of ${job} ended ${how}${last === "" ? "" : `: ${plainText(last)}`}`, {
      trace,
      code,
    });
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
