/** The text of strict shaders; test/gpu runs them. */
import { describe, expect, test } from "vitest";
import { conformanceCases } from "../../../../src/certify/vectors/all.ts";
import type { Dialect } from "../../../../src/repops/backends/webgpu/dialect.ts";
import { schedule } from "../../../../src/repops/schedule/schedule.ts";
import { shaderOf } from "../../../../src/repops/backends/webgpu/plan.ts";
import { TILES } from "../../../../src/repops/backends/webgpu/product.ts";
import { STRICT } from "../../../../src/repops/backends/webgpu/strict.ts";
import { GUARDED } from "../../../../src/repops/backends/webgpu/wgsl.ts";

const shaders = (dialect: Dialect): string[] =>
  conformanceCases().map(({ list }) => {
    const [step] = schedule(list, []).steps;
    return shaderOf(list, step, { dialect, guard: "bits", tiles: TILES }).code.replace(/\/\*[^]*?\*\//g, "");
  });

/** A float type, a vector or matrix of floats, or a literal that is one. */
const FLOAT = /\b(f16|f32|(vec[234]|mat[234]x[234])[hf])\b|\b\d+\.\d*|\.\d|\b\d+[fh]\b|\b\d+e[+-]?\d/;

describe("strict shaders", () => {
  test("have no float in them", () => {
    for (const code of shaders(STRICT)) expect(code).not.toMatch(FLOAT);
  });

  test("differ from guarded ones in that", () => {
    for (const code of shaders(GUARDED)) expect(code).toMatch(FLOAT);
    for (const text of ["let x = 1.0;", "let x = 1f;", "var v: vec4f;", "x * 1e3", "f32(i)"])
      expect(text).toMatch(FLOAT);
  });
});
