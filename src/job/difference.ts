/** What two jobs don't have in common, by their outlines. */
import { bytesEqual, toHex } from "../encoding/bytes.ts";
import { quote } from "../errors/text.ts";
import { encodeKernel } from "../graph/codec.ts";
import type { Graph } from "../graph/graph.ts";
import { type JobOutline, partsOf } from "./closed.ts";

/** The parts that differ, each as `part` or `part: how`; none for jobs with the same id. */
export function differingParts(a: JobOutline, b: JobOutline): string[] {
  const [one, other] = [partsOf(a), partsOf(b)];
  const found: string[] = [];
  if (a.name !== b.name) found.push(`name: ${quote(a.name)} and ${quote(b.name)}`);
  if (a.unit.name !== b.unit.name || a.unit.perStep !== b.unit.perStep) found.push("unit");
  if (one.steps !== other.steps) found.push(`steps: ${one.steps} and ${other.steps}`);
  if (!bytesEqual(one.step, other.step)) found.push(`step graph: ${firstOperatorOf(a.step, b.step)}`);
  if (one.initKind !== other.initKind || !bytesEqual(one.init, other.init)) found.push("initial state");
  if (!bytesEqual(one.dataset, other.dataset)) found.push(datasetDifference(a, b));
  return found;
}

/** The first operator that one graph has and the other has not. */
export function firstOperatorOf(a: Graph, b: Graph): string {
  const text = ({ kernels, labels }: Graph, i: number): string => `${labels[i]} ${toHex(encodeKernel(kernels[i]))}`;
  const length = Math.min(a.kernels.length, b.kernels.length);
  for (let i = 0; i < length; i++)
    if (text(a, i) !== text(b, i)) return `from operator ${i}, ${quote(a.labels[i])} and ${quote(b.labels[i])}`;
  if (a.kernels.length !== b.kernels.length) return `${a.kernels.length} and ${b.kernels.length} operators`;
  return "its inputs, outputs or constants";
}

/** The first tensor of the dataset that differs, where the graph names one. */
function datasetDifference(a: JobOutline, b: JobOutline): string {
  const at = a.datasetRoots.findIndex((root, i) => !b.datasetRoots[i] || !bytesEqual(root, b.datasetRoots[i]));
  const input = at < 0 ? undefined : a.step.inputs[a.step.outputs.length + at];
  return input ? `dataset: ${quote(input.name)}` : "dataset";
}
