/**
 * Matrix products in tiles: a workgroup brings blocks of both operands into its own memory and into the dot range, and
 * each invocation carries a block of sums through all of k in its order. Tiles choose which outputs stand together, never
 * the order of a sum. What lies behind an edge is 0: adding a product of 0 changes no sum, since none is ever -0 (spec 4.3).
 */
import { RANGE_EXPONENT } from "../../kernel.ts";
import { bitsOf } from "../../vf32.ts";
import type { ProductForm } from "../product-form.ts";
import { declarations, type Shader, u32 } from "./shader.ts";
import { GUARDED } from "./wgsl.ts";

/** How a product is kept from being fused with the sum behind it; `none` is for measuring what the guard costs. */
export type ProductGuard = "bits" | "fma" | "none";

/** A workgroup's block of the output, and an invocation's: `rows` and `columns` are multiples of 4. */
interface Tile {
  rows: number;
  columns: number;
  depth: number;
  /** Outputs of one invocation in each direction, 4 or 8. */
  own: number;
}

const TILES: readonly Tile[] = [
  { rows: 128, columns: 128, depth: 16, own: 8 },
  { rows: 64, columns: 64, depth: 16, own: 8 },
  { rows: 64, columns: 64, depth: 16, own: 4 },
  { rows: 32, columns: 32, depth: 16, own: 4 },
];

/** Workgroups that a large device needs to have work for all its processors. */
const ENOUGH = 192;

function workgroups({ row, column, batch }: ProductForm, tile: Tile): [number, number, number] {
  const blocks = batch.reduce((count, { extent }) => count * extent, 1);
  return [Math.ceil(column.extent / tile.columns), Math.ceil(row.extent / tile.rows), blocks];
}

/** The largest tile that leaves work for everybody. */
function chooseTile(form: ProductForm): Tile {
  return TILES.find((tile) => workgroups(form, tile).reduce((a, b) => a * b) >= ENOUGH) ?? TILES[TILES.length - 1];
}

const MAX_WORKGROUPS = 65_535;

/** The product as a shader, or `undefined` when it has more blocks than one dispatch. */
export function productShader(
  form: ProductForm,
  output: number,
  guard: ProductGuard,
  tile: Tile = chooseTile(form),
): Shader | undefined {
  const count = workgroups(form, tile);
  if (count.some((groups) => groups > MAX_WORKGROUPS)) return undefined;
  const reads = [...new Set([form.a.tensor, form.b.tensor])];
  const code = [
    ...declarations([
      ...reads.map((_, i) => `var<storage, read> t${i}: array<u32>;`),
      "var<storage, read_write> o0: array<u32>;",
    ]),
    GUARDED.library,
    ...fills(form, tile, (tensor) => `t${reads.indexOf(tensor)}`),
    main(form, tile, guard),
  ].join("\n");
  return { code, reads, writes: [output], workgroups: count };
}

const invocations = ({ rows, columns, own }: Tile): number => (rows * columns) / (own * own);

/** `fillA(slot, row, k)`: four ranged elements for place `slot` of A's block, for rows from `row` at depth k; B alike. */
function fills({ a, b, row, column, depth }: ProductForm, tile: Tile, bufferOf: (tensor: number) => string): string[] {
  const limit = 2 ** RANGE_EXPONENT.dot;
  const range = `${u32(bitsOf(1 / limit))}, ${u32(bitsOf(limit))}`;
  const one = (name: string, tensor: number, lane: [number, number], step: number): string =>
    `fn ${name}(base: i32, lane: i32, k: i32) -> f32 {
  if (lane >= ${lane[0]} || k >= ${depth.extent}) { return 0.0; }
  return ranged(${bufferOf(tensor)}[base + lane * ${lane[1]} + k * ${step}], ${range});
}`;
  const four = (name: string): string =>
    `fn ${name}4(base: i32, lane: i32, k: i32) -> vec4<f32> {
  return vec4<f32>(${[0, 1, 2, 3].map((i) => `${name}(base, lane + ${i}, k)`).join(", ")});
}`;
  return [
    `var<workgroup> blockA: array<vec4<f32>, ${(tile.rows / 4) * tile.depth}>;`,
    `var<workgroup> blockB: array<vec4<f32>, ${(tile.columns / 4) * tile.depth}>;`,
    one("loadA", a.tensor, [row.extent, row.a], depth.a),
    one("loadB", b.tensor, [column.extent, column.b], depth.b),
    four("loadA"),
    four("loadB"),
  ];
}

/** Offsets of a workgroup's block of the batch in the operands and the output. */
function bases({ a, b, batch }: ProductForm): string[] {
  const offset = (first: number, stride: (axis: (typeof batch)[number]) => number): string => {
    let inner = batch.reduce((count, { extent }) => count * extent, 1);
    const terms = batch.map((axis) => {
      inner /= axis.extent;
      return `i32(group.z / ${u32(inner)} % ${u32(axis.extent)}) * ${stride(axis)}`;
    });
    return [first, ...terms].join(" + ");
  };
  return [
    `let baseA = ${offset(a.view.offset, (axis) => axis.a)};`,
    `let baseB = ${offset(b.view.offset, (axis) => axis.b)};`,
    `let baseC = ${offset(0, (axis) => axis.out)};`,
  ];
}

