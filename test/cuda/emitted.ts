/** The kernels that the backend emits: for the GPT, the convnet, the conformance vectors, and other lists. */
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { everyCase } from "../../src/certify/vectors/operators.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { loadJob } from "../../src/job/load.ts";
import { type Mode, Plan } from "../../src/repops/backends/cuda/plan.ts";
import { probeEntries } from "../../src/repops/backends/cuda/probes.ts";
import type { Entry } from "../../src/repops/backends/cuda/ptx.ts";
import { leafEntry, nodeEntry } from "../../src/repops/backends/cuda/sha256.ts";
import { type Tile, TILES } from "../../src/repops/backends/cuda/tile.ts";
import type { KernelList } from "../../src/repops/kernels/kernel.ts";
import { kernelOf, PRODUCTS } from "../repops/backends/view-products.ts";
import { cases, products } from "../repops/kernels.ts";
import { ROW_FOLDS } from "./rows.ts";

const path = (job: string): string => fileURLToPath(new URL(`../../examples/${job}.ts`, import.meta.url));
const MODES: readonly Mode[] = ["fused", "watched"];

/** Distinct kernels, by their code. */
type Entries = Map<string, Entry>;

function add(all: Entries, list: KernelList, keep: readonly number[], tiles?: readonly Tile[]): void {
  for (const mode of MODES) for (const entry of new Plan(list, keep, mode, tiles).entries) all.set(entry.code, entry);
}

/** Those of a job's step and of its initial state. */
export async function ofJob(name: string, options: Record<string, number>): Promise<Entry[]> {
  const all: Entries = new Map();
  const addGraph = (graph: Graph): void =>
    add(
      all,
      graph,
      graph.outputs.map(({ tensor }) => tensor),
    );
  const { step, init } = await loadJob(path(name), options);
  addGraph(step);
  if (init.kind === "graph") addGraph(init.graph);
  return [...all.values()];
}

export function ofVectors(): Entry[] {
  const all: Entries = new Map();
  for (const { list, outputs } of everyCase())
    add(
      all,
      list,
      outputs.map(({ tensor }) => tensor),
    );
  return [...all.values()];
}

/** Products in all tiles, of plain matrices and of views, whose places may be anything. */
export function ofProducts(): Entry[] {
  const all: Entries = new Map();
  const views = PRODUCTS.slice(0, 24).map((product, i) => kernelOf(product, i));
  for (const tile of TILES)
    for (const { list } of [...views, ...fc.sample(products, { seed: 20261129, numRuns: 40 })])
      add(all, list, [list.inputs.length], [tile]);
  return [...all.values()];
}

/** Folds along rows. */
export function ofRows(): Entry[] {
  const all: Entries = new Map();
  for (const { list } of ROW_FOLDS) add(all, list, [list.inputs.length]);
  return [...all.values()];
}

/** What hashes, and what probes a device. */
export const ofTheBackend = (): Entry[] => [leafEntry(), nodeEntry(), ...probeEntries()];

export function ofRandomKernels(seed: number, count: number): Entry[] {
  const all: Entries = new Map();
  for (const { list } of fc.sample(cases, { seed, numRuns: count })) add(all, list, [list.inputs.length]);
  return [...all.values()];
}
