/** The processor's arithmetic as compiled code has it (see certify/probe.ts). */
import type { Probe } from "../backend.ts";
import { probeArithmetic, type RawOperation } from "../probe.ts";
import type { Library } from "./library.ts";

const OPERANDS = 3;
/** The numbers in verde_raw of core/core.c. */
const OPERATIONS = {
  "a + b": 0,
  "a * b": 1,
  "a / b": 2,
  "sqrt(a)": 3,
  "a * b + c": 4,
  // The compiler is told to fuse nothing, so kernels have no guard either.
  "guarded a * b + c": 4,
  "float of int a": 5,
} as const satisfies Record<RawOperation, number>;

export function probeProcessor(library: Library): Promise<Probe[]> {
  return probeArithmetic(async (operation, rows) => {
    const words = OPERANDS * rows.length;
    const memory = library.take(4 * (words + rows.length));
    const all = new Uint32Array(memory.buffer);
    rows.forEach((row, i) => all.set(row, OPERANDS * i));
    library.core.verde_raw(OPERATIONS[operation], memory.address, memory.address + 4 * words, rows.length);
    const results = all.slice(words);
    library.give(memory);
    return results;
  });
}
