/**
 * Estimates of the time that kernels take on one thread. They decide what is worth the cost of dealing it
 * out, and nothing else.
 */
import { elementCount } from "../../../encoding/tensor.ts";
import type { KernelPlan } from "../../schedule/kernel-plan.ts";

/** Nanoseconds of one multiplication and addition of a product. */
const PRODUCT = 0.055;
/** Nanoseconds of one instruction or operand, for one element of a loop. */
const INSTRUCTION = 0.25;
/** Nanoseconds of a byte that is copied or added. */
const BYTE = 0.1;
/** Nanoseconds of a byte that is hashed. */
export const HASHED_BYTE = 2;

/** Nanoseconds of a kernel. */
export function costOf(plan: KernelPlan): number {
  switch (plan.kind) {
    case "product": {
      const { row, column, depth, batch } = plan.form;
      return PRODUCT * batch.reduce((all, { extent }) => all * extent, row.extent * column.extent * depth.extent);
    }
    case "loops":
      return plan.calls.reduce((sum, { shape, parameters }) => {
        const { extents, reduceExtents } = parameters;
        const each = shape.program.steps.length + shape.args.length + 1;
        return sum + INSTRUCTION * each * elementCount(extents) * elementCount(reduceExtents);
      }, 0);
    case "gather":
      return BYTE * plan.rowBytes * plan.count;
    case "scatter":
      return BYTE * 4 * plan.form.inner * plan.form.count;
    default:
      return 0;
  }
}
