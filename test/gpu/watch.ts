/**
 * Compares every kernel's output in two training steps of a GPT with WASM's, as a program of its own: `node
 * test/gpu/watch.ts`. A watched step is planned without fusing, so it runs code that no unwatched run does.
 * Roots are hashed on the device and here. Prints how many were compared, and those that differ.
 */
import { fileURLToPath } from "node:url";
import { toHex } from "../../src/encoding/bytes.ts";
import { loadJob } from "../../src/job/load.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { webgpu } from "../../src/repops/backends/webgpu/backend.ts";
import { prepareWebGpu, type WebGpuOptions } from "../../src/repops/backends/webgpu/session.ts";
import { Execution } from "../../src/trace/execution.ts";

const GPT = fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url));
const SIZES = { steps: 2, layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1 };

const job = await loadJob(GPT, SIZES);

/** The roots of all outputs: those of the init graph, then those of the steps. */
async function outputs(backend: Backend): Promise<string[]> {
  const execution = await Execution.open(job, backend);
  const reports = [await execution.initialise({ rootsOf: "all" })];
  for (let step = 0; step < SIZES.steps; step++) reports.push(await execution.advance({ rootsOf: "all" }));
  await execution.close();
  return reports.flatMap(({ roots }) => [...roots.values()].map(toHex));
}

const expected = await outputs(wasm);
/** Hashes on the device, whichever way the device would choose, and here. */
const hashing = (where: WebGpuOptions["hashing"]): Backend => ({
  name: webgpu.name,
  prepare: (list, { keep }) => prepareWebGpu(list, keep, { hashing: where }),
});
const actual = [...(await outputs(hashing("device"))), ...(await outputs(hashing("host")))];
const different = actual.flatMap((root, i) => (root === expected[i % expected.length] ? [] : [i]));
console.log(JSON.stringify({ compared: actual.length, expected: 2 * expected.length, different }));
process.exit();
