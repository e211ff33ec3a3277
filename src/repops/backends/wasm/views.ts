/** Where the elements of operands are that are no plain matrices: tables of offsets in a session's memory. */
import type { KernelPlan } from "../../schedule/kernel-plan.ts";
import type { OperandView, ViewAxis } from "../../schedule/view-product.ts";

/** Instead of an offset where nothing is read. Offsets are multiples of 4. */
export const NOWHERE = 1;

/** The addresses of an operand's tables: words with the offset of each lane and of each depth, in bytes. */
export interface ViewPlace {
  lanes: number;
  depths: number;
  /** Of the word with the fill value; 0 where everything is read. */
  fill: number;
}

/** The offsets along some axes, in row-major order. */
function offsetsOf(axes: readonly ViewAxis[]): number[] {
  return axes.reduce(
    (outer, { extent, stride, from, to }) =>
      outer.flatMap((offset) =>
        Array.from({ length: extent }, (_, at) =>
          offset === NOWHERE || at < from || at >= to ? NOWHERE : offset + 4 * stride * at,
        ),
      ),
    [0],
  );
}

const lengthOf = (axes: readonly ViewAxis[]): number => axes.reduce((length, { extent }) => length * extent, 1);

export class Views {
  private readonly places = new Map<OperandView, ViewPlace>();

  /** @param take takes bytes of the session's memory, and gives their address */
  constructor(plans: readonly KernelPlan[], take: (bytes: number) => number) {
    for (const plan of plans)
      for (const view of plan.kind === "product" ? Object.values(plan.form.views ?? {}) : []) {
        const fill = take(4);
        const isRead = [...view.lanes, ...view.depth].every(({ extent, from, to }) => from <= 0 && to >= extent);
        const [lanes, depths] = [view.lanes, view.depth].map((axes) => take(4 * lengthOf(axes)));
        this.places.set(view, { lanes, depths, fill: isRead ? 0 : fill });
      }
  }

  /** The tables of an operand; all 0 for a plain matrix. */
  place(view: OperandView | undefined): ViewPlace {
    return (view && this.places.get(view)) ?? { lanes: 0, depths: 0, fill: 0 };
  }

  write(memory: WebAssembly.Memory): void {
    const words = new Int32Array(memory.buffer);
    for (const [view, { lanes, depths, fill }] of this.places) {
      if (fill > 0) words[fill / 4] = view.fill;
      words.set(offsetsOf(view.lanes), lanes / 4);
      words.set(offsetsOf(view.depth), depths / 4);
    }
  }
}
