/**
 * Runs every canonical input of every unary function through WASM. The SHA-256 over all outputs is what every
 * other executor is compared with. `node bench/certificate.ts > bench/results/functions.json` takes some
 * minutes.
 */
import { createHash } from "node:crypto";
import { asBytes } from "../src/encoding/bytes.ts";
import { wasm } from "../src/repops/backends/wasm/backend.ts";
import { PROGRAMS } from "../src/repops/functions/index.ts";
import type { KernelList } from "../src/repops/kernels/kernel.ts";
import { type Program, programKey } from "../src/repops/programs/program.ts";
import { MAX_BITS, MIN_BITS } from "../src/repops/numbers/vf32.ts";
import { createRequire } from "node:module";

const BLOCK = 2 ** 20;

/**
 * The outputs' digest: +0 first, then the positive and the negative inputs by growing magnitude,
 * little-endian.
 */
export async function certify(program: Program, stride = 1): Promise<{ inputs: number; sha256: string }> {
  const view = { offset: 0, strides: [1] };
  const list: KernelList = {
    inputs: [{ dtype: "f32", shape: [BLOCK] }],
    kernels: [
      {
        kind: "map",
        type: { dtype: "f32", shape: [BLOCK] },
        program,
        args: [{ kind: "operand", tensor: 0, view, clampRange: "none" }],
      },
    ],
  };
  const session = await wasm.prepare(list, { keep: [1] });
  const hash = createHash("sha256");
  const data = new Float32Array(BLOCK);
  const words = new Uint32Array(data.buffer);
  let inputs = 0;
  const run = async (count: number): Promise<void> => {
    await session.write(0, { dtype: "f32", shape: [BLOCK], data });
    await session.execute();
    const output = await session.read(1);
    hash.update(asBytes(output.data.subarray(0, count)));
    inputs += count;
  };
  words.fill(0);
  await run(1);
  for (const sign of [0, 0x80000000])
    for (let bits = MIN_BITS; bits <= MAX_BITS; bits += BLOCK * stride) {
      const count = Math.min(BLOCK, Math.floor((MAX_BITS - bits) / stride) + 1);
      for (let i = 0; i < BLOCK; i++) words[i] = Math.min(bits + i * stride, MAX_BITS) | sign;
      await run(count);
    }
  await session.close();
  return { inputs, sha256: hash.digest("hex") };
}

export function unaryPrograms(): [string, Program][] {
  return Object.entries(PROGRAMS).filter(([, { inputs }]) => inputs.join() === "f");
}

if (import.meta.main) {
  const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
  const strided = { stride: 65_537 };
  const functions: Record<string, unknown> = {};
  for (const [name, program] of unaryPrograms()) {
    const sample = await certify(program, strided.stride);
    functions[name] = { program: programKey(program), all: await certify(program), sample: { ...strided, ...sample } };
    console.error(`${name} done`);
  }
  console.log(JSON.stringify({ schemaVersion: 1, version, functions }, null, 2));
}
