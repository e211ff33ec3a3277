/**
 * Compares every kernel's output in two steps of a GPT with WASM's, as a program of its own: `node test/gpu/watch.ts`. A
 * watched step is planned without fusing, which no unwatched run shows. Prints how many were compared, and those that differ.
 */
import { fileURLToPath } from "node:url";
import { toHex } from "../../src/encoding/bytes.ts";
import { loadJob } from "../../src/job/load.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { webgpu } from "../../src/repops/backends/webgpu/backend.ts";
import { Execution } from "../../src/trace/execution.ts";

const GPT = fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url));
const SIZES = { steps: 2, layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1 };

const job = await loadJob(GPT, SIZES);

/** The roots of all outputs: those of the init graph, then those of the steps. */
async function outputs(backend: Backend): Promise<string[]> {
  const roots: string[] = [];
  const watch = {
    afterKernel: (_kernel: number, _output: unknown, root: () => Uint8Array) => roots.push(toHex(root())),
  };
  const execution = await Execution.open(job, backend);
  await execution.initialise(watch);
  for (let step = 0; step < SIZES.steps; step++) await execution.advance(watch);
  await execution.close();
  return roots;
}

const expected = await outputs(wasm);
const actual = await outputs(webgpu);
const different = expected.flatMap((root, i) => (root === actual[i] ? [] : [i]));
console.log(JSON.stringify({ compared: actual.length, expected: expected.length, different }));
process.exit();
