/**
 * Maps of a group that run over the same elements become one call: it reads each operand once, and what one
 * map computes the next ones have in registers. Every element is computed by the same program from the same
 * operands, so this changes no bit.
 */
import type { LoopArg, LoopParameters } from "./loop-parameters.ts";
import type { LoopCall } from "./loop-plan.ts";
import type { ArgShape, FusedMap } from "./loop-shape.ts";
import { joinEnds, prefixesOf } from "./rows.ts";

/** Longer programs leave no registers for what others share. */
const MOST_STEPS = 120;
/** The operands and outputs of a call: a core follows so many runs of memory at once. */
const MOST_ARGS = 12;
/** Rows of fewer elements are not cut out of longer ones. */
const LEAST_INNER = 128;

/** What is known of the tensors that calls write. */
export interface Uses {
  elements(tensor: number): number;
  /** Whether something beside these calls reads the tensor. */
  isRead(tensor: number, calls: readonly LoopCall[]): boolean;
  /** Whether that is so late that no cache holds it any more. */
  isStreamed(tensor: number, calls: readonly LoopCall[]): boolean;
}

/** The calls of a group, in order, maps over the same elements as one. */
export function fuseMaps(calls: readonly LoopCall[], uses: Uses): LoopCall[] {
  const fused: LoopCall[] = [];
  let open: LoopCall[] = [];
  const finish = (): void => {
    if (open.length > 1) fused.push(fusedCall(open, uses));
    else fused.push(...open.map((call) => (isMap(call) ? streamed(call, uses) : call)));
    open = [];
  };
  for (const call of calls) {
    const joined = open.length > 0 ? join(open, call, uses) : undefined;
    if (!joined) finish();
    open = joined ?? [call];
  }
  finish();
  return fused;
}

const isMap = ({ shape }: LoopCall): boolean => shape.fold === undefined;

/** A map alone, of which the output is written past the caches if it should be. */
function streamed(call: LoopCall, uses: Uses): LoopCall {
  return uses.isStreamed(call.parameters.output.tensor, [call]) ? fusedCall([call], uses) : call;
}

/** The calls with one more, all in the same loops; `undefined` where that is not possible, or no gain. */
function join(open: readonly LoopCall[], call: LoopCall, uses: Uses): LoopCall[] | undefined {
  const all = [...open, call];
  if (!all.every(isMap)) return undefined;
  const steps = all.reduce((sum, { shape }) => sum + shape.program.steps.length, 0);
  if (steps > MOST_STEPS) return undefined;
  const ends = joinEnds(all.map(({ parameters }) => prefixesOf(parameters.extents).slice(1)));
  if (!ends) return undefined;
  const inner = ends[ends.length - 1] / (ends[ends.length - 2] ?? 1);
  const isCut = all.some(({ parameters: { extents } }) => extents[extents.length - 1] !== inner);
  if (isCut && inner < LEAST_INNER) return undefined;
  const same = all.map((one) => inLoops(one, ends)).filter((one) => one !== undefined);
  if (same.length < all.length) return undefined;
  // The whole output of each, in order.
  const strides = contiguous(same[0].parameters.extents);
  const isWhole = ({ parameters: { output, outStrides } }: LoopCall): boolean =>
    output.offset === 0 && uses.elements(output.tensor) === ends[ends.length - 1] && equal([...outStrides, 4], strides);
  if (!same.every(isWhole)) return undefined;
  const written = new Set(open.map(({ parameters }) => parameters.output.tensor));
  const last = same[same.length - 1].parameters;
  const tensorsOf = ({ args }: LoopParameters): LoopArg[] => args.filter(({ origin }) => origin?.kind === "tensor");
  const isElement = (arg: LoopArg): boolean => arg.base === 0 && equal(arg.strides, strides);
  for (const arg of tensorsOf(last)) if (written.has(tensorOf(arg)!) && !isElement(arg)) return undefined;
  const known = new Set(same.slice(0, -1).flatMap(({ parameters }) => tensorsOf(parameters).map(tensorOf)));
  const gains = tensorsOf(last).some(
    (arg) => isElement(arg) && (written.has(tensorOf(arg)!) || known.has(tensorOf(arg))),
  );
  const touched = new Set([...known, ...written, ...tensorsOf(last).map(tensorOf)]);
  return gains && touched.size < MOST_ARGS ? same : undefined;
}

