/** Faults in a GPT with all features, found and blamed: the exercise that a referee has to pass. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { ClaimStore } from "../../src/claims/store.ts";
import { elementCount } from "../../src/encoding/tensor.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import { loadJob } from "../../src/job/load.ts";
import { checkVerdict, type Divergence, dispute } from "../../src/referee/index.ts";
import { foldLeaves, JUDGE_BUDGET } from "../../src/repops/kernels/reads.ts";
import { parseFault } from "../../src/trace/fault.ts";
import { run } from "../../src/trace/run.ts";
import { claimsOf, claimTrace } from "../fixtures/claims.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { generator } from "../graph/numeric.ts";

const SEED = 20261120;
const STEPS = 6;
const path = temporaryFolder();
const claims = (): ClaimStore => new ClaimStore(path("state"));
let job: ClosedJob;

beforeAll(async () => {
  const example = fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url));
  job = await loadJob(example, { layers: 2, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1, steps: STEPS });
  await run(job, { out: path("honest.trace"), checkpointEvery: 3 });
});

/** The dispute that a fault leads to, or `undefined` if it changed nothing that the run commits to. */
async function drill(fault: string): Promise<Divergence | undefined> {
  await run(job, { out: path("faulty.trace"), force: true, checkpointEvery: 3, fault: parseFault(fault) });
  await claimTrace(claims(), path("faulty.trace"));
  const result = await dispute(path("faulty.trace"), path("honest.trace"), { claims: claims() });
  if (result.outcome === "agree") return undefined;
  if (result.outcome === "undecided") throw new Error(JSON.stringify(result.silent));
  expect(result.losers, fault).toEqual(["a"]);
  expect(result.figures.scalarSteps).toBeLessThanOrEqual(JUDGE_BUDGET.scalarSteps);
  expect(result.figures.bytes).toBeLessThan(64 * 1024);
  expect(checkVerdict(JSON.parse(JSON.stringify(result.verdict)), claimsOf(result.parties)).losers).toEqual([0]);
  return result;
}

describe("a drill on a GPT", () => {
  test("flipped bits are found at the first, the last and random places", async () => {
    const random = generator(SEED);
    const { kernels } = job.step;
    const below = (limit: number): number => Math.floor(random() * limit);
    const places = [
      { step: 1, node: 0, element: 0 },
      { step: STEPS, node: kernels.length - 1, element: elementCount(kernels[kernels.length - 1].type.shape) - 1 },
    ];
    for (let i = 0; i < 25; i++) {
      const node = below(kernels.length);
      places.push({ step: 1 + below(STEPS), node, element: below(elementCount(kernels[node].type.shape)) });
    }
    let found = 0;
    for (const { step, node, element } of places) {
      const fault = `flip:step=${step},operator=${node},element=${element},bit=${20 + below(11)}`;
      const result = await drill(fault);
      // A flip without effect on later operators, such as one in a masked score, leaves the run honest.
      if (!result) continue;
      found++;
      const { shape } = kernels[node].type;
      const at = result.element!.reduce((sum, coordinate, axis) => sum * shape[axis] + coordinate, 0);
      const kernel = kernels[node];
      // A short fold is executed whole.
      const leaves = foldLeaves(kernel);
      const depth = leaves > 0 ? leaves - 1 : null;
      expect([result.step, result.operator!.number, at, result.fold], fault).toEqual([step, node, element, depth]);
    }
    expect(found).toBeGreaterThan(20);
  });

  test("flips of the initial state are found in the init graph", async () => {
    const init = (job.init as { graph: ClosedJob["step"] }).graph;
    for (const node of [
      0,
      init.kernels.findIndex(({ type }) => elementCount(type.shape) > 100),
      init.kernels.length - 1,
    ]) {
      const result = await drill(`flip:step=0,operator=${node},element=0,bit=30`);
      expect([result!.step, result!.operator!.number], `node ${node}`).toEqual([0, node]);
    }
  });

  test("another rate, other data and a skipped step are found at their first effect", async () => {
    for (const step of [1, 4, STEPS]) {
      const rate = await drill(`lr:from=${step},factor=1.01`);
      expect([rate!.step, rate!.operator!.label]).toEqual([step, "optimizer/learning-rate"]);
      const data = await drill(`data:from=${step}`);
      expect([data!.step, data!.operator!.kind, data!.operator!.label]).toEqual([step, "gather", "batch/inputs"]);
      const skip = await drill(`skip:step=${step}`);
      expect([skip!.step, skip!.operator!.kind, skip!.operator!.number]).toEqual([
        step,
        "state-update",
        job.step.kernels.length,
      ]);
    }
  });
});
