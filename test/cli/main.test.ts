/** The command line as a whole: what every command has in common. */
import { execFile, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { afterEach, describe, expect, it, vi } from "vitest";
import { exitCodeOf, reportFailure } from "../../src/cli/exit.ts";
import * as errors from "../../src/errors/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const QUIET = "--disable-warning=ExperimentalWarning";
const at = temporaryFolder();

function verde(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1", VERDE_DEBUG: "" };
    execFile(process.execPath, [QUIET, MAIN, ...args], { cwd: at("."), env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe("verde", () => {
  it("lists its commands", async () => {
    const { code, stdout } = await verde("--help");
    expect(code).toBe(0);
    for (const name of ["demo", "run", "inspect", "dispute", "check", "bench", "test"])
      expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
  });

  it("answers a command it does not know with code 2, for people and for programs", async () => {
    const { code, stdout, stderr } = await verde("frobnicate", "--json");
    expect(code).toBe(2);
    expect(stderr).toContain("unknown command 'frobnicate'");
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 1,
      error: { code: "VERDE_USAGE_SYNTAX", message: "unknown command 'frobnicate'", evidence: {} },
    });
  });

  it("lets a job that lies anywhere import it by name, and not what it does not export", async () => {
    mkdirSync(at("else where"));
    writeFileSync(
      at("else where/job.ts"),
      `import { defineJob, linear, mean, sgd, square, tensor } from "@verde-ml/verde/job";
       export default defineJob({
         name: "elsewhere", steps: 2, options: {},
         data: () => ({ x: tensor([2, 1], [1, 2]) }),
         loss: (job) => mean(square(linear(job, "out", job.data.x, 1))),
         optimizer: () => sgd({ learningRate: 0.1 }),
       });`,
    );
    writeFileSync(at("else where/inner.ts"), 'import "@verde-ml/verde/src/trace/run.ts";');
    const found = await verde("run", "else where/job.ts");
    expect(found).toMatchObject({ code: 0, stderr: "" });
    expect(found.stdout).toMatch(/^elsewhere: 2 training steps in /);
    const inner = await verde("run", "else where/inner.ts");
    expect(inner.code).toBe(2);
    expect(inner.stderr).toContain(
      'inner.ts can\'t be loaded: @verde-ml/verde has no entry "@verde-ml/verde/src/trace/run.ts"',
    );
  });

  it("tells the author of an older job the package's new name", async () => {
    writeFileSync(at("older.ts"), 'import "verde/job";');
    const { code, stderr } = await verde("run", "older.ts");
    expect(code).toBe(2);
    expect(stderr).toContain(
      'older.ts can\'t be loaded: there is no package verde; write import … from "@verde-ml/verde/job"',
    );
  });

  it("ends quietly when nobody reads on", async () => {
    const fixture = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
    const child = spawn(process.execPath, [QUIET, MAIN, "run", fixture, "--json", "--steps", "2000"]);
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on("close", resolve));
    // As a shell reports a program that SIGPIPE has ended.
    expect({ code, stderr }).toEqual({ code: 141, stderr: "" });
  });
});

describe("a failure", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  function report(error: unknown, json: boolean): { stdout: string; stderr: string } {
    const out = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      vi.spyOn(process[name], "write").mockImplementation((text) => (out[name] += String(text)) !== "");
    reportFailure(error, json);
    vi.restoreAllMocks();
    return out;
  }

  it("has the exit code of its class", () => {
    const { UsageError, KeyError, ChainError, ProgramError, ShapeError, GraphError, ValueError } = errors;
    const {
      FileError,
      FormatError,
      JobError,
      RunError,
      DisputeError,
      SecondOpinionError,
      BackendError,
      DeviceError,
      TransportError,
      RoundsError,
    } = errors;
    const failures: errors.VerdeError[] = [
      new UsageError("VALUE", "no"),
      new KeyError("MISSING", "no"),
      new ChainError("STATE", "no"),
      new ProgramError("EMPTY", "no"),
      new ShapeError("AXIS", "no"),
      new GraphError("VIEW", "no"),
      new ValueError("NAN", "no"),
      new FormatError("KIND", "no"),
      new FileError("FULL", "no"),
      new JobError("DATA", "no"),
      new RunError("STOPPED", "no"),
      new DisputeError("JOB", "no"),
      new SecondOpinionError("DIFFERS", "no"),
      new BackendError("MEMORY", "no"),
      new DeviceError("BITS", "no"),
      new TransportError("LATE", "no"),
      new RoundsError("PLAN", "no"),
    ];
    expect(failures.map(({ family }) => family).sort()).toEqual(Object.keys(errors.CODES).sort());
    const codes = Object.fromEntries(failures.map((failure) => [failure.name, exitCodeOf(failure)]));
    expect(codes).toEqual({
      UsageError: 2,
      RoundsError: 2,
      KeyError: 2,
      ChainError: 3,
      ProgramError: 2,
      ShapeError: 2,
      GraphError: 2,
      ValueError: 2,
      FormatError: 2,
      FileError: 3,
      JobError: 2,
      // The command itself gives it the code of the signal.
      RunError: 3,
      DisputeError: 2,
      SecondOpinionError: 3,
      BackendError: 3,
      DeviceError: 3,
      TransportError: 3,
    });
    // A participant that fails, and a key that has signed already, are no mistakes in the request.
    for (const code of ["PARTICIPANT", "SIGNED"] as const) expect(exitCodeOf(new RoundsError(code, "no"))).toBe(3);
    expect(exitCodeOf(new Error("disk full"))).toBe(3);
    expect(exitCodeOf("thrown text")).toBe(3);
    expect(exitCodeOf(new CommanderError(1, "commander.unknownOption", "error: no"))).toBe(2);
    expect(exitCodeOf(new CommanderError(0, "commander.help", "help"))).toBe(0);
  });

  it("is a sentence with its code, and shows the stack only to who asks for it", () => {
    vi.stubEnv("VERDE_DEBUG", "");
    expect(report(new errors.ShapeError("AXIS", "too wide"), false)).toEqual({
      stdout: "",
      stderr: "verde: too wide (VERDE_SHAPE_AXIS)\n",
    });
    expect(report(new TypeError("a bug"), false).stderr).toBe("verde: a bug (VERDE_FAILURE)\n");
    vi.stubEnv("VERDE_DEBUG", "1");
    expect(report(new TypeError("a bug"), false).stderr).toMatch(
      /^verde: a bug \(VERDE_FAILURE\)\nTypeError: a bug\n +at /,
    );
  });

  it("gives programs the evidence that fits on a line", () => {
    const evidence = {
      shape: [2, 3],
      large: 2n ** 64n,
      nothing: null,
      program: { constants: [] },
      values: new Array(1000).fill(0),
      nested: [[1], [2]],
    };
    const { stdout } = report(new errors.ShapeError("AXIS", "too wide", evidence), true);
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 1,
      error: {
        code: "VERDE_SHAPE_AXIS",
        message: "too wide",
        evidence: { shape: [2, 3], large: "18446744073709551616", nothing: null },
      },
    });
  });
});
