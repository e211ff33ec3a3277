/**
 * Decides which kernels of a list gpu.js runs. The fallback backend runs those that need integers or bits
 * that floats do not hold.
 */
import type { Kernel, KernelList } from "../../kernels/kernel.ts";
import { operandsOf, renumberOperands, typeOf } from "../../kernels/kernel.ts";
import { analyze } from "../../ranges/analysis.ts";
import type { IntRange } from "../../ranges/values.ts";
import { type NoteKernel, noteKernels } from "./notes.ts";
import { type IntRanges, isInt, type Source, sourceOf } from "./source.ts";
import { isExactInt, MAX_INT } from "./statements.ts";

/** Consecutive kernels that the fallback backend runs, as a list of their own. */
export interface Island {
  /** The number of its first kernel in the whole list; the others follow it. */
  first: number;
  list: KernelList;
  /** The tensors that it reads, in the order of its inputs. */
  inputs: readonly number[];
}

/** Counts what a kernel's steps note. */
export interface Note extends Pick<NoteKernel, "bits"> {
  source: Source;
}

export type Part =
  /** `notes` is absent where the host has to compute the kernel again to know what it notes. */
  { kind: "device"; kernel: number; source: Source; notes?: readonly Note[] } | { kind: "fallback"; island: Island };

/** The kernels of a part, in their order. */
export function kernelsOf(part: { kind: "device"; kernel: number } | { kind: "fallback"; island: Island }): number[] {
  if (part.kind === "device") return [part.kernel];
  return part.island.list.kernels.map((_, i) => part.island.first + i);
}

/**
 * @param wide int inputs that have held values that are not exact in floats; the others are checked when they
 * are written
 */
export function planList(list: KernelList, wide: ReadonlySet<number>): Part[] {
  const ranges = new Map<number, IntRange>();
  for (const [i, type] of list.inputs.entries())
    if (isInt(type) && !wide.has(i)) ranges.set(i, { low: -MAX_INT, high: MAX_INT });
  const parts: Part[] = [];
  let fallback: number[] = [];
  const endIsland = (): void => {
    if (fallback.length > 0) parts.push({ kind: "fallback", island: islandOf(list, fallback) });
    fallback = [];
  };
  for (const [i, kernel] of list.kernels.entries()) {
    const source = sourceOf(list, kernel, (tensor) => ranges.get(tensor));
    const range = source ? source.range : rangeOnFallback(kernel);
    if (isInt(kernel.type) && range && isExactInt(range)) ranges.set(list.inputs.length + i, range);
    if (source) {
      endIsland();
      const notes = notesOf(list, kernel, (tensor) => ranges.get(tensor));
      parts.push({ kind: "device", kernel: i, source, ...(notes && { notes }) });
    } else fallback.push(i);
  }
  endIsland();
  return parts;
}

function notesOf(list: KernelList, kernel: Kernel, ranges: IntRanges): Note[] | undefined {
  const all = noteKernels(kernel)?.map(({ kernel: counting, bits }) => {
    const source = sourceOf(list, counting, ranges);
    return source && { source, bits };
  });
  return all?.every((note) => note !== undefined) ? all : undefined;
}

/** The range of the ints of a map, for any operands. */
function rangeOnFallback(kernel: Kernel): IntRange | undefined {
  if (kernel.kind !== "map" || !isInt(kernel.type)) return undefined;
  const { values } = analyze(kernel.program);
  return values[values.length - 1] as IntRange;
}

function islandOf(list: KernelList, kernels: readonly number[]): Island {
  const first = list.inputs.length + kernels[0];
  const inputs = [...new Set(kernels.flatMap((kernel) => operandsOf(list.kernels[kernel])))].filter((t) => t < first);
  const own = new Map(inputs.map((tensor, i) => [tensor, i]));
  const renumbered = kernels.map((kernel) =>
    renumberOperands(list.kernels[kernel], (t) => own.get(t) ?? t - first + inputs.length),
  );
  return {
    first: kernels[0],
    list: { inputs: inputs.map((tensor) => typeOf(list, tensor)), kernels: renumbered },
    inputs,
  };
}
