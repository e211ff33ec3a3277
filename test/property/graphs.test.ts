import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { decodeGraph, encodeGraph, graphRoot } from "../../src/graph/codec.ts";
import type { Graph } from "../../src/graph/graph.ts";
import line from "../fixtures/line.ts";
import { SEED } from "./seed.ts";

let graph: Graph;
let bytes: Uint8Array;

beforeAll(async () => {
  graph = (await line.close()).step;
  bytes = encodeGraph(graph);
});

describe("the encoding of a graph (spec 5.3)", () => {
  test("of altered bytes is refused, or is another graph", () => {
    const root = toHex(graphRoot(graph));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const altered = bytes.slice();
        altered[at] ^= change;
        try {
          expect(toHex(graphRoot(decodeGraph(altered)))).not.toBe(root);
        } catch (error) {
          expect((error as { code?: string }).code, String(error)).toMatch(/^VERDE_/);
        }
      }),
      { seed: SEED, numRuns: 1500 },
    );
  });

  test("of cut bytes is refused wherever the cut is", () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        expect(() => decodeGraph(bytes.slice(0, length))).toThrow(/cut|begins|at offset/);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});
