/** One operator that is shown without its graph passes the graph's checks, no more and no less. */
import { beforeAll, describe, expect, test } from "vitest";
import { Reader, Writer } from "../../src/encoding/bytes.ts";
import { encodeType, type TensorType } from "../../src/encoding/tensor.ts";
import { VerdeError } from "../../src/errors/index.ts";
import { decodeHeader, decodeKernel, encodeKernel, graphTrees } from "../../src/graph/codec.ts";
import { checkGraph, checkHeader, checkShownKernel, type Graph, type GraphHeader } from "../../src/graph/graph.ts";
import { encodeWitness, MAX_WITNESS_BYTES } from "../../src/referee/witness-codec.ts";
import { SUM_STEP, type Kernel } from "../../src/repops/kernels/kernel.ts";
import { foldLeaves, JUDGE_BUDGET, judgeCost } from "../../src/repops/kernels/reads.ts";
import line from "../fixtures/line.ts";
import { tinyJob } from "../referee/tiny-job.ts";

const NUMBERS = [
  -1,
  0,
  0.5,
  1,
  2,
  7,
  8,
  13,
  255,
  2 ** 22 + 1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  NaN,
  2 ** 53,
];

let graphs: Graph[];
beforeAll(async () => {
  const tiny = tinyJob(6);
  const job = await line.close();
  graphs = [tiny.step, job.step, ...[tiny, job].flatMap(({ init }) => (init.kind === "graph" ? [init.graph] : []))];
});

const headerOf = ({ inputs, outputs, kernels }: Graph): GraphHeader => ({
  inputs,
  outputs,
  kernelCount: kernels.length,
});
const typesOf = ({ inputs, kernels }: Graph): Map<number, TensorType> =>
  new Map(kernels.map(({ type }, i) => [inputs.length + i, type]));

/** Copies of a kernel with another number at one place, in every place. */
function changed(kernel: Kernel): Kernel[] {
  const made: Kernel[] = [];
  const walk = (value: any, put: (inner: unknown) => unknown): void => {
    if (typeof value === "number") for (const number of NUMBERS) made.push(put(number) as Kernel);
    else if (Array.isArray(value)) {
      value.forEach((inner, i) => walk(inner, (other) => put(value.with(i, other))));
      if (value.length > 0) {
        made.push(put(value.slice(1)) as Kernel, put([...value, value[0]]) as Kernel);
        made.push(put(Array.from({ length: 255 }, () => value[0])) as Kernel);
      }
    } else if (typeof value === "object" && value !== null)
      for (const key of Object.keys(value)) walk(value[key], (other) => put({ ...value, [key]: other }));
  };
  walk(kernel, (other) => other);
  return made;
}

/** Whether a check passes. Only errors of our own count as a refusal. */
function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof VerdeError) return false;
    throw error;
  }
}

