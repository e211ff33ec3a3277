/** Processes that write the same trace, are killed, are interrupted, or lose the reader of their output. */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { openTrace, run } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";
import { verdeIn } from "../fixtures/verde.ts";
import { filesOf } from "../trace/files.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const LINE = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const path = temporaryFolder();
const verde = verdeIn(path("."));
const STEPS = 2000;
const ENV = { ...process.env, NO_COLOR: "1", VERDE_STATE: path("state") };

const args = (name: string): string[] => ["run", LINE, "--steps", `${STEPS}`, "--checkpoint-every", "500", "--out", `${name}.trace`]; // prettier-ignore

function start(...words: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...words], {
    cwd: path("."),
    env: ENV,
  });
}

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += String(data)));
  child.stderr.on("data", (data) => (stderr += String(data)));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}

/** Until the process has recorded its first steps. */
async function recording(name: string, bytes = 20_000): Promise<void> {
  const file = path(`${name}.trace`);
  while (!existsSync(file) || readFileSync(file).length < bytes) await sleep(5);
}

let root = "";
beforeAll(async () => {
  const { runRoot } = await run(await line.close({ steps: STEPS }), { checkpointEvery: 500, out: path("calm.trace") });
  root = toHex(runRoot);
});

const expectCalm = (name: string): void => {
  const [calm, found] = [filesOf(path, "calm"), filesOf(path, name)];
  expect(Object.keys(found)).toEqual(Object.keys(calm));
  for (const [file, bytes] of Object.entries(calm)) expect(found[file].equals(bytes), file).toBe(true);
};

describe("two writers", () => {
  test("of one trace: the second one is refused, and names both processes", async () => {
    const first = start(...args("two"));
    const end = ended(first);
    await recording("two");
    // It waits while the others try, however slow they are.
    first.kill("SIGSTOP");
    const [resumed, forced, other] = await Promise.all([
      verde([...args("two"), "--resume"]),
      verde([...args("two"), "--force", "--json"]),
      verde(["run", LINE, "--steps", "5", "--out", "two"]),
    ]);
    for (const { code, stderr } of [resumed, forced, other]) {
      expect(code).toBe(3);
      expect(stderr).toMatch(
        new RegExp(
          `is being written by process ${first.pid} \\(verde run .*, so process \\d+ \\(verde run .* \\(VERDE_FILE_LOCKED\\)`,
        ),
      );
    }
    expect(JSON.parse(forced.stdout)).toMatchObject({
      error: { code: "VERDE_FILE_LOCKED", evidence: { owner: first.pid } },
    });
    const [inspected, disputed] = await Promise.all([
      verde(["inspect", "two.trace"]),
      verde(["dispute", "two.trace", "calm.trace"]),
    ]);
    expect(inspected.stdout).toContain(`process ${first.pid} (verde run`);
    expect([disputed.code, disputed.stderr]).toEqual([
      expect.any(Number),
      expect.stringMatching(new RegExp(`two\\.trace is not finished: process ${first.pid} .* is writing it`)),
    ]);
    first.kill("SIGCONT");
    expect(await end).toMatchObject({ code: 0, stderr: "" });
    expectCalm("two");
  });

  test("that resume a killed run at once: one continues it", async () => {
    const killed = start(...args("killed"));
    const end = ended(killed);
    await recording("killed");
    killed.kill("SIGKILL");
    expect((await end).signal).toBe("SIGKILL");
    expect(readdirSync(path("."))).toContain("killed.data.lock");
    const both = await Promise.all([1, 2, 3].map(() => ended(start(...args("killed"), "--resume"))));
    const won = both.filter(({ code }) => code === 0);
    expect(won.length).toBeGreaterThanOrEqual(1);
    for (const { stdout } of won) expect(stdout).toContain(root);
    for (const { code, stderr } of both)
      if (code !== 0) expect([code, stderr]).toEqual([3, expect.stringContaining("VERDE_FILE_LOCKED")]);
    expectCalm("killed");
    expect(readdirSync(path(".")).filter((name) => name.includes(".lock"))).toEqual([]);
  });
});

