/**
 * WebAssembly instructions as expressions (WebAssembly Core Specification, chapter 5). An expression is the
 * code that leaves one value on the stack; a local is an expression that reads it.
 */
export type Code = readonly number[];

export const ValueType = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;
export type ValueType = (typeof ValueType)[keyof typeof ValueType];

/** LEB128, unsigned and signed. */
export function unsigned(value: number): number[] {
  const out: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 127;
    rest >>>= 7;
    out.push(rest ? low | 128 : low);
  } while (rest);
  return out;
}

export function signed(value: number): number[] {
  const out: number[] = [];
  for (let rest = value | 0; ; ) {
    const low = rest & 127;
    rest >>= 7;
    if ((rest === 0 && !(low & 64)) || (rest === -1 && low & 64)) return [...out, low];
    out.push(low | 128);
  }
}

export function concat(...codes: Code[]): number[] {
  const out: number[] = [];
  for (const code of codes) for (const byte of code) out.push(byte);
  return out;
}

type Unary = (a: Code) => Code;
type Binary = (a: Code, b: Code) => Code;
const unary =
  (...op: number[]): Unary =>
  (a) =>
    concat(a, op);
const binary =
  (...op: number[]): Binary =>
  (a, b) =>
    concat(a, b, op);
/** SIMD instructions have the prefix 0xfd. */
const simd1 = (op: number): Unary => unary(0xfd, ...unsigned(op));
const simd2 = (op: number): Binary => binary(0xfd, ...unsigned(op));

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  remU: binary(0x70),
  divU: binary(0x6e),
  and: binary(0x71),
  or: binary(0x72),
  xor: binary(0x73),
  shl: binary(0x74),
  shrS: binary(0x75),
  shrU: binary(0x76),
  rotl: binary(0x77),
  eq: binary(0x46),
  ne: binary(0x47),
  ltS: binary(0x48),
  ltU: binary(0x49),
  gtS: binary(0x4a),
  gtU: binary(0x4b),
  leS: binary(0x4c),
  geS: binary(0x4e),
  geU: binary(0x4f),
  eqz: unary(0x45),
  load: (address: Code, offset = 0): Code => concat(address, [0x28, 2, ...unsigned(offset)]),
  store: (address: Code, value: Code, offset = 0): Code => concat(address, value, [0x36, 2, ...unsigned(offset)]),
} as const;

export const f32 = {
  add: binary(0x92),
  mul: binary(0x94),
  load: (address: Code, offset = 0): Code => concat(address, [0x2a, 2, ...unsigned(offset)]),
  store: (address: Code, value: Code, offset = 0): Code => concat(address, value, [0x38, 2, ...unsigned(offset)]),
} as const;

export const v128 = {
  load: (address: Code, offset = 0): Code => concat(address, [0xfd, 0, 2, ...unsigned(offset)]),
  store: (address: Code, value: Code, offset = 0): Code => concat(address, value, [0xfd, 11, 2, ...unsigned(offset)]),
  /** Four copies of the 32-bit word at `address`. */
  splatLoad32: (address: Code, offset = 0): Code => concat(address, [0xfd, 9, 2, ...unsigned(offset)]),
  /** `vector` with lane `lane` replaced by the word at `address`. */
  loadLane32: (address: Code, vector: Code, lane: number, offset = 0): Code =>
    concat(address, vector, [0xfd, ...unsigned(0x56), 2, ...unsigned(offset), lane]),
  storeLane32: (address: Code, vector: Code, lane: number, offset = 0): Code =>
    concat(address, vector, [0xfd, ...unsigned(0x5a), 2, ...unsigned(offset), lane]),
  const32: (lanes: readonly [number, number, number, number]): Code =>
    concat([0xfd, ...unsigned(12)], [...new Uint8Array(Int32Array.from(lanes).buffer)]),
  not: simd1(0x4d),
  and: simd2(0x4e),
  /** a and not b */
  andNot: simd2(0x4f),
  or: simd2(0x50),
  xor: simd2(0x51),
  /** Bits of `a` where `mask` is set, else bits of `b`. */
  select: (a: Code, b: Code, mask: Code): Code => concat(a, b, mask, [0xfd, ...unsigned(0x52)]),
  anyTrue: simd1(0x53),
  /** Lanes 0–3 of `a` and 4–7 of `b`, picked by number. */
  shuffle32: (a: Code, b: Code, lanes: readonly [number, number, number, number]): Code =>
    concat(
      a,
      b,
      [0xfd, 13],
      lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
    ),
  /** Bytes 0–15 of `a` and 16–31 of `b`, picked by number. */
  shuffle8: (a: Code, b: Code, lanes: readonly number[]): Code => concat(a, b, [0xfd, 13], lanes),
} as const;

export const f32x4 = {
  splat: simd1(0x13),
  extract: (a: Code, lane: number): Code => concat(a, [0xfd, 0x1f, lane]),
  add: simd2(0xe4),
  sub: simd2(0xe5),
  mul: simd2(0xe6),
  div: simd2(0xe7),
  /** b < a ? b : a */
  pmin: simd2(0xea),
  /** a < b ? b : a */
  pmax: simd2(0xeb),
  abs: simd1(0xe0),
  neg: simd1(0xe1),
  sqrt: simd1(0xe3),
  floor: simd1(0x68),
  eq: simd2(0x41),
  ne: simd2(0x42),
  lt: simd2(0x43),
  gt: simd2(0x44),
  le: simd2(0x45),
  ge: simd2(0x46),
  fromI32: simd1(0xfa),
  fromU32: simd1(0xfb),
} as const;

export const i32x4 = {
  splat: simd1(0x11),
  extract: (a: Code, lane: number): Code => concat(a, [0xfd, 0x1b, lane]),
  replace: (a: Code, lane: number, value: Code): Code => concat(a, value, [0xfd, 0x1c, lane]),
  add: simd2(0xae),
  sub: simd2(0xb1),
  mul: simd2(0xb5),
  minS: simd2(0xb6),
  maxS: simd2(0xb8),
  eq: simd2(0x37),
  ne: simd2(0x38),
  ltS: simd2(0x39),
  ltU: simd2(0x3a),
  gtS: simd2(0x3b),
  geS: simd2(0x3f),
  /** The count is one i32 for all lanes. */
  shl: simd2(0xab),
  shrS: simd2(0xac),
  shrU: simd2(0xad),
  truncSatS: simd1(0xf8),
  truncSatU: simd1(0xf9),
} as const;

/** memory.copy and memory.fill (bulk memory operations). */
export const memory = {
  copy: (to: Code, from: Code, bytes: Code): Code => concat(to, from, bytes, [0xfc, 10, 0, 0]),
  fill: (to: Code, byte: Code, bytes: Code): Code => concat(to, byte, bytes, [0xfc, 11, 0]),
} as const;
