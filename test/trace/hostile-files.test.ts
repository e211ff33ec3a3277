/** Files that would cost a reader more than they should: pipes, devices, links, and sizes that nothing needs. */
import { execFile, execFileSync } from "node:child_process";
import {
  closeSync,
  cpSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ByteSource } from "../../src/formats/byte-source.ts";
import { openFile } from "../../src/formats/file.ts";
import { readTensors } from "../../src/formats/safetensors.ts";
import { checkGraph } from "../../src/graph/graph.ts";
import { loadClosedJob, openTrace, readCheckpoint, readSafetensors, run } from "../../src/trace/index.ts";
import { matchWeights } from "../../src/formats/weights.ts";
import { traceFiles } from "../../src/services/trace-files.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";
import { copyTrace } from "./files.ts";
import { writeLongTrace } from "./long-trace.ts";

const path = temporaryFolder();
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const job = regression({ steps: 4 });
const DATASET = "a.data/dataset.safetensors";
const CHECKPOINT = "a.data/step-00000002.safetensors";

beforeAll(() => run(job, { checkpointEvery: 2, out: path("whole.trace") }));
beforeEach(() => copyTrace(path, "whole", "a"));

const GIB = 2 ** 30;

/** A file with a hole after its header, by default of 8 GiB. A number stands for the length of a header. */
function sparse(file: string, header: object | number, hole = 8 * GIB): void {
  const text = typeof header === "number" ? "" : JSON.stringify(header);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(typeof header === "number" ? header : text.length));
  rmSync(file, { force: true });
  const opened = openSync(file, "w");
  writeSync(opened, Buffer.concat([size, Buffer.from(text)]));
  ftruncateSync(opened, 8 + text.length + hole);
  closeSync(opened);
}

/** How many bytes of a file are read. */
async function counted<T>(
  file: string,
  read: (source: ByteSource) => Promise<T>,
): Promise<{ bytes: number; result: T }> {
  const source = await openFile(file);
  let bytes = 0;
  const counting: ByteSource = {
    size: source.size,
    read: async (from, length) => {
      bytes += length;
      return source.read(from, length);
    },
    close: () => source.close(),
  };
  try {
    return { result: await read(counting), bytes };
  } finally {
    await source.close();
  }
}

const dataset = async (): Promise<unknown> => loadClosedJob(await openTrace(path("a.trace")));
const checkpoint = async (): Promise<unknown> => readCheckpoint(await openTrace(path("a.trace")), 2);

