/**
 * Runs kernels of native code over a mapped file, as a program of its own, because a file that is cut can end
 * it: `mapped-run.ts FILE WHAT [THREADS WHERE]`. Prints what happened, as JSON.
 */
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import type { Tensor } from "../../../../src/encoding/tensor.ts";
import { VerdeError } from "../../../../src/errors/index.ts";
import { readSafetensors } from "../../../../src/formats/safetensors-file.ts";
import { lend } from "../../../../src/repops/backends/backend.ts";
import { nativeWith } from "../../../../src/repops/backends/native/backend.ts";
import { expectUnchanged } from "../../../../src/repops/backends/native/mapped.ts";
import { setThreads } from "../../../../src/repops/backends/threads.ts";
import type { KernelList } from "../../../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../../../src/repops/programs/expressions.ts";

const [file, what] = process.argv.slice(2);
const [x] = await readSafetensors(file, { map: true });
const list: KernelList = {
  inputs: [x],
  kernels: [
    {
      kind: "map",
      type: { dtype: x.dtype, shape: x.shape },
      program: defineProgram("i", (a) => a.mul(a).add(1)),
      args: [{ kind: "operand", tensor: 0, view: { offset: 0, strides: [1] }, clampRange: "none" }],
    },
  ],
};
const CHANGES: Readonly<Record<string, () => void>> = {
  nothing: () => undefined,
  cut: () => {
    const descriptor = openSync(file, "r+");
    ftruncateSync(descriptor, 4096);
    closeSync(descriptor);
  },
  overwritten: () => {
    const descriptor = openSync(file, "r+");
    writeSync(descriptor, Buffer.alloc(8, 7), 0, 8, 2 ** 20);
    closeSync(descriptor);
  },
  touched: () => utimesSync(file, new Date(), new Date()),
  replaced: () => {
    writeFileSync(`${file}.new`, "something else");
    renameSync(`${file}.new`, file);
  },
};

const status = (name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? NaN) / 1024;

/** Mebibytes that the process holds alone. */
const ownMemory = (): number => {
  globalThis.gc?.();
  return status("RssAnon");
};

async function run(threads: number, beside: boolean): Promise<unknown> {
  setThreads(threads);
  const session = await nativeWith({ beside }).prepare(list, { keep: [1], lent: [0] });
  await lend(session, 0, x as Tensor);
  await session.execute();
  const before = await session.read(1);
  CHANGES[what]();
  try {
    await session.execute();
    const after = await session.read(1);
    return { equal: after.data.every((value, i) => value === before.data[i]) };
  } catch (error) {
    if (!(error instanceof VerdeError)) throw error;
    return { code: error.code, message: error.message, last: x.data.at(-1) };
  } finally {
    await session.close();
  }
}

/** Rows of a large dataset are summed; what the process holds is looked at before and after. */
async function memory(): Promise<unknown> {
  const rows = x.shape[0] / 2 ** 10;
  const table: KernelList = {
    inputs: [
      { dtype: "i32", shape: [rows, 2 ** 10] },
      { dtype: "i32", shape: [64] },
    ],
    kernels: [{ kind: "gather", type: { dtype: "i32", shape: [64, 2 ** 10] }, source: 0, index: 1, fill: -1 }],
  };
  const session = await nativeWith({}).prepare(table, { keep: [2], lent: [0] });
  await lend(session, 0, { dtype: "i32", shape: [rows, 2 ** 10], data: x.data });
  const before = ownMemory();
  let sum = 0;
  for (let step = 0; step < rows / 64; step++) {
    const data = Int32Array.from({ length: 64 }, (_, i) => (step * 64 + i * 37) % rows);
    await session.write(1, { dtype: "i32", shape: [64], data });
    await session.execute();
    sum += (await session.read(2)).data[5];
  }
  const grown = ownMemory() - before;
  await session.close();
  return { sum, grown, dataset: (4 * x.data.length) / 2 ** 20, file: status("RssFile") };
}

if (what === "memory") console.log(JSON.stringify(await memory()));
else if (what === "copied") {
  // As Execution does it for sessions that copy.
  CHANGES.overwritten();
  try {
    expectUnchanged(x.data.buffer);
    console.log("unseen");
  } catch (error) {
    console.log(JSON.stringify({ code: (error as VerdeError).code }));
  }
} else {
  const [threads, where] = process.argv.slice(4);
  console.log(JSON.stringify(await run(Number(threads), where === "beside")));
}
