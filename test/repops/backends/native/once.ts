/**
 * Runs one kernel on native code, as a program of its own: prints its result, or the code and message of what
 * was thrown, as JSON. With `--without koffi` that package is not there.
 */
import { registerHooks } from "node:module";
import { VerdeError } from "../../../../src/errors/index.ts";
import { executeOnce } from "../../../../src/repops/backends/backend.ts";
import { native } from "../../../../src/repops/backends/native/backend.ts";
import { reference } from "../../../../src/repops/backends/reference.ts";
import type { KernelList } from "../../../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../../../src/repops/programs/expressions.ts";

if (process.argv.includes("--without"))
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== "koffi") return next(specifier, context);
      throw Object.assign(new Error("Cannot find package 'koffi'"), { code: "ERR_MODULE_NOT_FOUND" });
    },
  });

const type = { dtype: "f32" as const, shape: [1000] };
const list: KernelList = {
  inputs: [type],
  kernels: [
    {
      kind: "map",
      type,
      program: defineProgram("f", (x) => x.mul(x).add(0.5).sqrt()),
      args: [{ kind: "operand", tensor: 0, view: { offset: 0, strides: [1] }, clampRange: "none" }],
    },
  ],
};
const inputs = [{ ...type, data: Float32Array.from({ length: 1000 }, (_, i) => i / 7) }];
try {
  const [[wanted], [actual]] = [
    await executeOnce(reference, list, inputs, [1]),
    await executeOnce(native, list, inputs, [1]),
  ];
  console.log(JSON.stringify({ equal: Buffer.from(wanted.data.buffer).equals(Buffer.from(actual.data.buffer)) }));
} catch (error) {
  if (!(error instanceof VerdeError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}
