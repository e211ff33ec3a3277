/**
 * Which kernels run as one shader: chains of maps over the same elements, behind a map or a fold. Each element's values
 * stay in registers between them; only what somebody else reads is written. No bit changes by it (spec 3.3).
 */
import { elementCount, type Shape } from "../../encoding/tensor.ts";
import { type Kernel, type KernelList, type MapKernel, operandsOf } from "../kernels/kernel.ts";
import { rowMajorStrides, type View } from "../kernels/view.ts";

/** Kernels of one shader in their order, the first of any kind, the others maps over the same elements. */
export interface Group {
  kernels: readonly number[];
  /** Tensors that are read from memory. */
  reads: readonly number[];
  /** Tensors that have to be written: kept, or read outside the group. */
  writes: readonly number[];
}

export interface FuseLimits {
  /** Storage buffers of one shader that are the group's to use. */
  buffers: number;
  /** Instructions of one shader; drivers take their time over long ones. */
  steps: number;
}

/** A group that may still grow. */
interface Open {
  kernels: number[];
  elements: number;
  outputs: Set<number>;
  reads: Set<number>;
  steps: number;
}

/** Whether a view reads element i of its tensor at element i of an output of this shape. */
export function isIdentity({ offset, strides, bounds }: View, shape: Shape): boolean {
  const dense = rowMajorStrides(shape);
  return offset === 0 && !bounds && shape.every((extent, axis) => extent === 1 || strides[axis] === dense[axis]);
}

const stepsOf = (kernel: Kernel): number => (kernel.kind === "gather" ? 0 : kernel.program.steps.length);

/**
 * The groups of a list, in an order in which they can run. A group runs where its last kernel stands: an earlier place
 * for a kernel would need operands that are not there yet, a later one is prevented by closing the group as soon as
 * another kernel reads from it.
 * @param grows whether maps may be added behind a kernel
 * @param keep tensors that are read when all is done
 */
export function fuse(
  list: KernelList,
  keep: readonly number[],
  { buffers, steps }: FuseLimits,
  grows: (kernel: Kernel) => boolean,
): Group[] {
  const first = list.inputs.length;
  const closed: Open[] = [];
  const open = new Set<Open>();
  const close = (group: Open): void => {
    open.delete(group);
    closed.push(group);
  };
  list.kernels.forEach((kernel, index) => {
    const operands = operandsOf(kernel);
    const candidates = [...open].filter(({ outputs }) => operands.some((tensor) => outputs.has(tensor)));
    // The youngest: it may read what the others have written by then.
    const joined = candidates.findLast((group) => kernel.kind === "map" && fits(kernel, group, buffers, steps));
    for (const group of candidates) if (group !== joined) close(group);
    const group = joined ?? newGroup(kernel);
    for (const tensor of operands) if (!group.outputs.has(tensor)) group.reads.add(tensor);
    group.kernels.push(index);
    group.outputs.add(first + index);
    group.steps += stepsOf(kernel);
    if (joined) return;
    if (grows(kernel)) open.add(group);
    else closed.push(group);
  });
  const last = ({ kernels }: Open): number => kernels[kernels.length - 1];
  return withWrites(
    list,
    keep,
    [...closed, ...open].sort((a, b) => last(a) - last(b)),
  );
}

/** One group a kernel, every output written: what a caller can watch. */
export function single(list: KernelList): Group[] {
  return list.kernels.map((kernel, index) => ({
    kernels: [index],
    reads: [...new Set(operandsOf(kernel))],
    writes: [list.inputs.length + index],
  }));
}

function newGroup(kernel: Kernel): Open {
  return { kernels: [], elements: elementCount(kernel.type.shape), outputs: new Set(), reads: new Set(), steps: 0 };
}

function fits(kernel: MapKernel, group: Open, buffers: number, steps: number): boolean {
  const { shape } = kernel.type;
  if (elementCount(shape) !== group.elements || group.steps + stepsOf(kernel) > steps) return false;
  const inOrder = kernel.args.every(
    (arg) => arg.kind !== "operand" || !group.outputs.has(arg.tensor) || isIdentity(arg.view, shape),
  );
  const reads = new Set([...group.reads, ...operandsOf(kernel).filter((tensor) => !group.outputs.has(tensor))]);
  return inOrder && reads.size + group.outputs.size + 1 <= buffers;
}

function withWrites(list: KernelList, keep: readonly number[], groups: readonly Open[]): Group[] {
  const wanted = new Set([...keep, ...groups.flatMap(({ reads }) => [...reads])]);
  return groups.map(({ kernels, outputs, reads }) => {
    const last = list.inputs.length + kernels[kernels.length - 1];
    const writes = [...outputs].filter((tensor) => wanted.has(tensor));
    return { kernels, reads: [...reads], writes: writes.length > 0 ? writes : [last] };
  });
}
