/**
 * What a prover executes to answer for one training step: kernels, in relation to those of a step; and how
 * long its answers take once the step is executed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { elementCount } from "../../src/encoding/tensor.ts";
import type { Position } from "../../src/game/level.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { trainingProver, type TrainingProver } from "../../src/referee/claim.ts";
import { traceMemory } from "../../src/referee/trace-memory.ts";
import { expectComplete } from "../../src/trace/open.ts";
import { openTrace } from "../../src/trace/folder.ts";
import { run } from "../../src/trace/run.ts";
import { median } from "../measure.ts";
import { gptJob } from "../peers/gpt.ts";
import type { Growth, Size } from "./series.ts";

const STEPS = 16;
/** Training steps from the last checkpoint to the disputed step's pre-state. */
const DISTANCES = [0, 1, 3, 7];
/** The disputed tensor has 2^20 elements: a layer's output, 1,024 wide, for 1,024 tokens. */
const SHAPE = { layers: 2, heads: 4, dim: 256, context: 128, batch: 8, vocabulary: 256 };
const ELEMENTS = 2 ** 20;

/** WASM, with a count of the kernels that its sessions execute. */
function counting(): { backend: Backend; executed(): number } {
  let count = 0;
  const prepare: Backend["prepare"] = async (list, options) => {
    const session = await wasm.prepare(list, options);
    return new Proxy(session, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (name === "execute") count += list.kernels.length;
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  };
  return { backend: { name: "counting", prepare }, executed: () => count };
}

/** The question about a node of the tree of chunks of an operator's output, in one training step. */
const chunkPlace = (step: number, operator: number): Position => [
  { level: "segment", index: step, part: 0 },
  { level: "step", index: 0, part: 0 },
  { level: "operator", index: operator, part: 0 },
];

const millisOf = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  if ((await work()) === undefined) throw new Error("the prover gave no answer");
  return performance.now() - began;
};

/** All questions of a dispute about one element: from the operators of the step to the one-step proof. */
async function ask(prover: TrainingProver, step: number, operator: number): Promise<Record<string, number>> {
  const segment = chunkPlace(step, operator).slice(0, 2);
  const at = chunkPlace(step, operator);
  const roots = await millisOf(() => prover.answer({ kind: "payload", at: segment, height: 0, position: operator }));
  const executing = await millisOf(() => prover.answer({ kind: "payload", at, height: 0, position: 0 }));
  const openings: number[] = [];
  const chunks = ELEMENTS / 64;
  for (let i = 1; i <= 8; i++) {
    const position = Math.floor((i * chunks) / 9);
    openings.push(await millisOf(() => prover.answer({ kind: "payload", at, height: 0, position })));
    openings.push(await millisOf(() => prover.answer({ kind: "children", at, height: 1, position: position >> 1 })));
  }
  const bottom: Position = [...at, { level: "chunk", index: 9_001, part: 5 }, { level: "fold", index: 100, part: 0 }];
  const first = await millisOf(() => prover.witness(bottom));
  const again = await millisOf(() => prover.witness(bottom));
  return {
    operatorRootsMillis: roots,
    tensorMillis: executing,
    openingMillis: median(openings),
    slowestOpeningMillis: Math.max(...openings),
    firstProofMillis: first,
    laterProofMillis: again,
  };
}

function disputedOperator(job: ClosedJob): number {
  const at = job.step.kernels.findIndex(
    ({ kind, type }, i) => kind === "fold" && elementCount(type.shape) === ELEMENTS && /mlp/.test(job.step.labels[i]),
  );
  if (at < 0) throw new Error("no product has 2^20 elements");
  return at;
}

export async function growAnswers(_: Size, { say, point }: Growth): Promise<void> {
  const job = { ...(await gptJob(SHAPE)), steps: STEPS };
  const operator = disputedOperator(job);
  const folder = mkdtempSync(join(tmpdir(), "verde-bench-"));
  try {
    const out = join(folder, "a.trace");
    say("a run for a prover to answer for");
    await run(job, { out, commitEvery: 1, checkpointEvery: STEPS / 2 });
    for (const distance of DISTANCES) {
      say(`answers for a step that is ${distance} steps after a checkpoint`);
      const { backend, executed } = counting();
      const memory = await traceMemory(expectComplete(await openTrace(out)), backend);
      try {
        const before = executed();
        const millis = await ask(trainingProver(memory), STEPS / 2 + distance + 1, operator);
        const steps = (executed() - before) / job.step.kernels.length;
        point("answers", { distance, stepsExecuted: steps, ...millis });
      } finally {
        await memory.close();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
