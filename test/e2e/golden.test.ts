/**
 * Golden roots: a change of bits does not go unnoticed. If one of these differs, either a defect came in, or what a job
 * means has changed; then the specification's version is raised (src/job/closed.ts) and the new roots are entered here.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { jobId } from "../../src/job/closed.ts";
import { loadJob } from "../../src/job/load.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm.ts";
import { run } from "../../src/trace/run.ts";
import line from "../fixtures/line.ts";

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));
const TINY = { layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1, seed: 3 };

const GOLDEN = {
  line: {
    job: "0x45ebc7f07759256ad7bbae965b12af95a893c29e6c750f8197d24135f2431cbf",
    run: "0xe13d29d5a46a6363974a2362536c94869c12ea7cd661791fb956ee6e69f6a6fe",
  },
  spirals: {
    job: "0x25478e1fed679e045875da6a4ec1af2d5ee69b0bd1c043cb640100e606348787",
    run: "0xf72999388fea7f1529cedf439c5b94bc29447d95b433da8eb7fff0da2539c862",
  },
  gpt: {
    job: "0x825203dfb8ae928400fb9a52d971c593e302fd66d634a64b34945b2bce37c329",
    run: "0xf1b68b2918b942818fa15e3e83b5d3e5fa05b67137248b8b812cfe2a76194bec",
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
