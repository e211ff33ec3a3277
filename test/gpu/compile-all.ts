/**
 * Compiles every shader of the WebGPU backend with the driver of this process, one after the other, as a
 * program of its own. On stderr the line `@@ PART` stands before what the driver writes about each. The parts
 * are the conformance vectors, a GPT's graphs, and two planted products without a guard. Nothing is computed.
 */
import { writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { productList } from "../../bench/product.ts";
import { everyCase } from "../../src/certify/vectors/operators.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { loadJob } from "../../src/job/load.ts";
import { findGpu } from "../../src/repops/backends/webgpu/device.ts";
import { prepareWebGpu, type WebGpuOptions } from "../../src/repops/backends/webgpu/session.ts";
import { GUARDED } from "../../src/repops/backends/webgpu/wgsl.ts";
import type { KernelList } from "../../src/repops/kernels/kernel.ts";
import { compilingGpu } from "./compiling-device.ts";

const GPT = fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url));
const SIZES = { layers: 1, dim: 32, heads: 2, context: 16, batch: 2, dropout: 0.1, steps: 2 };
/** The generated code without the guard that a loop's products pass through. */
const UNGUARDED = {
  ...GUARDED,
  library: GUARDED.library.replace("return bitcast<u32>(x) ^ Z;", "return bitcast<u32>(x);"),
};
if (UNGUARDED.library === GUARDED.library) throw new Error("the guard of wgsl.ts is not where it was");

const PRODUCT = productList(64, 64, 64);

let part = "";
const gpu = compilingGpu(await findGpu(), () => writeSync(2, `\n@@ ${part}\n`));
Object.defineProperty(globalThis.navigator, "gpu", { value: gpu });

/** A list's shaders: those of a normal run, those of a watched run, and those that hash its results. */
async function compile(name: string, list: KernelList, keep: readonly number[], options?: Partial<WebGpuOptions>) {
  part = name;
  const session = await prepareWebGpu(list, keep, options);
  await session.execute();
  await session.execute({ rootsOf: "all" });
  await session.roots(keep);
  await session.close();
}

const compileGraph = (name: string, graph: Graph): Promise<void> =>
  compile(
    name,
    graph,
    graph.outputs.map(({ tensor }) => tensor),
  );

for (const { list, outputs } of everyCase())
  await compile(
    `vector: ${outputs.map(({ name }) => name).join(", ")}`,
    list,
    outputs.map(({ tensor }) => tensor),
  );
const { step, init } = await loadJob(GPT, SIZES);
await compileGraph("GPT: step", step);
if (init.kind === "graph") await compileGraph("GPT: init", init.graph);
await compile("planted: tiled product", PRODUCT, [2], { guard: "none" });
await compile("planted: loop", PRODUCT, [2], { dialect: UNGUARDED });
process.exit();
