/**
 * Lists of kernels that share one memory: what is kept and captured, and code from the optimizing compiler.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../../../src/encoding/tensor.ts";
import { toHex } from "../../../../src/encoding/bytes.ts";
import type { Backend, ExecuteReport } from "../../../../src/repops/backends/backend.ts";
import { reference } from "../../../../src/repops/backends/reference.ts";
import { wasm } from "../../../../src/repops/backends/wasm/backend.ts";
import type { Kernel, KernelList } from "../../../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../../../src/repops/programs/expressions.ts";
import { inputsOf, lists, operand } from "../../lists.ts";

const SEED = 20261120;
const bits = ({ data }: Tensor): number[] => [...new Uint32Array(data.buffer, data.byteOffset, data.length)];

/** What was reported and what was kept, over two executions. The second execution shows only two kernels. */
async function record(backend: Backend, list: KernelList, keep: readonly number[], other: number): Promise<unknown> {
  const session = await backend.prepare(list, { keep });
  for (const [i, tensor] of inputsOf(list, SEED).entries()) await session.write(i, tensor);
  const all = await session.execute({ rootsOf: "all", capture: [...list.kernels.keys()] });
  const first = await Promise.all(keep.map(async (tensor) => bits(await session.read(tensor))));
  const some = await session.execute({ rootsOf: [0, other], capture: [other] });
  const second = await Promise.all(keep.map(async (tensor) => bits(await session.read(tensor))));
  await session.close();
  return { all: plain(all), first, some: plain(some), second };
}

const plain = ({ roots, captured }: ExecuteReport): unknown => ({
  roots: [...roots].map(([kernel, root]) => [kernel, toHex(root)]),
  captured: [...captured].map(([kernel, tensor]) => [kernel, ...bits(tensor)]),
});

describe("lists of kernels", () => {
  test("keep and show the same bits as the reference, though outputs share memory", () =>
    fc.assert(
      fc.asyncProperty(lists, async ({ list, kept, struck }) => {
        expect(await record(wasm, list, kept, struck)).toEqual(await record(reference, list, kept, struck));
      }),
      { seed: SEED, numRuns: 150 },
    ));

  test("take no more memory than what is alive at once", async () => {
    // 400 outputs of 64 MiB in a row, of which two are alive at a time: far more than 4 GiB if each had its
    // own place.
    const type = { dtype: "f32" as const, shape: [2 ** 24] };
    const program = defineProgram("f", (x) => x);
    const kernels = Array.from(
      { length: 400 },
      (_, i): Kernel => ({ kind: "map", type, program, args: [operand(i, { offset: 0, strides: [1] })] }),
    );
    const session = await wasm.prepare({ inputs: [type], kernels }, { keep: [400] });
    await session.close();
    await expect(
      wasm.prepare({ inputs: [type], kernels }, { keep: kernels.map((_, i) => i + 1) }),
    ).rejects.toMatchObject({ code: "VERDE_BACKEND_MEMORY" });
  });

  test("have the reference's bits in optimized code", () => {
    const script = fileURLToPath(new URL("../../compare.ts", import.meta.url));
    const output = execFileSync(
      process.execPath,
      ["--no-liftoff", script, String(SEED), "150", "wasm", "wasm-always"],
      { encoding: "utf8" },
    );
    expect(JSON.parse(output)).toEqual({ compared: 600, different: 0 });
  });
});
