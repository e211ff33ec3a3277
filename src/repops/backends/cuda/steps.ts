/** Steps of a schedule as launches: a tiled product, a gather, a scatter-add, or loops. */
import { elementCount } from "../../../encoding/tensor.ts";
import type { KernelList } from "../../kernels/kernel.ts";
import { notingOfKernel } from "../../ranges/telling.ts";
import type { FuseLimits } from "../../schedule/fuse.ts";
import type { Schedule, Step } from "../../schedule/schedule.ts";
import { elementsOf, type Launch } from "./launch.ts";
import { stepLaunch } from "./loops.ts";
import { productLaunch } from "./product.ts";
import { gatherLaunch, scatterLaunch } from "./rows.ts";
import { type Tile, TILES } from "./tile.ts";

/** Kernels that run as one: what a compiler takes in its stride, and registers hold. */
export const FUSE_LIMITS: FuseLimits = { tensors: 32, instructions: 256, products: true };

/** A launch and the kernels that it runs, in their order. */
export interface PlannedLaunch extends Launch {
  readonly kernels: readonly number[];
}

/** The launches of a schedule, in order. Steps without elements have none. */
export function launchesOf({ list, steps }: Schedule, tiles: readonly Tile[] = TILES): PlannedLaunch[] {
  return steps
    .filter(({ kernels }) => elementsOf(list, kernels[0]) > 0)
    .map((step) => ({ ...launchOf(list, step, tiles), kernels: step.kernels }));
}

function launchOf(list: KernelList, step: Step, tiles: readonly Tile[]): Launch {
  const [index] = step.kernels;
  const kernel = list.kernels[index];
  if (kernel.kind === "gather") return gatherLaunch(list, kernel, index);
  const form = step.product ?? step.views;
  const isEmpty = kernel.kind === "fold" && elementCount(kernel.reduce) === 0;
  if (form && step.kernels.length === 1 && !isEmpty) {
    const launch = productLaunch(list, form, index, tiles);
    if (launch) return launch;
  }
  if (step.scatter && !isEmpty && notingOfKernel(kernel) === undefined) return scatterLaunch(list, step, step.scatter);
  return stepLaunch(list, step);
}
