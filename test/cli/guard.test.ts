/** 0 and 1 are verdicts: whatever else ends the process has another exit code. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/trace/run.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { cliEnvironment, MAIN } from "../fixtures/verde.ts";
import { smallJob } from "../referee/small-job.ts";

const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const at = temporaryFolder();

interface Streams {
  stdout?: string;
  stderr?: string;
  /** End reading stdout after the first piece. */
  stop?: boolean;
  signal?: NodeJS.Signals;
}

/** A command with its streams on files or devices. */
async function verde(args: readonly string[], { stdout, stderr, stop, signal }: Streams = {}) {
  const [out, err] = [stdout, stderr].map((path) => (path === undefined ? undefined : openSync(path, "w")));
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    cwd: at("."),
    env: cliEnvironment(at(".")),
    stdio: ["ignore", out ?? "pipe", err ?? "pipe"],
  });
  for (const file of [out, err]) if (file !== undefined) closeSync(file);
  let said = "";
  child.stderr?.on("data", (piece) => (said += String(piece)));
  child.stdout?.once("data", () => {
    if (stop) child.stdout!.destroy();
    if (signal) child.kill(signal);
  });
  child.stdout?.on("data", () => {});
  const [code, by] = await new Promise<[number | null, string | null]>((resolve) =>
    child.on("close", (...ended) => resolve(ended)),
  );
  return { code, by, stderr: said };
}

beforeAll(async () => {
  const job = await smallJob();
  await run(job, { out: at("a.trace") });
  await run(job, { out: at("again.trace") });
  await run(job, { out: at("b.trace"), fault: { kind: "flip", step: 4, operator: 4, element: 13, bit: 28 } });
});

describe("an output that can't be written", () => {
  it.runIf(existsSync("/dev/full"))("is a failure, and named", async () => {
    for (const other of ["again.trace", "b.trace"]) {
      const { code, stderr } = await verde(["dispute", "a.trace", other], { stdout: "/dev/full" });
      expect(code).toBe(3);
      expect(stderr).toMatch(/^verde: the output can't be written to stdout: ENOSPC.*\(VERDE_FAILURE\)\n$/);
    }
  });

  it.runIf(existsSync("/dev/full"))("changes nothing if it is no result", async () => {
    expect((await verde(["dispute", "a.trace", "again.trace"], { stderr: "/dev/full" })).code).toBe(0);
    expect((await verde(["dispute", "a.trace", "b.trace"], { stderr: "/dev/full" })).code).toBe(1);
    expect((await verde(["frobnicate"], { stderr: "/dev/full" })).code).toBe(2);
    expect((await verde(["run", JOB, "--progress", "0.1"], { stderr: "/dev/full" })).code).toBe(0);
  });

  it("ends the command as SIGPIPE would, if its reader has gone", async () => {
    const long = ["run", JOB, "--json", "--steps", "3000"];
    expect(await verde(long, { stop: true })).toEqual({ code: 141, by: null, stderr: "" });
  });
});

describe("a process that does not finish its command", () => {
  it.each([
    ["exits", "process.exit(0);", "was ended before the command had finished"],
    ["exits as if they differed", "process.exit(1);", "was ended before the command had finished"],
    ["waits for ever", "await new Promise(() => {});", "waits for a promise that nothing will settle"],
    [
      "throws later",
      'setTimeout(() => { throw new Error("late"); }); await new Promise((r) => setTimeout(r, 1e4));',
      "late",
    ],
    [
      "rejects later",
      'void Promise.reject(new Error("later")); await new Promise((r) => setTimeout(r, 1e4));',
      "later",
    ],
    ["sets the exit code", "process.exitCode = 1; await new Promise(() => {});", "nothing will settle"],
  ])("since a module %s", async (name, code, sentence) => {
    writeFileSync(at(`${name}.ts`), `${code}\nexport default 1;\n`);
    const ended = await verde(["run", `${name}.ts`, "--json"]);
    expect(ended.code).toBe(3);
    expect(ended.stderr).toMatch(/^verde: .* \(VERDE_FAILURE\)\n$/);
    expect(ended.stderr).toContain(sentence);
  });

  it("keeps the exit code of a command that finishes, whatever a module sets", async () => {
    writeFileSync(at("sets.ts"), `process.exitCode = 1;\nexport { default } from ${JSON.stringify(JOB)};\n`);
    expect((await verde(["run", "sets.ts"])).code).toBe(0);
  });

  it("is ended by a signal as any program", async () => {
    const long = ["run", JOB, "--json", "--steps", "100000"];
    const { code, by } = await verde(long, { signal: "SIGTERM" });
    // A shell reports both as 143.
    expect(by ?? code).toBe(by === null ? 143 : "SIGTERM");
  });
});

describe("too little memory", () => {
  it("is a failure with a sentence", async () => {
    const lines = [
      `import line from ${JSON.stringify(JOB)};`,
      "export default { ...line, close: () => new ArrayBuffer(2 ** 53 - 1) };",
    ];
    writeFileSync(at("large.ts"), lines.join("\n"));
    const { code, stderr } = await verde(["run", "large.ts"]);
    expect(code).toBe(3);
    expect(stderr).toContain("too little memory for that (Array buffer allocation failed)");
    expect(stderr).toContain("VERDE_BACKEND_MEMORY");
  });
});
