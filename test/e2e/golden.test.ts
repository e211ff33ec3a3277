/**
 * Golden roots: no change of bits goes unnoticed. If a root differs, either there is a new defect, or the
 * meaning of a job has changed. In the second case raise the specification's version (src/job/closed.ts) and
 * enter the new roots here.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { jobId } from "../../src/job/closed.ts";
import { loadJob } from "../../src/job/load.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { run } from "../../src/trace/run.ts";
import line from "../fixtures/line.ts";

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));
const TINY = { layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1, seed: 3 };

const GOLDEN = {
  line: {
    job: "0xdaa84c4fb252767007fa2828732140a8f9ae6e21bd5970db1e71c7c42f4f3627",
    run: "0xa75f912a80d9470b4575c298ae24e57f053ea5361d7d0805103f25b1e81d5768",
  },
  spirals: {
    job: "0x143846335e45364460c756bb5b00e659e8a7e07a8ebfc3793ec129c873e3b664",
    run: "0x1c22b80b5bb054f478cc86e007c7e4f1cf5a9e2702b7494a1429476c1f7d32b9",
  },
  gpt: {
    job: "0x134fac4892463b3885970da3d0ffc468cab761b63208f5b534273acf493ae1f2",
    run: "0x3d37f4f1f5e712362f70d6765d9aa95156e9ba7bd6596ff6e3cdeccb4795eb9e",
  },
} as const;

describe("golden roots", () => {
  const cases = {
    line: () => line.close(),
    spirals: () => loadJob(example("mlp-spirals"), { steps: 10 }),
    gpt: () => loadJob(example("char-gpt"), { ...TINY, steps: 5 }),
  };
  for (const [name, golden] of Object.entries(GOLDEN))
    test(name, async () => {
      const job = await cases[name as keyof typeof cases]();
      const { runRoot } = await run(job, { backend: wasm });
      expect({ job: toHex(jobId(job)), run: toHex(runRoot) }).toEqual(golden);
    });
});

describe("200 steps of the GPT", () => {
  test("have the same root at every step on both backends", async () => {
    const job = await loadJob(example("char-gpt"), { ...TINY, steps: 200 });
    const [fast, slow] = [await run(job, { backend: wasm }), await run(job, { backend: reference })];
    expect(fast.segmentRoots.length).toBe(201);
    expect(fast.segmentRoots.map(toHex)).toEqual(slow.segmentRoots.map(toHex));
    expect(fast.metrics[200].loss).toBeLessThan(fast.metrics[1].loss - 1);
  });
});
