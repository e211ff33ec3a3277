/** The axes over which a fold runs, as few as its operands allow: each one costs divisions in every step. */
import type { Arg, FoldKernel } from "../../kernels/kernel.ts";
import { joinAxes } from "../../schedule/axes.ts";

type Operand = Arg & { kind: "operand" };

/** The same fold with joined axes; the same fold as it is where an operand has bounds on them. */
export function joinReduced(kernel: FoldKernel): FoldKernel {
  const { args, reduce } = kernel;
  const rank = kernel.type.shape.length;
  const operands = args.filter((arg): arg is Operand => arg.kind === "operand");
  const isBounded = operands.some(({ view }) =>
    reduce.some((extent, axis) => {
      const [from, to] = view.bounds?.[rank + axis] ?? [0, extent];
      return from > 0 || to < extent;
    }),
  );
  if (isBounded || reduce.includes(0)) return kernel;
  const axes = reduce.map((extent, axis) => ({
    extent,
    strides: operands.map(({ view }) => view.strides[rank + axis]),
  }));
  const joined = joinAxes(axes, ({ strides }) => strides);
  const extents = joined.map(({ extent }) => extent);
  return {
    ...kernel,
    reduce: extents,
    args: args.map((arg) => {
      if (arg.kind !== "operand") return arg;
      const own = operands.indexOf(arg);
      const strides = [...arg.view.strides.slice(0, rank), ...joined.map((axis) => axis.strides[own])];
      const bounds = arg.view.bounds && [
        ...arg.view.bounds.slice(0, rank),
        ...extents.map((extent): [number, number] => [0, extent]),
      ];
      return { ...arg, view: { ...arg.view, strides, ...(bounds && { bounds }) } };
    }),
  };
}
