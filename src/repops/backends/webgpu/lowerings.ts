/** Instructions on integers and bools, and choices, as WGSL: the same whatever a float is held in. */
import type { InstructionName } from "../../programs/instructions.ts";
import type { Lowering } from "./dialect.ts";

export const unsigned = (x: string): string => `bitcast<u32>(${x})`;
export const signed = (x: string): string => `bitcast<i32>(${x})`;
const count = (x: string): string => `(${unsigned(x)} & 31u)`;

export const INTEGER_LOWERINGS = {
  fsel: (a, b, c) => `select(${c}, ${b}, ${a})`,
  iadd: (a, b) => `(${a} + ${b})`,
  isub: (a, b) => `(${a} - ${b})`,
  imul: (a, b) => `(${a} * ${b})`,
  iand: (a, b) => `(${a} & ${b})`,
  ior: (a, b) => `(${a} | ${b})`,
  ixor: (a, b) => `(${a} ^ ${b})`,
  ishl: (a, b) => `(${a} << ${count(b)})`,
  ishr: (a, b) => signed(`(${unsigned(a)} >> ${count(b)})`),
  isar: (a, b) => `(${a} >> ${count(b)})`,
  irotl: (a, b) => signed(`((${unsigned(a)} << ${count(b)}) | (${unsigned(a)} >> ((32u - ${count(b)}) & 31u)))`),
  isel: (a, b, c) => `select(${c}, ${b}, ${a})`,
  ieq: (a, b) => `(${a} == ${b})`,
  ilt: (a, b) => `(${a} < ${b})`,
  ult: (a, b) => `(${unsigned(a)} < ${unsigned(b)})`,
  band: (a, b) => `(${a} && ${b})`,
  bor: (a, b) => `(${a} || ${b})`,
  bnot: (a) => `(!${a})`,
} as const satisfies Partial<Record<InstructionName, Lowering>>;
