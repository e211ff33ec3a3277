/** Vectors of reads: views of every kind, coordinates, and gathers. */
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import { bitsOf } from "../../repops/numbers/vf32.ts";
import { caseOf, type ConformanceCase, f32, i32, read } from "../../repops/conformance/case.ts";
import { floatTensor, intTensor } from "../../repops/conformance/data.ts";

const PLACE = defineProgram("fii", (x, row, column) => row.lt(column).select(x, row.add(column).toFloat()));

export function readCases(): ConformanceCase[] {
  const x = floatTensor(950, [23, 31]);
  const copy = defineProgram("f", (v) => v);
  const gather = { kind: "gather" as const, source: 0, index: 1, fill: bitsOf(0.25) };
  const map = { kind: "map" as const, program: copy };
  const integers = intTensor(952, [23, 31]);
  const copyInt = { kind: "map" as const, program: defineProgram("i", (v) => v) };
  const axes = [2, 1, 3, 2, 1, 2, 3, 2];
  const inside = { bounds: [[2, 25] as const, [3, 34] as const], fill: bitsOf(-1.5) };
  return [
    caseOf("map through a transposing view", [x], { ...map, type: f32(31, 23), args: [read(0, [1, 31])] }),
    caseOf("map through a reversing view", [x], {
      ...map,
      type: f32(23, 31),
      args: [read(0, [-31, -1], { offset: 23 * 31 - 1 })],
    }),
    caseOf("map through a broadcasting view", [x], { ...map, type: f32(5, 23, 31), args: [read(0, [0, 31, 1])] }),
    caseOf("map through a bounded view", [x], {
      ...map,
      type: f32(27, 36),
      args: [read(0, [31, 1], { offset: -2 * 31 - 3, ...inside })],
    }),
    caseOf("map with coordinates", [x], {
      kind: "map",
      program: PLACE,
      type: f32(23, 31),
      args: [read(0, [31, 1]), { kind: "coordinate", axis: 0 }, { kind: "coordinate", axis: 1 }],
    }),
    caseOf("gather with rows outside", [x, intTensor(951, [7, 9], 23)], {
      ...gather,
      type: f32(7, 9, 31),
    }),
    caseOf("map integers through a bounded, reversing view", [integers], {
      ...copyInt,
      type: i32(31, 25),
      args: [
        read(0, [-1, 31], {
          offset: 30 - 31,
          bounds: [
            [1, 31],
            [1, 24],
          ],
          fill: 0x40000001,
        }),
      ],
    }),
    caseOf("map through a view that reads nothing", [x], {
      ...map,
      type: f32(5, 8),
      args: [
        read(0, [31, 1], {
          bounds: [
            [2, 2],
            [0, 8],
          ],
          fill: bitsOf(7),
        }),
      ],
    }),
    caseOf("map of eight axes", [x], {
      ...map,
      type: f32(...axes),
      args: [read(0, [3, 0, 31, -2, 9, 5, -1, 62], { offset: 4 })],
    }),
    caseOf("map of a scalar", [x], { ...map, type: f32(), args: [read(0, [], { offset: 77 })] }),
    caseOf("map of a constant", [], {
      kind: "map",
      program: defineProgram("", () => float(0.1)),
      type: f32(70),
      args: [],
    }),
    caseOf("gather with any indices", [x, intTensor(953, [333])], { ...gather, type: f32(333, 31) }),
    caseOf("gather scalars", [floatTensor(954, [40]), intTensor(955, [300], 40)], { ...gather, type: f32(300) }),
    caseOf("gather integers", [integers, intTensor(956, [5, 7], 23)], {
      ...gather,
      type: i32(5, 7, 31),
      fill: 0xfffffffe,
    }),
    caseOf("gather from nothing", [floatTensor(957, [0, 6]), intTensor(958, [9])], { ...gather, type: f32(9, 6) }),
  ];
}
