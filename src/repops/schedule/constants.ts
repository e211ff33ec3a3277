/**
 * Loops that differ in constants of their programs alone become one loop, which reads the constants that
 * differ. So a backend compiles as many loops for ten layers as for one: each layer draws its random numbers
 * from a stream of its own, whose number is a constant.
 */
import { domainOf } from "../functions/domains.ts";
import { fromBits, MAX_VALUE } from "../numbers/vf32.ts";
import { layout, MAX_INPUTS, type Program, programKey } from "../programs/program.ts";
import type { KernelPlan } from "./kernel-plan.ts";
import type { LoopArg } from "./loop-parameters.ts";
import type { LoopCall } from "./loop-plan.ts";
import type { ArgShape } from "./loop-shape.ts";

/** The places of constants in a program, among its floats and among its ints. */
interface Places {
  floats: readonly number[];
  ints: readonly number[];
}

/** The same plans with shared loops. It changes no bit. */
export function shareLoops(plans: readonly KernelPlan[]): KernelPlan[] {
  const alike = new Map<string, Program[]>();
  const calls = plans.flatMap((plan) => (plan.kind === "loops" ? plan.calls : []));
  const keys = new Map(calls.map((call) => [call, keyOf(call)]));
  for (const [call, key] of keys) {
    const programs = alike.get(key);
    if (programs) programs.push(call.shape.program);
    else alike.set(key, [call.shape.program]);
  }
  const places = new Map([...alike].map(([key, programs]) => [key, differences(programs)]));
  return plans.map((plan) =>
    plan.kind === "loops"
      ? { ...plan, calls: plan.calls.map((call) => lift(call, places.get(keys.get(call)!)!)) }
      : plan,
  );
}

/** Everything but the constants. A function with a domain is known by its constants too. */
function keyOf({ shape: { program, maps, ...shape } }: LoopCall): string {
  const { inputs, floats, ints, steps } = program;
  const known = domainOf(program) && programKey(program);
  return JSON.stringify([shape, maps, inputs, floats.length, ints.length, steps, known]);
}

const isSaturated = (bits: number): boolean => Math.abs(fromBits(bits)) === MAX_VALUE;

function differences(programs: readonly Program[]): Places {
  const [first] = programs;
  const differ = (of: "floats" | "ints"): number[] =>
    [...first[of].keys()].filter((i) => programs.some((program) => program[of][i] !== first[of][i]));
  const floats = differ("floats");
  // A step whose operand is saturated notes nothing, but one whose constant is may.
  if (floats.some((i) => programs.some((program) => isSaturated(program.floats[i])))) return { floats: [], ints: [] };
  return { floats, ints: differ("ints") };
}

/** The call with these constants as its last arguments. */
function lift(call: LoopCall, { floats, ints }: Places): LoopCall {
  const { shape, parameters } = call;
  const { program } = shape;
  const count = floats.length + ints.length;
  // Without instructions, the last constant is the result.
  if (count === 0 || shape.maps || program.steps.length === 0) return call;
  if (program.inputs.length + count > MAX_INPUTS) return call;
  const constants = [...floats.map((i) => program.floats[i]), ...ints.map((i) => program.ints[i])];
  const args = constants.map((): ArgShape => ({ kind: "operand", access: "splat", fixed: true, clampRange: "none" }));
  const zeros = (list: readonly number[]): number[] => list.map(() => 0);
  const reads = constants.map(
    (bits): LoopArg => ({
      origin: { kind: "constant", bits },
      base: 0,
      strides: zeros(parameters.extents),
      reduceStrides: zeros(parameters.reduceExtents),
    }),
  );
  return {
    shape: { ...shape, program: withInputs(program, { floats, ints }), args: [...shape.args, ...args] },
    parameters: { ...parameters, args: [...parameters.args, ...reads] },
  };
}

/** The program with these constants as its last inputs. */
function withInputs(program: Program, { floats, ints }: Places): Program {
  const rest = (all: readonly number[], lifted: readonly number[]): number[] =>
    [...all.keys()].filter((i) => !lifted.includes(i));
  const [restFloats, restInts] = [rest(program.floats, floats), rest(program.ints, ints)];
  const before = layout(program);
  // The values of the new program, in order, by their numbers in the old one.
  const order = [
    ...program.inputs.keys(),
    ...floats.map((i) => before.floats + i),
    ...ints.map((i) => before.ints + i),
    ...restFloats.map((i) => before.floats + i),
    ...restInts.map((i) => before.ints + i),
    ...program.steps.map((_, i) => before.steps + i),
  ];
  const numbers = new Map(order.map((old, number) => [old, number]));
  return {
    inputs: [...program.inputs, ...floats.map(() => "f" as const), ...ints.map(() => "i" as const)],
    floats: restFloats.map((i) => program.floats[i]),
    ints: restInts.map((i) => program.ints[i]),
    steps: program.steps.map(({ name, args }) => ({ name, args: args.map((arg) => numbers.get(arg)!) })),
  };
}
