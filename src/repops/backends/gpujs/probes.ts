/** The device's arithmetic as gpu.js exposes it, one kernel for each operation (see certify/probe.ts). */
import type { Probe } from "../backend.ts";
import { probeArithmetic, RAW_OPERATIONS, type RawOperation } from "../probe.ts";
import type { GpuJsDevice, Handle } from "./device.ts";

/**
 * Statements that leave the result in `r`; `most` is 2^127 at run time, as in the kernels (see
 * statements.ts).
 */
const STATEMENTS: Readonly<Record<RawOperation, string | undefined>> = {
  "a + b": "let r = Math.fround(a + b);",
  "a * b": "let r = Math.fround(a * b);",
  "a / b": "let r = Math.fround(a / b);",
  "sqrt(a)": "let r = Math.fround(Math.sqrt(a));",
  "a * b + c": "let r = Math.fround(Math.fround(a * b) + c);",
  "guarded a * b + c": "let p = Math.fround(a * b); if (p > most) { p = most; } let r = Math.fround(p + c);",
  // gpu.js has no integers.
  "float of int a": undefined,
};

export function probeGpuJs(device: GpuJsDevice): Promise<Probe[]> {
  return probeArithmetic(async (operation, rows) => {
    const statements = STATEMENTS[operation];
    if (statements === undefined) return undefined;
    const names = ["a", "b", "c"].slice(0, RAW_OPERATIONS[operation]);
    const scalars = statements.includes("most") ? [2 ** 127] : [];
    const given = [...names.map((name) => `t${name}`), ...scalars.map(() => "most")].join(", ");
    const loads = names.map((name) => `let ${name} = t${name}[this.thread.x];`).join(" ");
    const code = `function (${given}) {\n${loads}\n${statements}\nreturn r;\n}`;
    const tensors: Handle[] = [];
    for (const i of names.keys()) {
      const bits = Uint32Array.from(rows, (row) => row[i]);
      tensors.push(await device.upload(new Float32Array(bits.buffer)));
    }
    const result = await device.run({ code, tensors: [], scalars, constants: {}, elements: rows.length }, tensors);
    const floats = await device.download(result);
    for (const handle of [...tensors, result]) device.free(handle);
    return new Uint32Array(floats.buffer, floats.byteOffset, floats.length).slice();
  });
}