const tensorOf = ({ origin }: LoopArg): number | undefined => (origin?.kind === "tensor" ? origin.tensor : undefined);

const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

function contiguous(extents: readonly number[]): number[] {
  const strides = extents.map(() => 4);
  for (let i = extents.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * extents[i + 1];
  return strides;
}

/**
 * The same call in more loops, which end at these places; `undefined` where a coordinate runs along a cut
 * one.
 */
function inLoops(call: LoopCall, ends: readonly number[]): LoopCall | undefined {
  const { shape, parameters } = call;
  const prefixes = prefixesOf(parameters.extents);
  const loopOf = ends.map((end) => prefixes.findIndex((prefix) => prefix >= end) - 1);
  const isCut = (loop: number): boolean => loopOf.indexOf(loop) !== loopOf.lastIndexOf(loop);
  const args = shape.args.map((arg): ArgShape | undefined => {
    if (arg.kind !== "coordinate" || arg.loop < 0) return arg;
    return isCut(arg.loop) ? undefined : { kind: "coordinate", loop: loopOf.indexOf(arg.loop) };
  });
  if (loopOf.includes(-1) || args.includes(undefined)) return undefined;
  const along = (strides: readonly number[]): number[] =>
    ends.map((end, i) => strides[loopOf[i]] * (prefixes[loopOf[i] + 1] / end));
  return {
    shape: { ...shape, outer: ends.length - 1, args: args as ArgShape[] },
    parameters: {
      ...parameters,
      extents: ends.map((end, i) => end / (ends[i - 1] ?? 1)),
      outStrides: along([...parameters.outStrides, 4]).slice(0, -1),
      args: parameters.args.map((arg) => ({ ...arg, strides: arg.strides.length > 0 ? along(arg.strides) : [] })),
    },
  };
}

/** One call for several in the same loops. */
function fusedCall(calls: readonly LoopCall[], uses: Uses): LoopCall {
  const shapes: ArgShape[] = [];
  const args: LoopArg[] = [];
  const numbers = new Map<string, number>();
  const mapOf = new Map(calls.map(({ parameters }, i) => [parameters.output.tensor, i]));
  const numberOf = (shape: ArgShape, arg: LoopArg, type?: string): number => {
    // A constant can be a float for one map, and an int for another.
    const key = JSON.stringify([shape, arg, type]);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, args.length);
    shapes.push(shape);
    return args.push(arg) - 1;
  };
  const last = calls[calls.length - 1];
  const maps = calls.map(({ shape, parameters }): FusedMap => {
    const inputs = parameters.args.map((arg, i): FusedMap["inputs"][number] => {
      const own = shape.args[i];
      const map = mapOf.get(tensorOf(arg) ?? -1);
      if (map === undefined || own.kind !== "operand") return { arg: numberOf(own, arg, shape.program.inputs[i]) };
      return { map, clampRange: own.clampRange };
    });
    const { tensor } = parameters.output;
    const map = { program: shape.program, inputs, streamed: uses.isStreamed(tensor, calls) };
    if (parameters === last.parameters) return { ...map, output: "first" };
    if (!uses.isRead(tensor, calls)) return map;
    const strides = [...parameters.outStrides, 4];
    return {
      ...map,
      output: numberOf({ kind: "output" }, { origin: { kind: "tensor", tensor }, base: 0, strides, reduceStrides: [] }),
    };
  });
  return {
    shape: { ...last.shape, args: shapes, maps },
    parameters: { ...last.parameters, args, counted: calls.map(({ parameters }) => parameters.output.tensor) },
  };
}
