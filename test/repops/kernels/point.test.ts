import { expect, test } from "vitest";
import { pointInputs, stepAt } from "../../../src/repops/kernels/point.ts";
import type { MapKernel } from "../../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../../src/repops/programs/expressions.ts";

test("a step is defined for operands that are not canonical", () => {
  const kernel: MapKernel = {
    kind: "map",
    type: { dtype: "f32", shape: [] },
    program: defineProgram("f", (x) => x.add(1)),
    args: [{ kind: "operand", tensor: 0, view: { offset: 0, strides: [] }, clampRange: "none" }],
  };
  const inputs = pointInputs(kernel, 0, 0);
  for (const nothing of [0x7fc00000, 0x80000000, 0x00000001])
    expect(stepAt(kernel, inputs, [nothing])).toBe(0x3f800000);
  expect(stepAt(kernel, inputs, [0x7f800000])).toBe(0x7f000000);
});