describe("an operator that is shown alone", () => {
  test("passes as in its graph, whatever is changed in it, and costs its judge no more than the budget", () => {
    const count = { whole: 0, both: 0, alone: 0 };
    for (const [which, graph] of graphs.entries())
      graph.kernels.forEach((kernel, i) => {
        const header = headerOf(graph);
        // Large graphs have many operators that are alike.
        const some = changed(kernel).filter((_, n) => which === 0 || n % 11 === i % 11);
        for (const other of [kernel, ...some]) {
          const before = graph.kernels.slice(0, i);
          const known = { ...graph, outputs: [], kernels: [...before, other], labels: graph.labels.slice(0, i + 1) };
          const whole = passes(() => checkGraph(known));
          expect(passes(() => checkShownKernel(header, i, other, typesOf(graph)))).toBe(whole);
          const alone = passes(() => checkShownKernel(header, i, other));
          if (whole) expect(alone).toBe(true);
          count[whole ? "whole" : alone ? "alone" : "both"]++;
          if (!alone) continue;
          const cost = judgeCost(other);
          for (const part of ["scalarSteps", "reads", "instructions"] as const)
            expect(cost[part]).toBeLessThanOrEqual(JUDGE_BUDGET[part]);
          expect(foldLeaves(other)).toBeLessThanOrEqual(2 ** 22);
        }
      });
    // Refused by both; passed by both; refused only where the types of its operands are known.
    for (const cases of Object.values(count)) expect(cases).toBeGreaterThan(50);
  });

  test("with 255 axes to fold is read and refused at once", () => {
    const long: Kernel = {
      kind: "fold",
      type: { dtype: "f32", shape: [1] },
      program: SUM_STEP,
      start: 0,
      reduce: Array.from({ length: 255 }, () => 2 ** 32 - 1),
      args: [{ kind: "operand", tensor: 0, view: { offset: 0, strides: new Array(255).fill(0) }, clampRange: "sum" }],
    };
    const bytes = encodeKernel(long);
    const began = performance.now();
    const shown = decodeKernel(new Reader(bytes, "an operator"));
    expect(() => checkShownKernel(headerOf(graphs[0]), 0, shown)).toThrow("is not a shape");
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test("reads only what is before it, and has a number that the graph has", () => {
    const [graph] = graphs;
    const header = headerOf(graph);
    const gather = graph.kernels.findIndex(({ kind }) => kind === "gather");
    const last = graph.inputs.length + gather;
    const reading = (index: number) => ({ ...graph.kernels[gather], index }) as Kernel;
    expect(() => checkShownKernel(header, gather, reading(last))).toThrow("is not before it");
    expect(() => checkShownKernel(header, gather, reading(last - 1))).not.toThrow();
    for (const index of [-1, 0.5, NaN, header.kernelCount])
      expect(() => checkShownKernel(header, index, graph.kernels[0])).toThrow("does not exist");
  });

  test("has views whose addresses are exact", () => {
    const far: Kernel = {
      kind: "fold",
      type: { dtype: "f32", shape: [2 ** 23] },
      program: SUM_STEP,
      start: 0,
      reduce: [2 ** 22],
      args: [
        {
          kind: "operand",
          tensor: 0,
          clampRange: "sum",
          view: {
            offset: 0,
            strides: [2 ** 31 - 1, -(2 ** 31 - 1)],
            bounds: [
              [2 ** 22 + 1, 2 ** 22 + 2],
              [2 ** 22 - 1, 2 ** 22],
            ],
            fill: 0,
          },
        },
      ],
    };
    const header = { inputs: [{ name: "x", dtype: "f32", shape: [4] }], outputs: [], kernelCount: 1 } as const;
    expect(() => checkShownKernel(header, 0, far)).toThrow("not exact");
  });

  test("needs a one-step proof of bounded size", () => {
    const proof = Array.from({ length: 32 }, () => new Uint8Array(32));
    const leaf = (bytes: number) => ({ payload: new Uint8Array(bytes), proof });
    const type = { dtype: "f32", shape: new Array(8).fill(1) } as const;
    const operand = { type, chunk: new Uint8Array(256), chunkProof: proof, proof };
    const operands = Array.from({ length: JUDGE_BUDGET.reads }, () => operand);
    const largest = encodeWitness({ before: leaf(32), accumulator: leaf(4), entry: leaf(32), operands });
    expect(largest.length).toBe(MAX_WITNESS_BYTES);
    expect(MAX_WITNESS_BYTES).toBeLessThan(24_000);
  });
});

describe("a header that is shown alone", () => {
  test("passes as in its graph", () => {
    for (const graph of graphs)
      expect(() => checkHeader(decodeHeader(graphTrees(graph).header, "a header"))).not.toThrow();
    const header = headerOf(graphs[0]);
    const wrong: [Partial<GraphHeader>, string][] = [
      [{ kernelCount: 2 ** 20 + 1 }, "at most 1048576"],
      [{ kernelCount: 0.5 }, "at most 1048576"],
      [{ inputs: [...header.inputs, header.inputs[0]] }, "two inputs of the graph are called w"],
      [{ outputs: [...header.outputs, header.outputs[0]] }, "two outputs of the graph are called w"],
      [{ inputs: [{ name: "x", dtype: "f32", shape: [2 ** 16, 2 ** 16] }] }, "input x: [65536, 65536] is not a shape"],
      [{ outputs: [{ name: "x", tensor: 2 ** 32 - 1 }] }, "which does not exist"],
      [{ outputs: [{ name: "x", tensor: -1 }] }, "which does not exist"],
    ];
    for (const [part, message] of wrong) {
      expect(() => checkHeader({ ...header, ...part })).toThrow(message);
      const { inputs, outputs, kernelCount } = { ...header, ...part };
      const writer = new Writer().u32(inputs.length);
      for (const input of inputs) writer.text(input.name).bytes(encodeType(input));
      writer.u32(outputs.length);
      for (const { name, tensor } of outputs) writer.text(name).u32(tensor >>> 0);
      const bytes = writer.u32(Math.ceil(kernelCount)).finish();
      if (Number.isInteger(kernelCount)) expect(() => decodeHeader(bytes, "a header")).toThrow(message);
    }
  });

  test("of 200,000 names is checked in the time of reading it", () => {
    const outputs = Array.from({ length: 200_000 }, (_, i) => ({ name: `name ${i}`, tensor: 0 }));
    const inputs = outputs.map(({ name }) => ({ name, dtype: "f32", shape: [1] }) as const);
    const began = performance.now();
    checkHeader({ inputs, outputs, kernelCount: 0 });
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
