/**
 * vf32 has no -0, but a register may hold one if `canon` was omitted. Its sign must be gone wherever it could
 * be seen: in an output, in the bits, and in a divisor.
 */
import { expect, test } from "vitest";
import { hex32 } from "../../../../src/encoding/bytes.ts";
import type { Backend } from "../../../../src/repops/backends/backend.ts";
import { reference } from "../../../../src/repops/backends/reference.ts";
import { wasm } from "../../../../src/repops/backends/wasm/backend.ts";
import type { KernelList } from "../../../../src/repops/kernels/kernel.ts";
import { outputType, type Program } from "../../../../src/repops/programs/program.ts";
import { analyze } from "../../../../src/repops/ranges/analysis.ts";
import { defineProgram, float, type Float, type Int } from "../../../../src/repops/programs/expressions.ts";

/** 0, or a magnitude from 1 to 2: products and quotients of these need no canon. */
const small = (x: Float): Float => x.abs().lt(1).select(0, x).min(2).max(-2);
/** A magnitude from 1 to 2. */
const nonzero = (x: Float): Float => x.abs().lt(1).select(-1, x).min(2).max(-2);

/** `z` is ±0 in places, `w` is +0 in places, `n` is never zero. */
type Source = (z: Float, w: Float, n: Float) => Float;
const SOURCES: Record<string, Source> = {
  product: (z) => z,
  "product with a constant": (z) => z.mul(-3),
  "product with a negative": (_, w, n) => w.mul(n),
  quotient: (_, w, n) => w.div(n),
  "quotient of a product": (z, _, n) => z.div(n),
  sum: (z) => z.add(z.mul(2)),
  difference: (z, w) => z.sub(w),
  "difference the other way": (z, w) => w.sub(z),
  negation: (z) => z.neg(),
  magnitude: (z) => z.abs(),
  minimum: (z, w) => z.min(w),
  "minimum the other way": (z, w) => w.min(z),
  maximum: (z, w) => z.max(w),
  "maximum the other way": (z, w) => w.max(z),
  floor: (z) => z.floor(),
  scaled: (z) => z.ldexp(3),
  "scaled far": (z, w) => z.ldexp(w.toI32().mul(100)),
  choice: (z, w) => w.lt(1).select(z, w),
  "choice the other way": (z, w) => w.lt(1).select(w, z),
  "choice of zero": (z) => z.abs().lt(0.5).select(0, z),
  mantissa: (z) => z.mantissa(),
  root: (_, w, n) => w.abs().mul(n.abs()).sqrt(),
};

const OBSERVERS: Record<string, (x: Float) => Float | Int> = {
  output: (x) => x,
  bits: (x) => x.bits(),
  reciprocal: (x) => float(1).div(x),
  "dividend of zero's sign": (x) => float(1).div(x.div(2)),
};

const programs: [string, Program][] = Object.entries(SOURCES).flatMap(([source, make]) =>
  Object.entries(OBSERVERS).map(([observer, observe]): [string, Program] => [
    `${observer} of ${source}`,
    defineProgram("ff", (x, y) => observe(make(small(x).mul(small(y)), small(y), nonzero(x)))),
  ]),
);

const NUMBERS = [-2, -1.5, -1, -0.25, 0, 0.25, 1, 1.5, 2];
const PAIRS = NUMBERS.flatMap((x) => NUMBERS.map((y) => [x, y]));

async function outputs(backend: Backend): Promise<number[][]> {
  const type = { dtype: "f32" as const, shape: [PAIRS.length] };
  const list: KernelList = {
    inputs: [type, type],
    kernels: programs.map(([, program]) => ({
      kind: "map",
      type: { dtype: outputType(program) === "f" ? "f32" : "i32", shape: type.shape },
      program,
      args: [0, 1].map((tensor) => ({
        kind: "operand",
        tensor,
        view: { offset: 0, strides: [1] },
        clampRange: "none",
      })),
    })),
  };
  const session = await backend.prepare(list, { keep: programs.map((_, i) => i + 2) });
  for (const input of [0, 1])
    await session.write(input, { ...type, data: Float32Array.from(PAIRS, (pair) => pair[input]) });
  await session.execute();
  const found = await Promise.all(
    programs.map(async (_, i) => {
      const { data } = await session.read(i + 2);
      return [...new Uint32Array(data.buffer, data.byteOffset, data.length)];
    }),
  );
  await session.close();
  return found;
}

test("no sign of a zero is ever seen", async () => {
  const [wanted, actual] = [await outputs(reference), await outputs(wasm)];
  programs.forEach(([name], i) =>
    PAIRS.forEach(([x, y], j) => {
      if (wanted[i][j] !== actual[i][j])
        expect.unreachable(`${name} at ${x}, ${y}: ${hex32(actual[i][j])} instead of ${hex32(wanted[i][j])}`);
    }),
  );
});

test("the registers do hold -0 here; otherwise the test above would show nothing", () => {
  const withNegativeZero = programs.filter(([, program]) =>
    analyze(program).values.some((range) => "negativeZero" in range && range.negativeZero),
  );
  expect(withNegativeZero.length).toBeGreaterThan(programs.length / 2);
});
