/** Cases for the sweeps, from the definition in src/repops. */
import {
  floatAndCount,
  floatPair,
  powersOfTwo,
  rangeEnd,
  tieInteger,
} from "../../src/repops/conformance/adversarial.ts";
import { floatTensor, type Words, words } from "../../src/repops/conformance/data.ts";
import { type Instruction, INSTRUCTIONS, type InstructionName } from "../../src/repops/programs/instructions.ts";
import { bringIntoRange } from "../../src/repops/kernels/kernel.ts";
import { bitsOf, canon, fromBits } from "../../src/repops/numbers/vf32.ts";

export type Operation = { code: number; name: string; operands: string; evaluate(a: number, b: number): number };

/** Instructions that take or give a float, except `fsel`. */
const FLOAT_INSTRUCTIONS = (Object.keys(INSTRUCTIONS) as InstructionName[]).filter((name) => {
  const { args, result } = INSTRUCTIONS[name] as Instruction;
  return !args.includes("b") && [...args, result].includes("f");
});

/** An operand as the instruction takes it, and its result as a word. */
const value = (word: number, type: string): number => (type === "f" ? canon(fromBits(word)) : word | 0);

function instruction(name: InstructionName): Operation {
  const { opcode, args, result, evaluate } = INSTRUCTIONS[name] as Instruction;
  return {
    code: opcode,
    name,
    operands: args.join(""),
    evaluate: (a, b) => {
      const y = evaluate(value(a, args[0]), value(b, args[1] ?? "i"), 0);
      return result === "f" ? bitsOf(canon(y)) : y >>> 0;
    },
  };
}

const ranged = (code: number, name: string, evaluate: (x: number) => number): Operation => ({
  code,
  name,
  operands: "f",
  evaluate: (a) => bitsOf(evaluate(canon(fromBits(a)))),
});

/** The operations of Float32.sol: instructions by their codes, and two that are no instructions. */
export const OPERATIONS: readonly Operation[] = [
  ...FLOAT_INSTRUCTIONS.map(instruction),
  ranged(0xfe, "dot range", (x) => bringIntoRange(x, "dot")),
  ranged(0xfd, "sum range", (x) => bringIntoRange(x, "sum")),
];

const POWERS = powersOfTwo();
/** Patterns around what is canonical: zeros, subnormals, infinities, NaN. */
const EDGES = [0, 0x80000000, 1, 0x007fffff, 0x00800000, 0x00ffffff, 0x01000000, 0x01000001, 0x7effffff, 0x7f000000];
const OUTSIDE = [0x7f000001, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff];

/**
 * Float operands: a third adversarial pairs, a third canonical floats, the rest any patterns and the edges.
 */
export function* operandPairs(operands: string, count: number, seed: number): Generator<[number, number]> {
  const next = words(seed);
  const tensor = floatTensor(seed + 1, [1 << 16]).data;
  const floats = new Uint32Array(tensor.buffer, tensor.byteOffset, tensor.length);
  for (let i = 0; i < count; i++) yield pair(operands, i % 6, next, floats);
}

function pair(operands: string, kind: number, next: Words, floats: Uint32Array): [number, number] {
  const float = (): number => floats[next() % floats.length];
  const edge = (): number => ([...EDGES, ...OUTSIDE][next() % 16] | (next() & 0x80000000)) >>> 0;
  const count = (): number => (next() & 1 ? next() : (next() % 600) - 300);
  if (operands === "i") return [kind < 3 ? tieInteger(next) : kind === 3 ? (next() % 70000) - 35000 : next(), next()];
  if (operands === "fi") return kind < 3 ? floatAndCount(next) : [kind === 3 ? float() : next(), count()];
  if (kind < 2) return floatPair(next);
  if (kind === 2) return [float(), float()];
  if (kind === 3) return [POWERS[next() % POWERS.length], next() & 1 ? POWERS[next() % POWERS.length] : float()];
  if (kind === 4) return [next() & 1 ? edge() : rangeEnd(next), next() & 1 ? edge() : float()];
  return [next(), next()];
}

/** `count` cases: two operands and the result, big-endian words. */
export function floatCases({ operands, evaluate }: Operation, count: number, seed: number): Uint8Array {
  const rows = new DataView(new ArrayBuffer(12 * count));
  let at = 0;
  for (const [a, b] of operandPairs(operands, count, seed)) {
    rows.setUint32(at, a);
    rows.setUint32(at + 4, b);
    rows.setUint32(at + 8, evaluate(a >>> 0, b >>> 0));
    at += 12;
  }
  return new Uint8Array(rows.buffer);
}
