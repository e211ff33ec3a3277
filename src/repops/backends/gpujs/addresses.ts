/**
 * The addresses that a kernel reads: element numbers and coordinates as whole numbers in floats, exact below
 * 2^24. Division is a product with the inverse, which is then corrected.
 */
import type { Arg } from "../../kernels/kernel.ts";
import { constant, type Scalars, whole } from "./statements.ts";

/** Quotient and remainder of whole numbers; the product with the inverse is off by one at most. */
export function divide(number: string, by: number, quotient: string, remainder: string, scalars: Scalars): string[] {
  const inverse = constant(Math.fround(1 / by), scalars);
  return [
    `let ${quotient} = Math.floor(${number} * ${inverse});`,
    `let ${remainder} = ${number} - ${quotient} * ${by}.0;`,
    `if (${remainder} < 0.0) { ${quotient} = ${quotient} - 1.0; ${remainder} = ${remainder} + ${by}.0; }`,
    `if (${remainder} >= ${by}.0) { ${quotient} = ${quotient} + 1.0; ${remainder} = ${remainder} - ${by}.0; }`,
  ];
}

/** The coordinates of the row-major number `e` as `prefix0`, `prefix1`, … */
export function coordinates(shape: readonly number[], scalars: Scalars): { lines: string[]; names: string[] } {
  const names = shape.map(() => "0.0");
  const lines: string[] = [];
  const axes = [...shape.keys()].filter((axis) => shape[axis] > 1);
  let rest = "e";
  for (const axis of axes.slice(1).reverse()) {
    names[axis] = `i${axis}`;
    lines.push(...divide(rest, shape[axis], `q${axis}`, names[axis], scalars));
    rest = `q${axis}`;
  }
  if (axes.length > 0) names[axes[0]] = rest;
  return { lines, names };
}

const sum = (terms: readonly string[]): string => terms.join(" + ") || "0.0";
const term = (name: string, stride: number): string[] =>
  stride === 0 || name === "0.0" ? [] : [stride === 1 ? name : `${name} * ${whole(stride)}`];

/** Whether every partial sum of an address is exact. */
export function exactAddress(arg: Arg, space: readonly number[]): boolean {
  if (arg.kind !== "operand") return true;
  const { offset, strides } = arg.view;
  const reach = strides.reduce((total, stride, axis) => total + Math.abs(stride) * space[axis], Math.abs(offset));
  return reach <= 2 ** 24;
}

/** The part of each operand's address that the fold does not change. */
export function bases(args: readonly Arg[], names: readonly string[], outer: number): string[] {
  return args.flatMap((arg, i) => {
    if (arg.kind !== "operand") return [];
    const { offset, strides } = arg.view;
    const terms = strides.slice(0, outer).flatMap((stride, axis) => term(names[axis], stride));
    return [`let p${i} = ${sum([...(offset === 0 ? [] : [whole(offset)]), ...terms])};`];
  });
}

/** Loops over the fold's axes, outermost first, each operand's address moving along. */
export function nest(
  args: readonly Arg[],
  reduce: readonly number[],
  outer: number,
  step: readonly string[],
): string[] {
  const moved = (axis: number): [number, number][] =>
    args.flatMap((arg, i) => (arg.kind === "operand" ? [[i, arg.view.strides[outer + axis]]] : []));
  let body = [...step];
  for (let axis = reduce.length - 1; axis >= 0; axis--)
    body = [
      `let r${axis} = 0.0;`,
      ...moved(axis).map(([i]) => `let s${axis}p${i} = p${i};`),
      `for (let l${axis} = 0; l${axis} < this.constants.n${axis}; l${axis}++) {`,
      ...body,
      `r${axis} = r${axis} + 1.0;`,
      ...moved(axis).flatMap(([i, stride]) => (stride === 0 ? [] : [`p${i} = p${i} + ${whole(stride)};`])),
      "}",
      ...(axis > 0 ? moved(axis).map(([i]) => `p${i} = s${axis}p${i};`) : []),
    ];
  return body;
}
