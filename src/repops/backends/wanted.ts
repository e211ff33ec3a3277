/**
 * Checks the options of `execute`, in one place for all backends, and makes the report that collects the
 * results.
 */
import type { Tensor, TensorRoot } from "../../encoding/tensor.ts";
import { BackendError } from "../../errors/index.ts";
import { elementCount } from "../../encoding/tensor.ts";
import { NOTED, type Kernel, type KernelList } from "../kernels/kernel.ts";
import { notingOfKernel } from "../ranges/telling.ts";
import { Audit, type ElementOf } from "./audit.ts";
import type { Noted, ExecuteOptions, ExecuteReport } from "./backend.ts";

export interface Wanted {
  roots: ReadonlySet<number>;
  captured: ReadonlySet<number>;
  audit: Audit;
}

/**
 * @throws {BackendError} for a kernel that the list does not have, or an element that its output does not
 *   have
 */
export function wantedOf({ rootsOf = [], capture = [], audit = [] }: ExecuteOptions, list: KernelList): Wanted {
  const kernels = list.kernels.length;
  const checked = (numbers: readonly number[], what: string): ReadonlySet<number> => {
    const wrong = numbers.find((kernel) => !Number.isInteger(kernel) || kernel < 0 || kernel >= kernels);
    if (wrong === undefined) return new Set(numbers);
    const there = kernels === 0 ? "the list has no kernels" : `the list has kernels 0 to ${kernels - 1}`;
    throw new BackendError("KERNEL_UNKNOWN", `${what} of kernel ${wrong} can't be given: ${there}`, {
      kernel: wrong,
      kernels,
    });
  };
  const roots = rootsOf === "all" ? new Set(Array(kernels).keys()) : checked(rootsOf, "the root");
  checked(audit.map(({ kernel }) => kernel), "an element"); // prettier-ignore
  for (const place of audit) checkElement(place, list);
  return { roots, captured: checked(capture, "the output"), audit: new Audit(audit) };
}

function checkElement({ kernel, element }: ElementOf, { kernels }: KernelList): void {
  const count = elementCount(kernels[kernel].type.shape);
  if (Number.isInteger(element) && element >= 0 && element < count) return;
  throw new BackendError(
    "KERNEL_UNKNOWN",
    `kernel ${kernel} has ${count} elements, numbered from 0, but no ${element}`,
    {
      kernel,
      element,
    },
  );
}

/** Whether something happens between two kernels. */
export const isWatched = ({ roots, captured, audit }: Wanted): boolean =>
  roots.size + captured.size > 0 || audit.isWanted;

/** An empty report. */
export interface OpenReport extends ExecuteReport {
  noted: Noted[];
  roots: Map<number, TensorRoot>;
  captured: Map<number, Tensor>;
}

export const emptyReport = (): OpenReport => ({ outOfRange: [], noted: [], roots: new Map(), captured: new Map() });

/**
 * Whether a kernel has something to count: rows outside of a gather's source, or what its steps note.
 */
export const isCounted = (kernel: Kernel): boolean =>
  kernel.kind === "gather" ||
  kernel.args.some((arg) => arg.kind === "operand" && arg.clampRange !== "none") ||
  notingOfKernel(kernel) !== undefined;

/** The kernels that have something to count, in order. */
export const countedKernels = ({ kernels }: KernelList): number[] =>
  [...kernels.keys()].filter((i) => isCounted(kernels[i]));

const notesOf = (bits: number): Omit<Noted, "kernel"> => ({
  above: (bits & NOTED.above) > 0,
  below: (bits & NOTED.below) > 0,
  saturated: (bits & NOTED.saturated) > 0,
  domain: (bits & NOTED.domain) > 0,
});

/** Adds to a report what a kernel has counted: rows outside of a gather's source, or the `NOTED` bits. */
export function addCount(report: OpenReport, { kernels }: KernelList, kernel: number, count: number): void {
  if (count === 0) return;
  if (kernels[kernel].kind === "gather") report.outOfRange.push({ kernel, count });
  else report.noted.push({ kernel, ...notesOf(count) });
}

/**
 * The report of an execution of no kernels.
 * @throws {BackendError} when the options name a kernel
 */
export function executeNothing(options: ExecuteOptions): ExecuteReport {
  wantedOf(options, { inputs: [], kernels: [] });
  return emptyReport();
}