describe("a signal", () => {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)
    test(`${signal} ends a run after its step, and it continues there`, async () => {
      const name = signal.toLowerCase();
      const child = start(...args(name), "--json");
      const end = ended(child);
      await recording(name);
      child.kill(signal);
      const { code: found, stdout, stderr } = await end;
      expect(found).toBe(code);
      const { recorded, complete } = await openTrace(path(`${name}.trace`));
      expect([complete, recorded > 10, recorded < STEPS]).toEqual([false, true, true]);
      const last = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as unknown;
      expect(last).toMatchObject({
        error: { code: "VERDE_RUN_STOPPED", evidence: { step: recorded - 1, steps: STEPS } },
      });
      expect(stderr).toContain(
        `the run was stopped after training step ${recorded - 1} of ${STEPS}; ${name}.trace is kept`,
      );
      // The line that continues it can be pasted.
      const command = /^ {2}verde (run .* --resume)$/m.exec(stderr)![1];
      const again = await verde(command.split(" ").map((word) => word.replaceAll("'", "")));
      expect(again).toMatchObject({ code: 0, stderr: "" });
      const steps = again.stdout.trimEnd().split("\n").map((text) => JSON.parse(text) as { step?: number; runRoot?: string }); // prettier-ignore
      expect(steps[0].step).toBe(recorded);
      expect(steps.at(-1)!.runRoot).toBe(root);
      expectCalm(name);
    });

  test("stops a run without a trace, too", async () => {
    const child = start("run", LINE, "--steps", "1000000", "--json");
    const end = ended(child);
    await once(child.stdout, "data");
    child.kill("SIGINT");
    const { code, stderr } = await end;
    expect([code, stderr]).toEqual([130, expect.stringContaining("nothing is kept, because it has no trace (--out)")]);
    expect(stderr).not.toContain("--resume");
  });
});

describe("a run whose output nobody reads", () => {
  const shell = (command: string) =>
    new Promise<{ code: number; stderr: string }>((resolve) => {
      const words = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN];
      const verdeHere = words.map((word) => `'${word}'`).join(" ");
      execFile(
        "bash",
        ["-o", "pipefail", "-c", command.replace("verde", verdeHere)],
        { cwd: path("."), env: ENV },
        (error, _, stderr) => resolve({ code: error ? Number(error.code) : 0, stderr }),
      );
    });

  test("finishes its trace, and says so once", async () => {
    const { code, stderr } = await shell(`verde ${args("unread").join(" ")} --json | true`);
    expect([code, stderr]).toEqual([
      0,
      "verde: nobody reads the output any more; the run continues and writes unread.trace\n",
    ]);
    expectCalm("unread");
  });

  test.skipIf(!existsSync("/dev/full"))(
    "finishes its trace on a full device, and fails",
    async () => {
      const { code, stderr } = await shell(`verde ${args("full").join(" ")} --json > /dev/full`);
      expect([code, stderr]).toEqual([3, expect.stringContaining("the run continues and writes full.trace")]);
      expectCalm("full");
    },
    60_000,
  );
});

test.skipIf(process.platform === "win32")(
  "a full disk stops a run with the file's name, and it continues where there is room",
  async () => {
    // A limit on the size of files, which everybody can set, as a disk that is full.
    const words = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN, ...args("small")];
    const limited = (kilobytes: number, ...more: string[]) =>
      new Promise<{ code: number; stderr: string }>((resolve) => {
        const script = `ulimit -f ${kilobytes}; trap '' XFSZ; exec "$@"`;
        execFile("bash", ["-c", script, "bash", ...words, ...more], { cwd: path("."), env: ENV }, (error, _, stderr) =>
          resolve({ code: error ? Number(error.code) : 0, stderr }),
        );
      });
    const { code, stderr } = await limited(100);
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(/^verde: small\.trace can't be written: .* \(VERDE_FILE_FULL\)\n$/),
    ]);
    expect((await verde([...args("small"), "--resume"])).code).toBe(0);
    expectCalm("small");
  },
  60_000,
);
