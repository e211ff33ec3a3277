/** The numbers in gpu.js' sources, of which its modes make floats or integers. */
import { expect, test } from "vitest";
import { sourceOf } from "../../src/repops/backends/gpujs/source.ts";
import type { Kernel, KernelList } from "../../src/repops/kernels/kernel.ts";
import { defineProgram, float, type Float } from "../../src/repops/programs/expressions.ts";

const TYPE = { dtype: "f32" as const, shape: [8] };

function codeOf(body: (x: Float) => Float, offset = 0): string {
  const view = { offset, strides: [1], bounds: [[3, 8]] as [number, number][], fill: 0 };
  const kernel: Kernel = {
    kind: "map",
    type: TYPE,
    program: defineProgram("f", body),
    args: [{ kind: "operand", tensor: 0, view, clampRange: "none" }],
  };
  const list: KernelList = { inputs: [TYPE], kernels: [kernel] };
  return sourceOf(list, kernel, () => undefined)!.code;
}

test("no expression has literals alone, which gpu.js computes with integers", () => {
  const codes = [
    codeOf((x) => float(-1).lt(x).select(x, -2)),
    codeOf((x) => x.mul(-3).add(-5)),
    codeOf((x) => float(2).neg().add(x)),
    codeOf((x) => x.add(float(2).add(3))),
    codeOf((x) => float(6).div(x)),
    codeOf((x) => x, -3),
  ];
  for (const code of codes) {
    expect(code).not.toMatch(/\d\.0\)? [-+*<] \(?\d+\.0/);
    expect(code).not.toMatch(/(quotient|total|product)\(([^,]+, )?\d+\.0/);
  }
});
