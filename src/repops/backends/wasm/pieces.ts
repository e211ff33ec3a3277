/**
 * Cuts the plan of a kernel into pieces that write different elements, so that several threads can compute
 * them at once. An element is computed by one piece in the same order as before, so the bits stay the same.
 */
import type { GatherKernel } from "../../kernels/kernel.ts";
import type { KernelPlan } from "../../schedule/kernel-plan.ts";
import type { LoopCall } from "../../schedule/loop-plan.ts";
import type { ProductAxis, ProductForm } from "../../schedule/product-form.ts";
import type { ScatterForm } from "../../schedule/scatter-form.ts";
import { COLUMNS, ROWS } from "./matmul.ts";

/** From an element or row up to before another. */
type Span = readonly [from: number, to: number];

/** What one call computes. Offsets are in elements. */
export type Piece =
  | { kind: "loop"; call: LoopCall }
  | {
      kind: "multiply";
      form: ProductForm;
      rows: Span;
      columns: Span;
      /** Where the first product begins: in A, in B, and in the output. */
      at: Omit<ProductAxis, "extent">;
      /** The axis along which the call repeats the product. */
      repeat: ProductAxis;
    }
  | { kind: "gather"; kernel: GatherKernel; positions: Span; rows: number; rowBytes: number }
  | { kind: "scatter"; form: ScatterForm; columns: Span };

const ONCE: ProductAxis = { extent: 1, out: 0, a: 0, b: 0 };

/**
 * The pieces of a plan, about `count` of them; `undefined` for a plan that has no code of its own.
 * @param count 1 or more; fewer pieces are made where the kernel is too small for so many
 */
export function piecesOf(plan: KernelPlan, count: number): Piece[] | undefined {
  switch (plan.kind) {
    case "loops":
      return cutLoops(plan.calls, count).map((call) => ({ kind: "loop", call }));
    case "product":
      return cutProduct(plan.form, count);
    case "gather": {
      const { kernel, rows, rowBytes } = plan;
      return spans(plan.count, count, 1).map((positions) => ({ kind: "gather", kernel, positions, rows, rowBytes }));
    }
    case "scatter": {
      const { form } = plan;
      return spans(form.inner, count, VECTOR).map((columns) => ({ kind: "scatter", form, columns }));
    }
    default:
      return undefined;
  }
}

/** Elements of a vector; a cut inside of one would make both sides slower. */
const VECTOR = 16;

/** At most `count` spans of about the same length that cover `extent`, cut at multiples of `unit`. */
export function spans(extent: number, count: number, unit: number): Span[] {
  const units = Math.ceil(extent / unit);
  const pieces = Math.max(1, Math.min(count, units));
  const cut = (i: number): number => Math.min(extent, unit * Math.floor((i * units) / pieces));
  return Array.from({ length: pieces }, (_, i): Span => [cut(i), cut(i + 1)]);
}

const elementsOf = ({ parameters }: LoopCall): number => parameters.extents.reduce((a, b) => a * b, 1);

/** Each call is cut as often as its share of all elements asks for. */
function cutLoops(calls: readonly LoopCall[], count: number): LoopCall[] {
  const all = calls.reduce((sum, call) => sum + elementsOf(call), 0);
  return calls.flatMap((call) => cutLoop(call, Math.max(1, Math.round((count * elementsOf(call)) / all))));
}

/** Cuts along the outermost loop that is long enough, or else along the longest. */
function cutLoop(call: LoopCall, count: number): LoopCall[] {
  if (count === 1) return [call];
  const { extents } = call.parameters;
  const last = extents.length - 1;
  const turns = extents.map((extent, loop) => (loop === last ? Math.floor(extent / VECTOR) : extent));
  const enough = turns.findIndex((turn) => turn >= count);
  const loop = enough >= 0 ? enough : turns.indexOf(Math.max(...turns));
  return spans(extents[loop], count, loop === last ? VECTOR : 1).map((span) => withSpan(call, loop, span));
}

/** The same call over some of the turns of one loop. */
function withSpan({ shape, parameters }: LoopCall, loop: number, [from, to]: Span): LoopCall {
  const { output, extents, outStrides, args } = parameters;
  return {
    shape,
    parameters: {
      ...parameters,
      output: { ...output, offset: output.offset + from * (outStrides[loop] ?? 4) },
      extents: extents.map((extent, i) => (i === loop ? to - from : extent)),
      args: args.map((arg, i) => {
        const kind = shape.args[i];
        if (kind.kind === "coordinate") return kind.loop === loop ? { ...arg, base: arg.base + from } : arg;
        return { ...arg, base: arg.base + from * (arg.strides[loop] ?? 0) };
      }),
    },
  };
}

/** Cut along the batch; if that is too short, along the longer side of each product too. */
function cutProduct(form: ProductForm, count: number): Piece[] {
  const { row, column, batch } = form;
  const longest = batch.reduce((most, axis) => (axis.extent > most.extent ? axis : most), ONCE);
  const starts = batch
    .filter((axis) => axis !== longest)
    .reduce((found, axis) => found.flatMap((at) => steps(axis).map((step) => sum(at, step))), [{ out: 0, a: 0, b: 0 }]);
  const repeats = spans(longest.extent, Math.ceil(count / starts.length), 1);
  const sides = Math.ceil(count / (starts.length * repeats.length));
  const alongRows = row.extent >= column.extent;
  const rows = spans(row.extent, alongRows ? sides : 1, ROWS);
  const columns = spans(column.extent, alongRows ? 1 : sides, COLUMNS);
  return starts.flatMap((start) =>
    repeats.flatMap(([from, to]) => {
      const at = sum(start, times(longest, from));
      const repeat = { ...longest, extent: to - from };
      return rows.flatMap((r) =>
        columns.map((c): Piece => ({ kind: "multiply", form, rows: r, columns: c, at, repeat })),
      );
    }),
  );
}

type Place = Omit<ProductAxis, "extent">;

const times = ({ out, a, b }: Place, by: number): Place => ({ out: out * by, a: a * by, b: b * by });
const sum = (x: Place, y: Place): Place => ({ out: x.out + y.out, a: x.a + y.a, b: x.b + y.b });
const steps = (axis: ProductAxis): Place[] => Array.from({ length: axis.extent }, (_, i) => times(axis, i));
