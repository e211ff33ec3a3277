import { execFile } from "node:child_process";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { exitCodeOf } from "../../src/cli/exit.ts";
import { jobOptions } from "../../src/cli/job-options.ts";
import { Progress } from "../../src/cli/progress.ts";
import { RunProgress } from "../../src/cli/run-progress.ts";
import { register } from "../../src/cli/run.ts";
import { messageOf } from "../../src/errors/index.ts";
import { openTrace, run } from "../../src/trace/index.ts";
import line from "../fixtures/line.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const LINE = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "verde-cli-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function verde(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", MAIN, ...args],
      { cwd: folder, env: { ...process.env, NO_COLOR: "1" } },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

const objects = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text));

describe("verde run", () => {
  it("keeps what a job says away from its results", async () => {
    const talk = 'console.log("loading"); console.table([1]);';
    const module = `import job from ${JSON.stringify(LINE)}; ${talk} export default job;`;
    writeFileSync(join(folder, "talks.ts"), module);
    const { code, stdout, stderr } = await verde("run", "talks.ts", "--steps", "3", "--json");
    expect([code, objects(stdout).length]).toEqual([0, 5]);
    expect(stderr).toMatch(/^loading\n┌/);
  });

  it("writes the trace that the library writes, and sums it up", async () => {
    const { code, stdout, stderr } = await verde("run", LINE, "--steps", "8", "--seed", "3", "--out", "a.trace");
    const own = await run(await line.close({ steps: 8, seed: 3 }), { out: join(folder, "own.trace") });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(readFileSync(join(folder, "a.trace")).equals(readFileSync(join(folder, "own.trace")))).toBe(true);
    expect(stdout).toMatch(/^line: 8 training steps in /);
    expect(stdout).toMatch(/^ {2}loss +[\d.]+ → [\d.]+$/m);
    expect(stdout).toContain("model          21 parameters\n");
    expect(stdout).toContain(`run root       ${toHex(own.runRoot)}\n`);
    expect(stdout).toContain("trace          a.trace\n");
  });

  it("prints an object a step and one at the end for programs", async () => {
    const { code, stdout, stderr } = await verde("run", LINE, "--json", "--steps", "4", "--commit-every", "3");
    const { runRoot, segmentRoots, metrics } = await run(await line.close({ steps: 4 }), { commitEvery: 3 });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [summary, ...steps] = objects(stdout).reverse();
    expect(steps.reverse()).toEqual(
      metrics.map((named, step) => ({
        schemaVersion: 1,
        step,
        metrics: named,
        seconds: expect.any(Number),
        unitsPerSecond: expect.any(Number),
        ...([0, 3, 4].includes(step) && { root: toHex(segmentRoots[[0, 3, 4].indexOf(step)]) }),
      })),
    );
    expect(summary).toEqual({
      schemaVersion: 1,
      commitEvery: 3,
      checkpointEvery: 3,
      replayedSteps: 7,
      backend: "wasm",
      why: "the job is short",
      audit: { steps: expect.any(Number), elements: expect.any(Number) },
      job: "line",
      steps: 4,
      parameters: { trained: 2 * 5 + 5 + 5 + 1, frozen: 0 },
      runRoot: toHex(runRoot),
      claim: toHex(runRoot),
      metrics: metrics[4],
      seconds: expect.any(Number),
      saturated: [],
      outOfRange: [],
      noted: [],
      unit: "samples",
      unitsPerSecond: expect.any(Number),
      peakMemory: expect.any(Number),
    });
    expect(summary.peakMemory).toBeGreaterThan(2 ** 20);
  });

  it("hands the job what it does not know itself", async () => {
    const rootOf = async (...args: string[]): Promise<unknown> =>
      objects((await verde("run", LINE, "--steps", "3", "--json", ...args)).stdout).at(-1)?.runRoot;
    const { runRoot } = await run(await line.close({ steps: 3, width: 4, batch: 2 }), {});
    expect(await rootOf("--width", "4", "--batch=2")).toBe(toHex(runRoot));
    expect(await rootOf("--", "--width", "4", "--batch", "2")).toBe(toHex(runRoot));
    expect(await rootOf("--backend", "reference", "--width=4", "--batch", "2")).toBe(toHex(runRoot));
  });

  it("finishes a trace that was cut, and notes a fault", async () => {
    const args = ["run", LINE, "--steps", "9", "--detail", "operators", "--checkpoint-every", "3", "--out", "c.trace"];
    const first = await verde(...args, "--fault", "skip:step=4");
    expect(first.stdout).toContain("skip:step=4 (a drill: this run is not honest)");
    const whole = readFileSync(join(folder, "c.trace"));
    truncateSync(join(folder, "c.trace"), Math.floor(whole.length * 0.7));
    const honest = await verde(...args, "--resume");
    expect(honest).toMatchObject({ code: 2, stdout: "" });
    expect(honest.stderr).toContain(
      "its fault is skip:step=4, but this run's is none; use the settings of the trace, or another --out (VERDE_JOB_FOREIGN)",
    );
    expect((await verde(...args, "--resume", "--fault", "skip:step=4")).code).toBe(0);
    expect(readFileSync(join(folder, "c.trace")).equals(whole)).toBe(true);
    expect((await verde(...args)).stderr).toContain("--force (VERDE_USAGE_EXISTS)");
    expect((await verde(...args, "--force")).code).toBe(0);
    expect((await openTrace(join(folder, "c.trace"))).manifest.fault).toBeUndefined();
  });

  it("lists the operators of both graphs", async () => {
    const job = await line.close();
    const { stdout } = await verde("run", LINE, "--list-operators");
    expect(stdout).toContain(`The step graph: ${job.step.kernels.length} operators\n`);
    expect(stdout).toMatch(/^ +\d+ {2}map +f32\[\] +optimizer\/learning-rate$/m);
    const rows = objects((await verde("run", LINE, "--list-operators", "--json")).stdout);
    expect(
      rows.filter(({ graph }) => graph === "step").map(({ number, kind, label }) => [number, kind, label]),
    ).toEqual(job.step.kernels.map(({ kind }, i) => [i, kind, job.step.labels[i]]));
    expect(rows.some(({ graph }) => graph === "init")).toBe(true);
  });

  it("warns on stderr, and in the summary for programs, of a loss that broadcasts", async () => {
    const job = join(folder, "broad.ts");
    const source = `import { defineJob, linear, mean, sgd, square, sub, tensor } from "@verde-ml/verde/job";
      export default defineJob({
        name: "broad",
        steps: 1,
        data: () => ({ x: tensor([4, 1], [1, 2, 3, 4]), y: tensor([4], [1, 2, 3, 4]) }),
        loss: (job) => mean(square(sub(linear(job, "l", job.data.x, 1), job.data.y))),
        optimizer: () => sgd({ learningRate: 0.1 }),
      });`;
    writeFileSync(job, source);
    const { code, stdout, stderr } = await verde("run", job, "--json");
    expect(code).toBe(0);
    expect(stderr).toMatch(/^verde: warning: sub: f32\[4, 1\] and f32\[4\] broadcast to f32\[4, 4\], .*\n$/);
    expect(objects(stdout).at(-1)).toMatchObject({ warnings: [{ code: "BROADCAST", place: "sub" }] });
  });

  it("refuses what it can't do with code 2 and a sentence", async () => {
    // In this process: starting one for each takes a second.
    const refusal = async (...args: string[]): Promise<unknown> => {
      const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
      register(program);
      for (const command of program.commands) command.copyInheritedSettings(program);
      return program.parseAsync(["run", ...args], { from: "user" }).catch((error: unknown) => error);
    };
    for (const [args, sentence] of [
      [["missing.ts"], "there is no job module missing.ts"],
      [[MAIN.replace("main.ts", "output.ts")], "does not export a job"],
      [[LINE, "--layers", "2"], "has no option --layers; choose from --steps, --seed, --width, --batch"],
      [[LINE, "--widht", "2"], "has no option --widht; did you mean --width? It has --steps, --seed, --width, --batch"],
      [[LINE, "--ot", "a.trace"], "has no option --ot; did you mean --out?"],
      [[LINE, "--forse"], "--forse has no value; did you mean --force?"],
      [[LINE, "--constructor", "3"], "has no option --constructor"],
      [[LINE, "--toString", "3"], "has no option --toString"],
      [[LINE, "--__proto__", "3"], "has no option --__proto__"],
      [[LINE, "--progress", "often"], "write auto, off, or seconds"],
      [[LINE, "--steps", "4294967296"], "take a whole number from 1 to 2^31 - 1"],
      [["."], "and not a file"],
      [[LINE, "--width"], "--width has no value"],
      [[LINE, "--width", "wide"], '--width takes a number, not "wide"'],
      [[LINE, "stray"], "stray is not understood"],
      [[LINE, "--steps", "0"], "a job of 0 steps"],
      [[LINE, "--commit-every", "0"], "a root every 0 steps"],
      [[LINE, "--commit-every="], '"" is not a whole number'],
      [[LINE, "--commit-every", "5", "--checkpoint-every", "7"], "take a multiple"],
      [[LINE, "--detail", "all"], "neither steps nor operators"],
      [[LINE, "--backend", "abacus"], "choose from wasm, native, reference"],
      [[LINE, "--fault", "skip:step=13"], "the fault is at step 13, but the job has 12"],
      [[LINE, "--resume"], "name it with --out"],
      [[], "missing required argument 'job'"],
    ] as const) {
      const error = await refusal(...args);
      expect({ args, code: exitCodeOf(error) }).toEqual({ args, code: 2 });
      expect(messageOf(error)).toContain(sentence);
    }
    const { code, stdout, stderr } = await verde("run", "missing.ts", "--json");
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, error: { code: "VERDE_JOB_MODULE_MISSING" } });
    expect(stderr).toMatch(/^verde: there is no job module missing.ts.* \(VERDE_JOB_MODULE_MISSING\)\n$/);
  });
});

