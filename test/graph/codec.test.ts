import { beforeAll, describe, expect, test } from "vitest";
import { toHex, Writer } from "../../src/encoding/bytes.ts";
import { taggedHash } from "../../src/encoding/hash.ts";
import { Tag } from "../../src/encoding/tags.ts";
import { buildLevels, rootOf, verifyLeaf } from "../../src/encoding/merkle.ts";
import { hashLeaf, proveLeaf } from "../../src/encoding/merkle.ts";
import { decodeGraph, encodeGraph, encodeKernel, graphRoot, graphTrees } from "../../src/graph/codec.ts";
import { checkGraph, type Graph } from "../../src/graph/graph.ts";
import line from "../fixtures/line.ts";

let graph: Graph;
let bytes: Uint8Array;

beforeAll(async () => {
  graph = (await line.close()).step;
  bytes = encodeGraph(graph);
});

describe("the encoding of graphs (spec 5.3)", () => {
  test("gives the graph back", () => {
    expect(toHex(encodeGraph(decodeGraph(bytes)))).toBe(toHex(bytes));
  });

  test("claims no more than there is: counts are bounded before anything is allocated", () => {
    const huge = bytes.slice();
    new DataView(huge.buffer).setUint32(12, 0xffffffff);
    expect(() => decodeGraph(huge)).toThrow("a list of 4294967295 entries");
  });

  test("has a root that opens to its counts, and to every kernel, label and output", () => {
    const { header, kernels, labels } = graphTrees(graph);
    const counts = new Writer().u32(graph.inputs.length).u32(graph.outputs.length).u32(graph.kernels.length).finish();
    const outputs = buildLevels(
      graph.outputs.map(({ tensor }) => hashLeaf(Tag.graphOutput, new Writer().u32(tensor).finish())),
    );
    const parts = [taggedHash(Tag.graphHeader, header), rootOf(kernels), rootOf(labels), rootOf(outputs)];
    expect(toHex(taggedHash(Tag.graph, counts, ...parts))).toBe(toHex(graphRoot(graph)));
    graph.kernels.forEach((kernel, i) => {
      const leaf = hashLeaf(Tag.graphNode, encodeKernel(kernel));
      expect(verifyLeaf(rootOf(kernels), leaf, graph.kernels.length, i, proveLeaf(kernels, i))).toBe(true);
    });
  });
});

describe("the validator", () => {
  const altered = (edit: (copy: any) => void): (() => void) => {
    const copy = structuredClone(graph);
    edit(copy);
    return () => checkGraph(copy);
  };
  const first = (kind: string): number => graph.kernels.findIndex((kernel) => kernel.kind === kind);

  test("names the operator and its layer", () => {
    const fold = graph.labels.indexOf("hidden/matmul");
    expect(altered((copy) => (copy.kernels[fold].args[0].view.offset = 10_000))).toThrow(
      new RegExp(`operator ${fold} \\(hidden/matmul\\), arg 0: it reads elements 10000 to`),
    );
    expect(altered((copy) => copy.kernels[fold].args[0].view.strides.pop())).toThrow("strides for an iteration space");
    expect(altered((copy) => (copy.kernels[fold].reduce = [2 ** 22, 2]))).toThrow("folds over more than");
    expect(altered((copy) => (copy.kernels[fold].start = 0x80000000))).toThrow("start value is not canonical");
  });

  test("refuses references forward, ill-typed operands and programs, and doubled names", () => {
    const map = first("map");
    expect(altered((copy) => (copy.kernels[map].args[0].tensor = 10_000))).toThrow("which is not before it");
    expect(
      altered((copy) => (copy.kernels[map].type.dtype = copy.kernels[map].type.dtype === "f32" ? "i32" : "f32")),
    ).toThrow("its program returns");
    expect(altered((copy) => copy.kernels[map].args.push(copy.kernels[map].args[0]))).toThrow("inputs for");
    expect(altered((copy) => (copy.outputs[1].name = copy.outputs[0].name))).toThrow(
      "two outputs of the graph are called",
    );
    expect(altered((copy) => (copy.outputs[1].tensor = 10_000))).toThrow("which does not exist");
    expect(altered((copy) => copy.labels.pop())).toThrow("labels for");
    expect(altered((copy) => (copy.kernels[first("gather")].index = 0))).toThrow("its index is f32");
  });

  test("looks once at a graph, whose lists can't change then; a copy is another graph", () => {
    checkGraph(graph);
    const map = first("map");
    const open = graph as any;
    const changes = [
      () => open.kernels.pop(),
      () => open.inputs.pop(),
      () => open.labels.pop(),
      () => (open.kernels = []),
    ];
    for (const change of [...changes, () => (open.kernels[map] = open.kernels[0]), () => open.outputs.pop()])
      expect(change).toThrow(TypeError);
    expect(() => checkGraph({ ...graph, labels: [] })).toThrow("labels for");
    const kernels = graph.kernels.with(map, { ...graph.kernels[first("fold")], type: graph.kernels[map].type } as any);
    expect(() => checkGraph(Object.freeze({ ...graph, kernels }))).toThrow(`operator ${map} `);
  });
});
