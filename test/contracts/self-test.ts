/** What the constructors of the judge and the game compute (SelfTest.sol), in TypeScript. */
import { type Bytes, fromHex, toHex } from "../../src/encoding/bytes.ts";
import { sha256 } from "../../src/encoding/hash.ts";
import { OPERATIONS } from "../sweep/cases.ts";

const ROUNDS = 24;

const word = (value: bigint): Bytes => fromHex(`0x${value.toString(16).padStart(64, "0")}`, 32);
const valueOf = (bytes: Bytes): bigint => BigInt(toHex(bytes));
const joined = (...parts: readonly Bytes[]): Bytes => new Uint8Array(Buffer.concat(parts));
/** 256 for 0. */
const leadingZeros = (value: bigint): bigint => BigInt(256 - (value === 0n ? 0 : value.toString(2).length));

function operation(name: string): (a: bigint, b?: bigint) => bigint {
  const { evaluate } = OPERATIONS.find((one) => one.name === name)!;
  return (a, b = 0n) => BigInt(evaluate(Number(a), Number(b)));
}

/** The digests that the contracts expect. */
export function selfTestDigests(): { words: string; floats: string } {
  const [add, sub, mul, div, sqrt, fromUint] = ["fadd", "fsub", "fmul", "fdiv", "fsqrt", "u2f"].map(operation);
  let words: Bytes = new Uint8Array(32);
  let floats: Bytes = new Uint8Array(32);
  for (let i = 0; i < ROUNDS; i++) {
    const shift = BigInt(11 * i);
    const bit = (1n << shift) & ((1n << 256n) - 1n);
    words = sha256(joined(words, word(leadingZeros(valueOf(words) >> shift)), word(leadingZeros(bit))));
    const value = valueOf(floats);
    const [a, b] = [value, value >> 32n].map((part) => (part & 0x80ffffffn) | 0x3f000000n);
    const c = (value >> 64n) & 0xffffffffn;
    const results = [add(a, b), sub(a, b), mul(b, c), div(c, a), sqrt(b), fromUint(c)];
    floats = sha256(joined(floats, ...results.map(word)));
  }
  return { words: toHex(words), floats: toHex(floats) };
}
