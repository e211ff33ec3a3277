/** Kernels as calls of native functions: each is a function with a block of 64-bit words. */
import { elementCount } from "../../../encoding/tensor.ts";
import { type KernelList, typeOf } from "../../kernels/kernel.ts";
import { type Cut, cutCall, cutLoop, type Grain } from "../../schedule/grain.ts";
import type { KernelPlan } from "../../schedule/kernel-plan.ts";
import { constantsOf, parameterWords } from "../../schedule/loop-parameters.ts";
import type { LoopCall } from "../../schedule/loop-plan.ts";
import { loopKey } from "../../schedule/loop-shape.ts";
import type { ProductForm } from "../../schedule/product-form.ts";
import type { OperandView } from "../../schedule/view-product.ts";
import type { CoreKernel } from "./core.ts";

/** Where things are in memory, in bytes. */
export interface Places {
  tensor(number: number): number;
  constant(bits: number): number;
  /**
   * The counter of the kernel with this output: of a gather's indices outside of its source, or of the
   * `NOTED` bits (core/vector.h).
   */
  counter(output: number): number;
  scratch: number;
  /** Memory of the first thread for what only a group reads. */
  buffer: number;
  /** Threads for which scratch memory and buffers are enough. */
  threads: number;
}

export interface Call {
  /** A kernel of the core, or the key of a loop. */
  code: { core: CoreKernel } | { loop: string };
  words(places: Places): number[];
  /** How it is dealt out to threads; absent: by itself, or not at all. */
  cut?: Cut;
}

/** The constants from which the loops of a plan read. */
export function constantsIn(plan: KernelPlan): number[] {
  return plan.kind === "loops" ? plan.calls.flatMap(({ parameters }) => constantsOf(parameters)) : [];
}

/** Nanoseconds to move a byte. */
const BYTE = 0.1;

/** The calls of a kernel; `undefined` for one that runs on the definition. */
export function callsOf(list: KernelList, plan: KernelPlan, index: number, grain: Grain): Call[] | undefined {
  const output = list.inputs.length + index;
  switch (plan.kind) {
    case "nothing":
      return [];
    case "definition":
      return undefined;
    case "start": {
      const count = elementCount(typeOf(list, output).shape);
      const cut = cutLoop(1, count, [[0, 4]], 4 * BYTE * count, grain);
      return [{ code: { core: "fill" }, words: ({ tensor }) => [tensor(output), count, plan.bits | 0], cut }];
    }
    case "gather": {
      const { kernel, rows, rowBytes, count } = plan;
      return [
        {
          code: { core: "gather" },
          words: ({ tensor, counter }) => [
            tensor(kernel.source),
            tensor(kernel.index),
            tensor(output),
            count,
            rowBytes,
            rows,
            kernel.fill | 0,
            counter(output),
          ],
          cut: cutLoop(
            3,
            count,
            [
              [1, 4],
              [2, rowBytes],
            ],
            2 * BYTE * count * rowBytes,
            grain,
          ),
        },
      ];
    }
    case "product":
      return [{ code: { core: "product" }, words: (places) => productWords(plan.form, output, places) }];
    case "scatter": {
      const { x, index: rowIndex, count, rows, inner, stride } = plan.form;
      return [
        {
          code: { core: "scatter" },
          words: ({ tensor, counter }) => [
            tensor(x.tensor) + 4 * x.view.offset,
            tensor(rowIndex.tensor) + 4 * rowIndex.view.offset,
            tensor(output),
            count,
            inner,
            rows,
            stride,
            inner,
            counter(output),
          ],
          cut: cutLoop(
            4,
            inner,
            [
              [0, 4],
              [2, 4],
            ],
            4 * BYTE * inner * (2 * count + rows),
            grain,
          ),
        },
      ];
    }
    case "loops":
      return plan.calls.map((call) => ({ ...loopOf(call), cut: cutCall(call, grain) }));
  }
}

/** A loop as a call. */
export function loopOf({ shape, parameters }: LoopCall): Call {
  const words = (places: Places): number[] => [
    ...parameterWords(parameters, places),
    ...(parameters.counted ?? [parameters.output.tensor]).map((tensor) => places.counter(tensor)),
  ];
  return { code: { loop: loopKey(shape) }, words };
}

/** In the order in which call_product of core/core.c reads them. */
function productWords(
  { a, b, row, column, depth, batch, views = {} }: ProductForm,
  output: number,
  places: Places,
): number[] {
  return [
    places.tensor(a.tensor) + 4 * a.view.offset,
    places.tensor(b.tensor) + 4 * b.view.offset,
    places.tensor(output),
    row.extent,
    column.extent,
    depth.extent,
    row.a,
    depth.a,
    depth.b,
    column.b,
    row.out,
    places.scratch,
    places.threads,
    places.counter(output),
    batch.length,
    ...batch.flatMap(({ extent, a: ofA, b: ofB, out }) => [extent, ofA, ofB, out]),
    ...viewWords(views.a),
    ...viewWords(views.b),
  ];
}

/** In the order of View in core/view.h; a plain matrix has no axes. */
function viewWords({ lanes, depth, fill }: OperandView = { lanes: [], depth: [], fill: 0 }): number[] {
  return [
    fill | 0,
    lanes.length,
    depth.length,
    ...[...lanes, ...depth].flatMap(({ extent, stride, from, to }) => [extent, stride, from, to]),
  ];
}
