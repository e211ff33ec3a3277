/**
 * Hashes of whole numbers as operators of a graph, so that a dispute reaches each of their steps: SHA-256,
 * and the places of Psyche's Bloom filters. Bytes are i32 from 0 to 255, along the last axis.
 */
import * as job from "@verde-ml/verde/job";
import { type Value } from "@verde-ml/verde/job";
import { defineProgram, Int } from "@verde-ml/verde/repops";

type Program = ReturnType<typeof defineProgram>;
const program = (count: number, body: (...x: Int[]) => Int): Program => defineProgram("i".repeat(count), body as never);

/** A program of integers for each element of operands that broadcast to one shape. */
export function integers(name: string, made: Program, ...operands: Value[]): Value {
  const rank = Math.max(...operands.map((value) => value.rank));
  const shape = Array.from({ length: rank }, (_, axis) =>
    Math.max(...operands.map((value) => value.shape[axis - rank + value.rank] ?? 1)),
  );
  return job.map(made, operands.map((value) => job.broadcastTo(value, shape)), { name, shape }); // prettier-ignore
}

const ADD = program(2, (a, b) => a.add(b));
const SUB = program(2, (a, b) => a.sub(b));
const MUL = program(2, (a, b) => a.mul(b));
const withNumber = (made: Program, name: string) => (a: Value, b: Value | number) =>
  integers(name, made, a, typeof b === "number" ? job.fillInt(a.builder, [], b) : b);
/** Sums, differences and products of 32-bit integers, which wrap. */
export const [plus, minus, times] = [withNumber(ADD, "plus"), withNumber(SUB, "minus"), withNumber(MUL, "times")];
/** How many elements of the last axis are not 0. */
export const count = (x: Value): Value =>
  job.fold(program(2, (sum, one) => one.eq(0).selectInt(sum, sum.add(1))), [x], { name: "count", shape: x.shape.slice(0, -1), reduce: x.shape.slice(-1), start: 0, clampRange: "none" }); // prettier-ignore

/** The first 32 bits of the fractional parts of the square or cube roots of the first primes. */
function rootBits(power: 2 | 3, length: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < length; n++) if (primes.every((prime) => n % prime > 0)) primes.push(n);
  return primes.map((prime) => {
    let root = 0n;
    for (let bit = 1n << 36n; bit > 0n; bit >>= 1n)
      if ((root + bit) ** BigInt(power) <= BigInt(prime) << BigInt(32 * power)) root += bit;
    return Number(BigInt.asIntN(32, root));
  });
}

const turned = (x: Int, a: number, b: number, c: number, last: "rotl" | "shr" = "rotl"): Int =>
  x.rotl(32 - a).xor(x.rotl(32 - b)).xor(last === "shr" ? x.shr(c) : x.rotl(32 - c)); // prettier-ignore
const SCHEDULE = program(4, (a, b, c, d) =>
  a
    .add(turned(b, 7, 18, 3, "shr"))
    .add(c)
    .add(turned(d, 17, 19, 10, "shr")),
);
const FIRST = rootBits(3, 64).map((constant) =>
  program(5, (e, f, g, h, w) =>
    h
      .add(turned(e, 6, 11, 25))
      .add(e.and(f).xor(e.xor(-1).and(g)))
      .add(w)
      .add(constant),
  ),
);
const SECOND = program(4, (first, a, b, c) =>
  first.add(turned(a, 2, 13, 22)).add(a.and(b).xor(a.and(c)).xor(b.and(c))),
);
const START = rootBits(2, 8);

/** One block of sixteen words for eight words of state. */
function compress(state: readonly Value[], block: readonly Value[]): Value[] {
  const w = [...block];
  for (let t = 16; t < 64; t++) w.push(integers("schedule", SCHEDULE, w[t - 16], w[t - 15], w[t - 7], w[t - 2]));
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t++) {
    const first = integers(`round-${t}`, FIRST[t], e, f, g, h, w[t]);
    [a, b, c, d, e, f, g, h] = [integers(`round-${t}-sum`, SECOND, first, a, b, c), a, b, c, plus(d, first), e, f, g];
  }
  return [a, b, c, d, e, f, g, h].map((value, i) => plus(value, state[i]));
}

const SHIFT_IN = program(2, (word, byte) => word.shl(8).or(byte));
const BYTE = [program(2, (word, at) => word.shr(at.mul(-8).add(24)).and(255)), program(2, (word, at) => word.shr(at.mul(8)).and(255))]; // prettier-ignore

/** The bytes of words, the first one the highest, or the lowest: i32 [..., n] → i32 [..., 4n]. */
export function bytesOf(words: Value, order: "high" | "low"): Value {
  const shape = [...words.shape, 4];
  const whole = job.broadcastTo(job.unsqueeze(words, -1), shape);
  const bytes = job.map(BYTE[order === "high" ? 0 : 1], [whole, { coordinate: words.rank }], { name: "bytes", shape });
  return job.reshape(bytes, [...words.shape.slice(0, -1), 4 * words.shape[words.rank - 1]]);
}

/** SHA-256 along the last axis: bytes i32 [..., n] → bytes i32 [..., 32]. */
export function sha256(bytes: Value): Value {
  return bytes.builder.scope("sha256", () => {
    const [lanes, n] = [bytes.shape.slice(0, -1), bytes.shape[bytes.rank - 1]];
    const size = 64 * Math.ceil((n + 9) / 64);
    // Nobody's message has 2^29 bytes, so four of the eight bytes of its length are enough.
    const end = [128, ...Array<number>(size - n - 5).fill(0), ...[24, 16, 8, 0].map((by) => ((8 * n) >>> by) & 255)];
    const padding = end.map((byte) => job.fillInt(bytes.builder, [...lanes, 1], byte));
    const whole = job.reshape(job.concat([bytes, ...padding], -1), [...lanes, size / 4, 4]);
    const words = job.fold(SHIFT_IN, [whole], { name: "words", shape: [...lanes, size / 4], reduce: [4], start: 0, clampRange: "none" }); // prettier-ignore
    const all = job.unbind(words, -1);
    let state = START.map((word) => job.fillInt(bytes.builder, lanes, word));
    for (let at = 0; at < all.length; at += 16) state = compress(state, all.slice(at, at + 16));
    return bytesOf(job.stack(state, -1), "high");
  });
}

const STEP = defineProgram("iii", (hash, byte, k) => hash.xor(byte).mul(k.eq(0).selectInt(1, 0x1b3)));

/**
 * Where a filter has the bits of items: FNV-1a of 64 bits from each key, modulo the size, a power of two up
 * to 2^32. Of the prime 2^40 + 0x1b3 only the low word has influence there. Bytes i32 [items, n] and i32
 * [keys] → i32 [items, keys].
 */
export function placesOf(bytes: Value, keys: Value, size: number): Value {
  const shape = [bytes.shape[0], keys.shape[0]];
  const before = job.broadcastTo(job.reshape(keys, [1, shape[1], 1]), [...shape, 1]);
  const each = job.broadcastTo(job.unsqueeze(bytes, 1), [...shape, bytes.shape[1]]);
  const hash = job.fold(STEP, [job.concat([before, each], 2), "index"], { name: "fnv", shape, reduce: [bytes.shape[1] + 1], start: 0, clampRange: "none" }); // prettier-ignore
  return job.bitwiseAnd(hash, size - 1);
}
