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
    job: "0x728be57b1770e7a18d319635c2e8505555a52f2e3b4f733eb2e706345cdb157c",
    run: "0xf6b020c99ca32bc1cd06dccfbdbc5735ba29e163f7c87b550d7c9098a9bd8c71",
  },
  spirals: {
    job: "0xa83eb30e0d0206cb0f15768d84725742316f5760d8fd43d5f8070e0f0e278354",
    run: "0x53905c8e7fbfdcfcd0fed502da7828b811495853b364d3340689b67782f3292b",
  },
  gpt: {
    job: "0x0ec52dec20de5376c0d034b1b573625dbdf0bd1d01be7d2cbf856283747bc965",
    run: "0x560a857d673ce697f6765acacd8579b3aa5a783c05a02d5e136f0d3682c66511",
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
