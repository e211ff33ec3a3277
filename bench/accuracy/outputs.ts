/** A unary program on runs of canonical inputs, on a backend. */
import type { Backend } from "../../src/repops/backends/backend.ts";
import type { KernelList } from "../../src/repops/kernels/kernel.ts";
import type { Program } from "../../src/repops/programs/program.ts";
import { bitsAt, FIRST_NEGATIVE } from "./inputs.ts";

/** How many inputs are computed at once. */
export const BLOCK = 2 ** 20;

/** Inputs and what a program makes of them. */
export interface Results {
  inputs: Float32Array;
  results: Float32Array;
}

/** A prepared program. */
export interface Outputs {
  /**
   * The results for `count` canonical inputs, at most BLOCK: number `first`, and each `stride`-th after it.
   */
  of(first: number, count: number, stride?: number): Promise<Results>;
  close(): Promise<void>;
}

/** The bits of canonical inputs. Only at +0 and at the first negative one they do not follow those before. */
function fill(words: Uint32Array, first: number, count: number, stride: number): void {
  const even = first > 0 && (first >= FIRST_NEGATIVE || first + count * stride < FIRST_NEGATIVE);
  const start = bitsAt(first);
  for (let i = 0; i < count; i++) words[i] = even ? start + i * stride : bitsAt(first + i * stride);
}

export async function outputsOf(program: Program, backend: Backend): Promise<Outputs> {
  const view = { offset: 0, strides: [1] };
  const type = { dtype: "f32" as const, shape: [BLOCK] };
  const list: KernelList = {
    inputs: [type],
    kernels: [{ kind: "map", type, program, args: [{ kind: "operand", tensor: 0, view, clampRange: "none" }] }],
  };
  const session = await backend.prepare(list, { keep: [1] });
  const data = new Float32Array(BLOCK);
  const words = new Uint32Array(data.buffer);
  return {
    async of(first, count, stride = 1) {
      fill(words, first, count, stride);
      await session.write(0, { ...type, data });
      await session.execute();
      const { data: results } = await session.read(1);
      return { inputs: data.subarray(0, count), results: (results as Float32Array).subarray(0, count) };
    },
    close: () => session.close(),
  };
}
