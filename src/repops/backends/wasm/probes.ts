/** The engine's arithmetic on vectors, as its code for kernels uses it (see certify/probe.ts). */
import type { Probe } from "../backend.ts";
import { probeArithmetic, RAW_OPERATIONS, type RawOperation } from "../probe.ts";
import { ModuleBuilder } from "./emitter.ts";
import { type Code, f32x4, v128, ValueType } from "./opcodes.ts";

const LANES = 4;
const VECTOR = 4 * LANES;

type Operation = (a: Code, b: Code, c: Code) => Code;
const EXPRESSIONS: Readonly<Record<RawOperation, Operation>> = {
  "a + b": (a, b) => f32x4.add(a, b),
  "a * b": (a, b) => f32x4.mul(a, b),
  "a / b": (a, b) => f32x4.div(a, b),
  "sqrt(a)": (a) => f32x4.sqrt(a),
  "a * b + c": (a, b, c) => f32x4.add(f32x4.mul(a, b), c),
  // WebAssembly fuses nothing, so kernels have no guard either.
  "guarded a * b + c": (a, b, c) => f32x4.add(f32x4.mul(a, b), c),
  "float of int a": (a) => f32x4.fromI32(a),
};

async function buildOperations(memory: WebAssembly.Memory): Promise<Record<string, (at: number) => void>> {
  const builder = new ModuleBuilder();
  for (const name of Object.keys(RAW_OPERATIONS) as RawOperation[])
    builder.function(name, [ValueType.i32], [], (f, at) => {
      const [a, b, c] = [0, 1, 2].map((i) => v128.load(at, i * VECTOR));
      f.emit(v128.store(at, EXPRESSIONS[name](a, b, c), 3 * VECTOR));
    });
  const { instance } = await WebAssembly.instantiate(builder.encode(), { env: { memory } });
  return instance.exports as Record<string, (at: number) => void>;
}

export async function probeWasm(): Promise<Probe[]> {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const operations = await buildOperations(memory);
  const words = new Uint32Array(memory.buffer, 0, 4 * LANES);
  return probeArithmetic(async (operation, rows) => {
    const results = new Uint32Array(rows.length);
    for (let from = 0; from < rows.length; from += LANES) {
      rows.slice(from, from + LANES).forEach((row, lane) => row.forEach((bits, i) => (words[i * LANES + lane] = bits)));
      operations[operation](0);
      results.set(words.subarray(3 * LANES, 3 * LANES + Math.min(LANES, rows.length - from)), from);
    }
    return results;
  });
}