describe("what is not a file", () => {
  test("is neither waited for nor read, as a trace or beside one", async () => {
    for (const [name, read] of [
      ["a.trace", dataset],
      [DATASET, dataset],
      [CHECKPOINT, checkpoint],
    ] as const) {
      copyTrace(path, "whole", "a");
      rmSync(path(name));
      execFileSync("mkfifo", [path(name)]);
      await expect(read(), `a pipe as ${name}`).rejects.toThrow(/can't be read: it is not a file/);
      rmSync(path(name));
      mkdirSync(path(name));
      await expect(read(), `a folder as ${name}`).rejects.toThrow(/can't be read/);
      rmSync(path(name), { recursive: true });
    }
    for (const device of ["/dev/zero", "/dev/null"]) {
      await expect(openTrace(device)).rejects.toMatchObject({ code: "VERDE_FORMAT_UNREADABLE" });
      await expect(readSafetensors(device)).rejects.toMatchObject({ code: "VERDE_FORMAT_UNREADABLE" });
    }
  });
});

describe("links", () => {
  const outside = { code: "VERDE_FORMAT_UNREADABLE", message: expect.stringContaining("leads out of its folder") };

  test("out of the data folder are not followed, by a command or by the page's server", async () => {
    for (const [name, read] of [
      [DATASET, dataset],
      [CHECKPOINT, checkpoint],
    ] as const) {
      copyTrace(path, "whole", "a");
      const at = name.slice("a.data/".length);
      renameSync(path(name), path("elsewhere"));
      symlinkSync(path("elsewhere"), path(name));
      await expect(read()).rejects.toMatchObject(outside);
      expect((await (await traceFiles(path("a.trace"))).list()).files).not.toContain(at);
      rmSync(path(name));
      symlinkSync("../elsewhere", path(name));
      await expect(read()).rejects.toMatchObject(outside);
      rmSync(path(name));
      symlinkSync("/dev/zero", path(name));
      await expect(read()).rejects.toMatchObject(outside);
    }
  });

  test("within the folder are, and those that the user names", async () => {
    renameSync(path(DATASET), path("a.data/kept"));
    symlinkSync("kept", path(DATASET));
    expect(await dataset()).toMatchObject({ name: "regression" });
    expect((await (await traceFiles(path("a.trace"))).list()).files).toContain("dataset.safetensors");
    renameSync(path("a.data"), path("far"));
    symlinkSync(path("far"), path("a.data"));
    symlinkSync(path("a.trace"), path("named.trace"));
    cpSync(path("far"), path("named.data"), { recursive: true });
    expect(await dataset()).toMatchObject({ name: "regression" });
    expect((await openTrace(path("named.trace"))).complete).toBe(true);
    rmSync(path("a.data"));
  });
});

describe("a file that is larger than the job needs", () => {
  test("is refused by its header, before its content is read", async () => {
    // More elements than a tensor has; as many as one may have; and a header of 64 MiB.
    const wide = { dtype: "F32", shape: [2, GIB], data_offsets: [0, 8 * GIB] };
    const most = { dtype: "F32", shape: [2 * GIB - 1], data_offsets: [0, 8 * GIB - 4] };
    for (const [name, read] of [
      [DATASET, dataset],
      [CHECKPOINT, checkpoint],
    ] as const) {
      const began = performance.now();
      sparse(path(name), { w: wide });
      await expect(read()).rejects.toThrow("tensor w has the shape [2,1073741824]");
      sparse(path(name), { w: most }, 8 * GIB - 4);
      await expect(read()).rejects.toThrow("entry 0 is w f32[2147483647], expected");
      sparse(path(name), 2 ** 26);
      await expect(read()).rejects.toThrow(/its header claims 67108864 bytes; at most \d{5} are read/);
      expect(performance.now() - began).toBeLessThan(5000);
    }
    sparse(path("weights"), { w: { dtype: "F32", shape: [2 ** 20], data_offsets: [0, 2 ** 22] } }, 2 ** 22);
    const { bytes, result } = await counted(path("weights"), (source) =>
      readTensors(source, "weights", {
        choose: (found) => new Set(matchWeights(job, found).taken.map(({ from }) => from)),
      }).catch(String),
    );
    expect(result).toContain("w is f32[1048576], but in the job it is f32[3]");
    expect(bytes).toBeLessThan(1000);
  });

  test("is no trace, and a hole in a trace ends at its first byte", async () => {
    sparse(path("a.trace"), 0);
    await expect(openTrace(path("a.trace"))).rejects.toThrow("is not a Verde trace");
    copyTrace(path, "whole", "a");
    truncateSync(path("a.trace"), readFileSync(path("a.trace")).length - 69);
    truncateSync(path("a.trace"), 8 * GIB);
    await expect(openTrace(path("a.trace"))).rejects.toThrow("record 6 at byte");
  });
});

describe("a trace of many steps", () => {
  const steps = 20_000;

  test("takes some bytes of memory for each, whatever its records hold", async () => {
    expect(writeLongTrace(path("long.trace"), steps, 2)).toBeGreaterThan(2_500_000);
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const used = async (): Promise<number> => {
      // What was read in pieces is let go of only after some turns of the event loop.
      for (let turn = 0; turn < 5; turn++) {
        collect();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    await openTrace(path("whole.trace"));
    const before = await used();
    const trace = await openTrace(path("long.trace"));
    for await (const record of trace.records(0, 5000)) expect(record.step).toBeLessThanOrEqual(5000);
    const grown = (await used()) - before;
    expect([trace.recorded, trace.committed]).toEqual([steps + 1, steps / 2 + 1]);
    expect((await trace.record(12_345)).step).toBe(12_345);
    // 8 bytes a step and 32 a root, in lists that may be twice as long; the records themselves would take ten times that.
    expect(grown).toBeLessThan(2 * (8 * steps + 16 * steps) + 2_000_000);
  });

  test("is inspected, and said as JSON in pieces", async () => {
    const inspect = (...flags: string[]): Promise<string> =>
      new Promise((resolve, reject) => {
        execFile(
          process.execPath,
          ["--disable-warning=ExperimentalWarning", MAIN, "inspect", path("long.trace"), ...flags],
          { maxBuffer: 2 ** 28 },
          (error, stdout) => (error ? reject(error) : resolve(stdout)),
        );
      });
    expect(await inspect()).toContain("loss, training steps 1 to 20000: 10,000 proven by state roots");
    const { roots, metrics } = JSON.parse(await inspect("--json"));
    expect([roots.length, metrics.length]).toEqual([steps / 2 + 1, steps + 1]);
    expect(metrics[steps]).toEqual({ step: steps, committed: true, values: { loss: 0 } });
    expect(metrics[1].committed).toBe(false);
  });

  test("is not believed when its file changes after it was opened", async () => {
    const trace = await openTrace(path("long.trace"));
    const file = openSync(path("long.trace"), "r+");
    const { offset } = await trace.tailOf(5000);
    writeSync(file, Buffer.of(1), 0, 1, offset + 15);
    closeSync(file);
    await expect(trace.record(5001)).rejects.toThrow("was changed while it was read: the record of step 5001");
    expect((await trace.record(5000)).step).toBe(5000);
  });
});

test("a graph with many names is checked in a time that grows with their number", () => {
  const count = 100_000;
  const inputs = Array.from({ length: count }, (_, i) => ({ name: `tensor ${i}`, dtype: "f32" as const, shape: [] }));
  const outputs = inputs.map(({ name }, tensor) => ({ name, tensor }));
  const began = performance.now();
  checkGraph({ inputs, kernels: [], labels: [], outputs });
  // With a search through all names for each it would take minutes.
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(() => checkGraph({ inputs: [...inputs, inputs[7]], kernels: [], labels: [], outputs })).toThrow(
    "two inputs of the graph are called tensor 7",
  );
});
