/** What a test calls inside of a tab: products, maps and roots on one thread and on three. */
import { toHex } from "../../src/encoding/bytes.ts";
import type { Dealing } from "../../src/repops/backends/wasm/dealing.ts";
import { prepareWasm } from "../../src/repops/backends/wasm/session.ts";
import { DOT_STEP, type KernelList } from "../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../src/repops/programs/expressions.ts";

const SIDE = 90;
const type = { dtype: "f32", shape: [SIDE, SIDE] } as const;
const read = (tensor: number, strides: number[], clampRange: "dot" | "none") =>
  ({ kind: "operand", tensor, view: { offset: 0, strides }, clampRange }) as const;
const LIST: KernelList = {
  inputs: [type],
  kernels: [
    {
      kind: "fold",
      type,
      program: DOT_STEP,
      start: 0,
      reduce: [SIDE],
      args: [read(0, [SIDE, 0, 1], "dot"), read(0, [0, 1, SIDE], "dot")],
    },
    {
      kind: "map",
      type,
      program: defineProgram("f", (x) => x.mul(0.5).div(x.abs().add(1))),
      args: [read(1, [SIDE, 1], "none")],
    },
  ],
};

interface Record {
  roots: string[][];
  helped: number;
}

async function record(dealing: Dealing): Promise<Record> {
  const session = await prepareWasm(LIST, [1, 2], { dealing });
  const data = Float32Array.from({ length: SIDE * SIDE }, (_, i) => Math.fround(((i * 7919) % 1009) / 505 - 1));
  await session.write(0, { ...type, data });
  const roots: string[][] = [];
  for (let turn = 0; turn < 20; turn++) {
    await session.execute();
    roots.push((await session.roots([1, 2])).map(toHex));
    await session.move([{ from: 2, to: 0 }]);
  }
  await session.close();
  return { roots, helped: session.helped };
}

/**
 * How many of 20 turns have other roots on threads, whether helpers helped, and how many roots are missing.
 */
export async function comparedThreads(): Promise<{
  isolated: boolean;
  different: number;
  helped: boolean;
  fewer: number;
}> {
  const fine = { piece: 4, list: 0, threads: 3 };
  const alone = await record({ threads: 1 });
  const isolated = globalThis.crossOriginIsolated;
  const others = [await record({ ...fine, idle: isolated }), await record(fine)];
  const differs = ({ roots }: Record): number =>
    roots.filter((row, turn) => row.join() !== alone.roots[turn].join()).length;
  return {
    isolated,
    different: others.reduce((sum, other) => sum + differs(other), 0),
    helped: others[0].helped > 0,
    fewer: 20 - alone.roots.length,
  };
}
