/**
 * Vectors of scalar programs: every instruction, every function, and combinations of instructions that
 * devices get wrong.
 */
import type { Tensor } from "../../encoding/tensor.ts";
import { PROGRAMS } from "../../repops/functions/index.ts";
import { INSTRUCTIONS, type InstructionName } from "../../repops/programs/instructions.ts";
import { interpret } from "../../repops/programs/interpret.ts";
import { outputType, type Program } from "../../repops/programs/program.ts";
import { defineProgram, type Float } from "../../repops/programs/expressions.ts";
import { bitsOf, fromBits } from "../../repops/numbers/vf32.ts";
import { floatAndCount, floatPair, powersOfTwo, tieInteger } from "../../repops/conformance/adversarial.ts";
import { caseOf, type ConformanceCase, read } from "../../repops/conformance/case.ts";
import { floatTensor, intTensor, words } from "../../repops/conformance/data.ts";

/** The number of random operands; not a multiple of the width of a vector or a workgroup. */
const ANY = 4099;
const POWERS = powersOfTwo();
const ELEMENTS = ANY + POWERS.length;

/** Random operands, then operands that are hard alone, then operands that are hard in pairs. */
function operands(types: readonly ("f" | "i")[], seed: number): Tensor[] {
  const tensors = types.map((type, i) => (type === "f" ? floatTensor : intTensor)(seed + i, [ELEMENTS]));
  const patterns = tensors.map(({ data }) => new Uint32Array(data.buffer));
  const next = words(seed + 7777);
  for (let i = 0; i < types.length; i++) {
    const paired = types[i] === "f" && i + 1 < types.length;
    const pair = types[i + 1] === "f" ? floatPair : floatAndCount;
    for (let at = ANY; at < ELEMENTS; at++)
      if (paired) [patterns[i][at], patterns[i + 1][at]] = pair(next);
      else patterns[i][at] = types[i] === "f" ? POWERS[at - ANY] : tieInteger(next);
    if (paired) i++;
  }
  return tensors;
}

/** A vector that applies a program to each element. */
function mapCase(name: string, program: Program, inputs: readonly Tensor[]): ConformanceCase {
  const dtype = outputType(program) === "f" ? ("f32" as const) : ("i32" as const);
  const type = { dtype, shape: inputs[0].shape };
  return caseOf(name, inputs, { kind: "map", type, program, args: inputs.map((_, i) => read(i, [1])) });
}

/**
 * An instruction as a program of its own. A comparison makes a bool operand; a select makes a bool result
 * visible.
 */
function instructionProgram(name: InstructionName): Program {
  const { args, result } = INSTRUCTIONS[name];
  const inputs: ("f" | "i")[] = [];
  const steps: Program["steps"][number][] = [];
  const ints = result === "b" ? [1, 0] : [];
  const count = args.reduce((sum, type) => sum + (type === "b" ? 2 : 1), 0);
  const base = count + ints.length;
  const operands = args.map((type) => {
    if (type !== "b") return inputs.push(type) - 1;
    const first = inputs.push("i", "i") - 2;
    return base + steps.push({ name: "ilt", args: [first, first + 1] }) - 1;
  });
  const value = base + steps.push({ name, args: operands }) - 1;
  if (result === "b") steps.push({ name: "isel", args: [value, count, count + 1] });
  return { inputs, floats: [], ints, steps };
}

/**
 * A float that, for the range analysis, is 0 or has a magnitude from 2^-20 to 4, as `moderate` makes them.
 */
const known = (x: Float): Float =>
  x
    .abs()
    .lt(2 ** -20)
    .select(0, x)
    .max(-4)
    .min(4);
/** Products and sums of these need no canon, so only a guard keeps them from being fused. */
const PLUS = defineProgram("fff", (a, b, c) => known(a).mul(known(b)).add(known(c)));
const MINUS = defineProgram("fff", (a, b, c) =>
  known(c)
    .neg()
    .sub(known(a).mul(known(b))),
);
/**
 * A zero that hardware may give a sign, in places where the sign is visible: as a pattern, and as a divisor.
 */
const ZEROS = defineProgram("ff", (a, b) => {
  const product = a.mul(b).neg();
  const difference = b.neg().min(a.neg()).floor();
  return product.bits().xor(difference.bits()).xor(a.div(product).bits()).xor(b.div(difference).bits());
});

/** a and b from 2^-8 to 2, and c = -(a·b): a sum of 0, unless the product was not rounded first. */
function cancelling(seed: number): Tensor[] {
  const tensors = [0, 1, 2].map(() => floatTensor(0, [ELEMENTS]));
  const [a, b, c] = tensors.map(({ data }) => new Uint32Array(data.buffer));
  const next = words(seed);
  const moderate = (): number => ((119 + (next() % 9)) << 23) | (next() & 0x807fffff);
  for (let i = 0; i < ELEMENTS; i++) {
    [a[i], b[i]] = [moderate(), moderate()];
    c[i] = bitsOf(-interpret(PRODUCT, [fromBits(a[i]), fromBits(b[i])]));
  }
  return tensors;
}
const PRODUCT = defineProgram("ff", (a, b) => a.mul(b));

export function mapCases(): ConformanceCase[] {
  const names = Object.keys(INSTRUCTIONS) as InstructionName[];
  return [
    ...names.map((name, i) => {
      const program = instructionProgram(name);
      return mapCase(`instruction ${name}`, program, operands(program.inputs, 10 * i));
    }),
    ...Object.entries(PROGRAMS).map(([name, program], i) =>
      mapCase(`function ${name}`, program, operands(program.inputs, 1000 + 10 * i)),
    ),
    mapCase("map a·b + c where a·b rounds to -c", PLUS, cancelling(2000)),
    mapCase("map -c - a·b where a·b rounds to -c", MINUS, cancelling(2001)),
    mapCase("map zeros, and what they divide", ZEROS, operands(["f", "f"], 2002)),
  ];
}
