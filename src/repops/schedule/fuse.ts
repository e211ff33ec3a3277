/**
 * Chooses which kernels run as one step: chains of maps over the same elements, after a map or a fold. Each
 * element's values stay in registers between them. Only outputs that another step reads are written. This
 * changes no bit (spec 3.3).
 */
import { elementCount, type Shape } from "../../encoding/tensor.ts";
import { type Kernel, type KernelList, type MapKernel, operandsOf } from "../kernels/kernel.ts";
import { rowMajorStrides, type View } from "../kernels/view.ts";

/** The limits of one step on a device. */
export interface FuseLimits {
  /** The number of tensors that are read or written. */
  tensors: number;
  /** The number of instructions of all programs together, because compilers need long for long code. */
  instructions: number;
  /** Whether matrix products are steps of their own, because the backend has special code for them. */
  products: boolean;
}

/** The kernels of a step that can still grow. */
interface Open {
  kernels: number[];
  elements: number;
  outputs: Set<number>;
  reads: Set<number>;
  instructions: number;
}

/** Whether a view reads element i of its tensor at element i of an output of this shape. */
export function isIdentity({ offset, strides, bounds }: View, shape: Shape): boolean {
  const dense = rowMajorStrides(shape);
  return offset === 0 && !bounds && shape.every((extent, axis) => extent === 1 || strides[axis] === dense[axis]);
}

const instructionsOf = (kernel: Kernel): number => (kernel.kind === "gather" ? 0 : kernel.program.steps.length);

/**
 * The kernels of each step, in an order in which the steps can run. A step runs at the place of its last
 * kernel. At an earlier place, operands could be missing. A later place is never needed, because a step is
 * closed as soon as another kernel reads from it.
 * @param alone kernels to which no map is added
 */
export function fuse(list: KernelList, limits: FuseLimits, alone: ReadonlySet<number>): number[][] {
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
    // The newest group, because it may read what the others have written before it.
    const joined = candidates.findLast((group) => kernel.kind === "map" && fits(kernel, group, limits));
    for (const group of candidates) if (group !== joined) close(group);
    const group = joined ?? newGroup(kernel);
    for (const tensor of operands) if (!group.outputs.has(tensor)) group.reads.add(tensor);
    group.kernels.push(index);
    group.outputs.add(first + index);
    group.instructions += instructionsOf(kernel);
    if (joined) return;
    if (alone.has(index)) closed.push(group);
    else open.add(group);
  });
  const last = ({ kernels }: Open): number => kernels[kernels.length - 1];
  return [...closed, ...open].sort((a, b) => last(a) - last(b)).map(({ kernels }) => kernels);
}

function newGroup(kernel: Kernel): Open {
  const elements = elementCount(kernel.type.shape);
  return { kernels: [], elements, outputs: new Set(), reads: new Set(), instructions: 0 };
}

function fits(kernel: MapKernel, group: Open, { tensors, instructions }: FuseLimits): boolean {
  const { shape } = kernel.type;
  if (elementCount(shape) !== group.elements || group.instructions + instructionsOf(kernel) > instructions)
    return false;
  const inOrder = kernel.args.every(
    (arg) => arg.kind !== "operand" || !group.outputs.has(arg.tensor) || isIdentity(arg.view, shape),
  );
  const reads = new Set([...group.reads, ...operandsOf(kernel).filter((tensor) => !group.outputs.has(tensor))]);
  return inOrder && reads.size + group.outputs.size + 1 <= tensors;
}
