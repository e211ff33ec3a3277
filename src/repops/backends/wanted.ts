/**
 * Checks the options of `execute`, in one place for all backends, and makes the report that collects the
 * results.
 */
import type { Tensor, TensorRoot } from "../../encoding/tensor.ts";
import { BackendError } from "../../errors/index.ts";
import { elementCount } from "../../encoding/tensor.ts";
import type { KernelList } from "../kernels/kernel.ts";
import { Audit, type ElementOf } from "./audit.ts";
import type { ExecuteOptions, ExecuteReport } from "./backend.ts";

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
  roots: Map<number, TensorRoot>;
  captured: Map<number, Tensor>;
}

export const emptyReport = (): OpenReport => ({ outOfRange: [], roots: new Map(), captured: new Map() });

/**
 * The report of an execution of no kernels.
 * @throws {BackendError} when the options name a kernel
 */
export function executeNothing(options: ExecuteOptions): ExecuteReport {
  wantedOf(options, { inputs: [], kernels: [] });
  return emptyReport();
}
