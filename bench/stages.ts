/**
 * The tables of SkipPipe and SWARM in docs/schemes.md: what stages hand on in a step, and the loss of the
 * whole model on windows that nobody trained on. `node bench/stages.ts NAME ROUNDS [--option value …]`; more
 * options after a word `or` run it once more.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byteLength, type Tensor } from "../src/encoding/tensor.ts";
import { evaluate, intTensor } from "../src/graph/index.ts";
import type { Value } from "../src/graph/value.ts";
import { byteTokens } from "../src/job/data.ts";
import { resolveOwnPackage } from "../src/job/resolve.ts";
import { runRounds, type RoundsRecord } from "../src/rounds/index.ts";
import { loadRounds } from "../src/rounds/load.ts";
import { stateOf } from "../src/rounds/template.ts";
import type * as Stages from "../examples/stages.ts";

resolveOwnPackage();
const { headLoss, stageOf } = (await import("../examples/stages.ts")) as typeof Stages;
const [name = "skippipe", rounds = "100", ...rest] = process.argv.slice(2);
/** The extents of the examples' models. */
const { stages, context, dim } = name === "swarm" ? { stages: 3, context: 16, dim: 16 } : { stages: 6, context: 16, dim: 32 }; // prettier-ignore
const text = (await byteTokens("examples/data/verde.txt")).data;
const held = text.slice(Math.floor(0.9 * text.length));
const count = Math.floor(held.length / (context + 1));
const windows = intTensor([count, context + 1], held.slice(0, count * (context + 1)));

async function heldLoss(record: RoundsRecord): Promise<number> {
  const { plan } = record;
  const weights: Record<string, Tensor> = {};
  for (const [seat, { turn, template, member }] of plan.seats.entries()) {
    if (!plan.turns[turn].name.startsWith("update") || member > 0) continue;
    const { tensors } = await record.state(record.at({ round: plan.rounds, seat })!);
    for (const [i, { name: entry }] of stateOf(plan.templates[template]).entries())
      if (/^(embedding|block|head)/.test(entry)) weights[entry] = tensors[i];
  }
  // No stage is the last one of `stageOf`, so that the loss is computed here.
  const sizes = { stages: stages + 1, context, dim, heads: 2, subspace: 0, boundary: "whole" };
  const build = (inputs: Record<string, Value>) => {
    let x: Value | undefined;
    for (let stage = 0; stage < stages; stage++)
      x = stageOf(sizes, stage, (entry) => inputs[entry], {}, inputs.windows, x);
    return { loss: headLoss((entry) => inputs[entry], x!, inputs.windows, "mean") };
  };
  return (await evaluate(build, { ...weights, windows })).loss.data[0];
}

const runs: string[][] = [[]];
for (const word of rest)
  if (word === "or") runs.push([]);
  else runs.at(-1)!.push(word);
for (const words of runs) {
  const options = Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word.slice(2), words[i + 1]]] : [])));
  const plan = await loadRounds(`examples/rounds/${name}.ts`, { ...options, rounds });
  const out = mkdtempSync(join(tmpdir(), "verde-stages-"));
  try {
    const began = performance.now();
    const record = await runRounds(plan, { out, state: join(out, "keys") });
    const seconds = (performance.now() - began) / 1000;
    const entries = plan.seats.flatMap(({ template }) => stateOf(plan.templates[template]));
    const of = (entry: RegExp) =>
      entries.filter((type) => entry.test(type.name)).reduce((sum, type) => sum + byteLength(type), 0);
    const loss = await heldLoss(record);
    console.log(
      `${name} ${words.join(" ")}: ${plan.seats.length} leaves a step, ${rounds} steps in ${seconds.toFixed(1)} s`,
    );
    console.log(`  forward ${of(/^passed$/)} B, back ${of(/^slope$/)} B, slopes of weights ${of(/^grad\//)} B; held-out loss ${loss.toFixed(3)}`); // prettier-ignore
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
