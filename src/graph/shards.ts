/**
 * The shards of a graph (spec 5.6), and graphs that are cut out of another one. A shard is known by the
 * labels of its operators, which the graph's root binds.
 */
import type { TensorType } from "../encoding/tensor.ts";
import { type Kernel, type KernelList, operandsOf, renumberOperands, typeOf } from "../repops/kernels/kernel.ts";
import type { Graph } from "./graph.ts";

/** The label of an operator of a shard: `shard 3/blocks.0/attention/scores`. */
export function labelIn(shard: number | undefined, label: string): string {
  return shard === undefined ? label : `shard ${shard}/${label}`;
}

/** The shard of an operator, by its label. */
export function shardOfLabel(label: string): number | undefined {
  const [, shard] = /^shard (0|[1-9]\d{0,6})\//.exec(label) ?? [];
  return shard === undefined ? undefined : Number(shard);
}

/** The shards of a graph. */
export interface Shards {
  readonly count: number;
  /**
   * The tensors of each shard that operators outside of all shards read, or that are outputs of the graph: in
   * ascending order.
   */
  readonly outputs: readonly (readonly number[])[];
}

/**
 * The shards of a graph, if its labels name some: 0 to the last one, each with an output.
 * @returns `undefined` for a graph without shards
 */
export function shardsOf(graph: Graph): Shards | undefined {
  const { inputs, kernels, labels, outputs } = graph;
  const own = labels.map(shardOfLabel);
  const count = own.reduce<number>((most, shard) => Math.max(most, shard === undefined ? 0 : shard + 1), 0);
  if (count === 0 || count > kernels.length) return undefined;
  const given = Array.from({ length: count }, () => new Set<number>());
  const reads = (tensor: number): void => {
    const shard = own[tensor - inputs.length];
    if (shard !== undefined) given[shard].add(tensor);
  };
  kernels.forEach((kernel, i) => own[i] === undefined && operandsOf(kernel).forEach(reads));
  for (const { tensor } of outputs) reads(tensor);
  if (given.some(({ size }) => size === 0)) return undefined;
  return { count, outputs: given.map((tensors) => [...tensors].sort((a, b) => a - b)) };
}

/** A list of operators that was cut out of another one. */
export interface Cut {
  readonly list: KernelList;
  /** For each input of the list, the number that it has in the whole. */
  readonly inputs: readonly number[];
  /** For each operator of the list, the number that it has in the whole; ascending. */
  readonly kernels: readonly number[];
  /** The number in the list of a tensor of the whole; `undefined` if it has none. */
  own(tensor: number): number | undefined;
}

/**
 * The operators that are needed for some tensors.
 * @param wanted numbers of tensors of the whole list
 * @param given tensors that are not computed: they become inputs of the cut, all of them, in this order. The
 *   inputs of the whole that are read and not among them follow, in ascending order
 */
export function cutOut(whole: KernelList, wanted: readonly number[], given: readonly number[] = []): Cut {
  const first = whole.inputs.length;
  const known = new Set(given);
  const needed = new Set<number>();
  const read = new Set<number>();
  const pending = [...wanted];
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (known.has(tensor)) continue;
    if (tensor < first) read.add(tensor);
    else if (!needed.has(tensor)) {
      needed.add(tensor);
      pending.push(...operandsOf(whole.kernels[tensor - first]));
    }
  }
  const ascending = (tensors: Iterable<number>): number[] => [...tensors].sort((a, b) => a - b);
  const inputs = [...given, ...ascending(read)];
  const kernels = ascending(needed).map((tensor) => tensor - first);
  const places = new Map([...inputs, ...kernels.map((kernel) => first + kernel)].map((tensor, i) => [tensor, i]));
  const list = {
    inputs: inputs.map((tensor): TensorType => typeOf(whole, tensor)),
    kernels: kernels.map((kernel): Kernel => renumberOperands(whole.kernels[kernel], (tensor) => places.get(tensor)!)),
  };
  return { list, inputs, kernels, own: (tensor) => places.get(tensor) };
}
