/**
 * Runs of very many cheap steps, as a user has them: what `verde run`, `inspect` and `dispute` take, in
 * seconds and in memory, and the bytes of the trace.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Growth, Size } from "./series.ts";

const here = (name: string): string => fileURLToPath(new URL(`${name}${import.meta.url.slice(-3)}`, import.meta.url));
const MAIN = here("../../src/cli/main");
const JOB = here("tiny-job");
const STEPS = { small: [1_000, 10_000], full: [1_000, 10_000, 100_000] } as const;
/** Prints the most memory of the process when it ends, in KiB. */
const REPORT = `data:text/javascript,process.on("exit",()=>process.stderr.write("\\npeak "+process.resourceUsage().maxRSS))`;

interface Ran {
  seconds: number;
  memoryMiB: number;
  json: Record<string, unknown>;
}

/** Runs a command to its end, and takes the last line that it prints. */
function verde(folder: string, ...args: string[]): Promise<Ran> {
  const env = { ...process.env, VERDE_STATE: join(folder, "state") };
  const began = performance.now();
  const child = spawn(process.execPath, ["--import", REPORT, MAIN, ...args, "--json"], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Of output that may be as long as the run, the end is enough.
  let [last, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (last = (last + text).slice(-100_000)));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-10_000)));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      const seconds = (performance.now() - began) / 1000;
      const peak = /\npeak (\d+)/.exec(stderr)?.[1];
      if ((status !== 0 && status !== 1) || peak === undefined) reject(new Error(`verde ${args[0]}: ${stderr}`));
      else resolve({ seconds, memoryMiB: Number(peak) / 1024, json: lastObject(last) });
    });
  });
}

function lastObject(text: string): Record<string, unknown> {
  const line = text.trim().split("\n").at(-1) ?? "";
  return line.startsWith("{") ? (JSON.parse(line) as Record<string, unknown>) : {};
}

export async function growRuns(size: Size, { say, point }: Growth): Promise<void> {
  for (const steps of STEPS[size]) {
    const folder = mkdtempSync(join(tmpdir(), "verde-bench-"));
    try {
      const [a, b] = ["a", "b"].map((name) => join(folder, `${name}.trace`));
      say(`a run of ${steps} cheap steps`);
      const count = ["--steps", String(steps)];
      const ran = await verde(folder, "run", JOB, ...count, "--out", a);
      // A learning rate of two thirds, from two thirds of the run.
      const fault = `lr:from=${Math.ceil((2 * steps) / 3)},factor=0.66`;
      await verde(folder, "run", JOB, ...count, "--out", b, "--fault", fault);
      say(`inspecting and disputing ${steps} cheap steps`);
      const inspected = await verde(folder, "inspect", a);
      const disputed = await verde(folder, "dispute", a, b);
      const { rounds, bytes, millis } = disputed.json.referee as Record<string, number>;
      point("steps", {
        steps,
        traceBytes: statSync(a).size,
        runSeconds: ran.seconds,
        runMiB: ran.memoryMiB,
        inspectSeconds: inspected.seconds,
        inspectMiB: inspected.memoryMiB,
        disputeSeconds: disputed.seconds,
        disputeMiB: disputed.memoryMiB,
        rounds,
        bytes,
        refereeMillis: millis,
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