describe("the options of a job", () => {
  it("are pairs in either form", () => {
    expect(jobOptions(["--a", "1", "--b-c=x=y", "--d", "-2"])).toEqual({ a: "1", "b-c": "x=y", d: "-2" });
    expect(() => jobOptions(["a"])).toThrow("a is not understood");
    expect(() => jobOptions(["--a"])).toThrow("--a has no value");
  });
});

describe("the line of progress", () => {
  it("has step, loss, units a second and the time left", async () => {
    const job = await line.close();
    const info = { step: 2, steps: 12, metrics: { loss: 0.12345 }, seconds: 0.5, unitsPerSecond: 12345.6 };
    const lineOf = (...seconds: number[]): string => {
      const shown = new RunProgress(job, new Progress());
      return seconds.map((one) => shown.lineOf({ ...info, seconds: one })).at(-1)!;
    };
    expect(lineOf(0.5)).toBe("step 2/12 · loss 0.123 · 8 samples/s · 5.0 s left");
    expect(new RunProgress(job, new Progress()).lineOf({ ...info, metrics: {} })).toBe(
      "step 2/12 · 8 samples/s · 5.0 s left",
    );
    // The first step compiles; the pace is that of all steps that were shown, and later of the last hundred.
    expect(lineOf(3.5, 0.5)).toBe("step 2/12 · loss 0.123 · 2 samples/s · 20.0 s left");
    expect(lineOf(50, ...new Array<number>(100).fill(0.5))).toContain("5.0 s left");
    expect(lineOf(55, 5, 5)).toContain("50.0 s left");
    expect(new RunProgress(job, new Progress()).lineOf({ ...info, step: 0 })).toBe("step 0/12");
  });
});