/** A block's places that an invocation fills: `places` vectors of four lanes by `depth`, fastest along the dense axis. */
function filling(name: "A" | "B", lanes: number, tile: Tile, alongDepth: boolean): { load: string[]; store: string[] } {
  const size = invocations(tile);
  const places = (lanes / 4) * tile.depth;
  const load: string[] = [];
  const store: string[] = [];
  for (let i = 0; i * size < places; i++) {
    const place = `(local + ${u32(i * size)})`;
    const [k, group] = alongDepth
      ? [`(${place} % ${u32(tile.depth)})`, `(${place} / ${u32(tile.depth)})`]
      : [`(${place} / ${u32(lanes / 4)})`, `(${place} % ${u32(lanes / 4)})`];
    load.push(`next${name}${i} = load${name}4(base${name}, lane${name} + 4 * i32(${group}), k0 + i32(${k}));`);
    store.push(`block${name}[${k} * ${u32(lanes / 4)} + ${group}] = next${name}${i};`);
  }
  return { load, store };
}

const GUARDS: Readonly<Record<ProductGuard, (x: string, y: string) => string>> = {
  bits: (x, y) => `bitcast<vec4<f32>>(bitcast<vec4<u32>>(${x} * ${y}) ^ vec4<u32>(Z))`,
  // a·b + 0 is the rounded product, whether the device rounds once or twice; the sum behind it is an addition alone.
  fma: (x, y) => `fma(vec4<f32>(${x}), ${y}, none)`,
  none: (x, y) => `${x} * ${y}`,
};

function main(form: ProductForm, tile: Tile, guard: ProductGuard): string {
  const { row, column, depth } = form;
  const { own } = tile;
  const across = tile.columns / own;
  const down = tile.rows / own;
  const halves = own / 4;
  const fillA = filling("A", tile.rows, tile, depth.a === 1);
  const fillB = filling("B", tile.columns, tile, depth.b === 1);
  const each = <T>(count: number, line: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => line(i));
  const component = ["x", "y", "z", "w"];
  const sums = each(own * halves, (i) => `acc${Math.floor(i / halves)}_${i % halves}`);
  // An invocation's rows and columns stand in fours that are far apart, so that neighbours read neighbouring places.
  const inner = [
    ...each(halves, (h) => `let a${h} = blockA[k * ${u32(tile.rows / 4)} + y + ${u32(h * down)}];`),
    ...each(halves, (h) => `let b${h} = blockB[k * ${u32(tile.columns / 4)} + x + ${u32(h * across)}];`),
    ...each(own, (r) => r).flatMap((r) =>
      each(halves, (h) => {
        const sum = `acc${r}_${h}`;
        return `${sum} = ${sum} + ${GUARDS[guard](`a${r >> 2}.${component[r & 3]}`, `b${h}`)};`;
      }),
    ),
  ];
  const stores = each(own, (r) => r).flatMap((r) =>
    each(halves, (h) => h).flatMap((h) =>
      component.map(
        (lane, c) =>
          `put(baseC, row + ${(r >> 2) * 4 * down + (r & 3)}, column + ${h * 4 * across + c}, acc${r}_${h}.${lane});`,
      ),
    ),
  );
  return `fn put(base: i32, row: i32, column: i32, value: f32) {
  if (row < ${row.extent} && column < ${column.extent}) { o0[base + row * ${row.out} + column] = bitcast<u32>(value); }
}
@compute @workgroup_size(${invocations(tile)}) fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
Z = zero[0];
let none = vec4<f32>(bitcast<f32>(Z));
let x = local % ${u32(across)}; let y = local / ${u32(across)};
let laneA = i32(group.y) * ${tile.rows}; let laneB = i32(group.x) * ${tile.columns};
${bases(form).join("\n")}
${each(fillA.load.length, (i) => `var nextA${i}: vec4<f32>;`).join(" ")}
${each(fillB.load.length, (i) => `var nextB${i}: vec4<f32>;`).join(" ")}
${sums.map((sum) => `var ${sum} = vec4<f32>(bitcast<f32>(Z));`).join("\n")}
var k0 = 0;
${[...fillA.load, ...fillB.load].join("\n")}
loop {
workgroupBarrier();
${[...fillA.store, ...fillB.store].join("\n")}
workgroupBarrier();
k0 = k0 + ${tile.depth};
if (k0 < ${depth.extent}) {
${[...fillA.load, ...fillB.load].join("\n")}
}
for (var k = 0u; k < ${u32(tile.depth)}; k++) {
${inner.join("\n")}
}
if (k0 >= ${depth.extent}) { break; }
}
let row = laneA + 4 * i32(y); let column = laneB + 4 * i32(x);
${stores.join("\n")}
}`;
}
