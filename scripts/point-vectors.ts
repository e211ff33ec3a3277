/**
 * Makes `test/vectors/programs.json` and `test/vectors/kernels.json`: scalar programs with inputs and
 * outputs, and kernels with what single steps read and give, by the definition. TypeScript
 * (test/repops/kernels/point-vectors.test.ts) and the contracts (test/solidity/KernelPoint.t.sol) are
 * compared with them. Lists are parallel; words have 4 bytes, big-endian.
 */
import { toHex, Writer } from "../src/encoding/bytes.ts";
import { elementCount } from "../src/encoding/tensor.ts";
import { encodeKernel } from "../src/graph/codec.ts";
import { everyCase } from "../src/certify/vectors/operators.ts";
import { type FoldKernel, type MapKernel, type ClampRange, typeOf } from "../src/repops/kernels/kernel.ts";
import { pointInputs, pointLength } from "../src/repops/kernels/point.ts";
import { readsAt, resultAt } from "../src/repops/kernels/reads.ts";
import { encodeProgram } from "../src/repops/programs/program.ts";
import { conformanceKernels, everyProgram, gptKernels, outputBits, patterns } from "../test/contracts/every-program.ts";
import { generator } from "../test/graph/numeric.ts";

const SEED = 20261120;
const RUNS = 24;
const POINTS = 3;
const RANGING: Readonly<Record<ClampRange, number>> = { none: 0, dot: 1, sum: 2 };

const text = (lists: Readonly<Record<string, readonly string[]>>): string => `${JSON.stringify(lists, null, 1)}\n`;

/** The patterns of floats and of integers, signed or not. */
function words(values: readonly number[]): string {
  const writer = new Writer();
  for (const value of values) writer.u32(value >>> 0);
  return toHex(writer.finish());
}

/**
 * The text of `test/vectors/programs.json`: `inputs` holds the words of each run in turn, `outputs` one word
 * for each run.
 */
export async function programVectors(): Promise<string> {
  const every = await everyProgram();
  const rows = every.map(({ program }, i) => {
    const next = patterns(SEED + 10 * i);
    return Array.from({ length: RUNS }, () => program.inputs.map(next));
  });
  return text({
    names: every.map(({ name }) => name),
    programs: every.map(({ program }) => toHex(encodeProgram(program))),
    inputs: rows.map((own) => words(own.flat())),
    outputs: every.map(({ program }, i) => words(rows[i].map((inputs) => outputBits(program, inputs)))),
  });
}

/** Numbers below `count`, both ends among them. */
function picks(count: number, random: () => number): number[] {
  const inner = Array.from({ length: POINTS - 2 }, () => Math.floor(random() * count));
  return [...new Set([0, count - 1, ...inner])];
}

/**
 * A step as words: element, k, accumulator, result, number of inputs without the accumulator. Then for each
 * input: 1 for a read, clampRange, tensor, element of the tensor, bits (of a fill, a coordinate or an index),
 * and the operand if it is read.
 */
function pointWords(
  kernel: MapKernel | FoldKernel,
  element: number,
  k: number,
  next: (type: "f" | "i") => number,
): number[] {
  const inputs = pointInputs(kernel, element, k);
  const types = kernel.program.inputs;
  const point = { element, fold: k };
  const readTypes = inputs.flatMap(({ kind }, i) => (kind === "read" ? [types[i]] : []));
  const reads = readsAt(kernel, point, {
    type: (tensor) => {
      throw new TypeError(`no map or fold asks for the type of tensor ${tensor}`);
    },
    bits: (_, i) => next(readTypes[i]),
  });
  const accumulator = next(types[0]);
  const result = resultAt(kernel, point, reads, accumulator);
  let used = 0;
  const described = inputs.flatMap((input) => {
    if (input.kind === "accumulator") return [];
    if (input.kind === "int") return [0, 0, 0, 0, input.value, 0];
    const clampRange = RANGING[input.clampRange];
    if (input.kind === "fill") return [0, clampRange, 0, 0, input.bits, 0];
    return [1, clampRange, input.tensor, input.address, 0, reads[used++].bits];
  });
  return [element, k, accumulator, result, described.length / 6, ...described];
}

/** Rows at and beyond both ends of a source. */
function rowsAround(rows: number): number[] {
  return [0, rows - 1, rows, -1, -(2 ** 31), 2 ** 31 - 1];
}

/**
 * The text of `test/vectors/kernels.json`. `points` holds the steps of each map and fold in turn. `choices`
 * holds for each gather: source, index, fill, rank of the index, rows, then element, its element of the
 * index, row, 1 if the row exists, element of the source.
 */
export async function kernelVectors(): Promise<string> {
  const lists: Record<"names" | "kernels" | "points" | "gatherNames" | "gathers" | "choices", string[]> = {
    names: [],
    kernels: [],
    points: [],
    gatherNames: [],
    gathers: [],
    choices: [],
  };
  const seen = new Set<string>();
  const random = generator(SEED);
  const next = patterns(SEED);
  for (const { name, kernel } of [...conformanceKernels(), ...(await gptKernels())]) {
    const code = toHex(encodeKernel(kernel));
    const count = elementCount(kernel.type.shape);
    if (kernel.kind === "gather" || count === 0 || pointLength(kernel) === 0 || seen.has(code)) continue;
    seen.add(code);
    const points = picks(count, random).flatMap((element) =>
      picks(pointLength(kernel), random).flatMap((k) => pointWords(kernel, element, k, next)),
    );
    lists.names.push(name);
    lists.kernels.push(code);
    lists.points.push(words(points));
  }
  for (const { list, outputs } of everyCase())
    for (const kernel of list.kernels) {
      const count = elementCount(kernel.type.shape);
      if (kernel.kind !== "gather" || count === 0) continue;
      const index = typeOf(list, kernel.index);
      const [rows] = typeOf(list, kernel.source).shape;
      const choices = picks(count, random).flatMap((element) =>
        rowsAround(rows).flatMap((row) => {
          const [chosen, taken] = readsAt(
            kernel,
            { element },
            {
              type: (tensor) => typeOf(list, tensor),
              bits: () => row,
            },
          );
          return [element, chosen.address, row, taken.address < 0 ? 0 : 1, Math.max(taken.address, 0)];
        }),
      );
      lists.gatherNames.push(outputs[0].name);
      lists.gathers.push(toHex(encodeKernel(kernel)));
      lists.choices.push(words([kernel.source, kernel.index, kernel.fill, index.shape.length, rows, ...choices]));
    }
  return text(lists);
}
