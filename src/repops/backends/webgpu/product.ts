/**
 * Matrix products in tiles. A workgroup loads blocks of both operands into its own memory and clamps them to
 * the dot range. Each invocation computes a block of sums over all of k, in order. Tiles decide which outputs
 * are computed together, never the order of a sum. Elements outside of the matrix are 0: adding a product of
 * 0 changes no sum, because no sum is ever -0 (spec 4.3).
 */
import { RANGE_EXPONENT } from "../../kernels/kernel.ts";
import { bitsOf } from "../../numbers/vf32.ts";
import type { ProductForm } from "../../schedule/product-form.ts";
import { ALONG, loadView, viewParameters } from "./product-views.ts";
import { u32 } from "./places.ts";
import { COUNTER, declarations, type Shader, TELL } from "./shader.ts";
import { GUARDED } from "./wgsl.ts";

/**
 * The guard that keeps a product from being fused with the sum after it. `bits`: the product passes through
 * an integer. `fma`: the product plus a zero, which saves one instruction. WGSL lets a compiler rearrange
 * sums, which could undo it, so no device uses it by default. `none` is for measuring the cost of a guard.
 */
export type ProductGuard = "bits" | "fma" | "none";

/** A workgroup's block of the output, and an invocation's: `rows` and `columns` are multiples of 4. */
export interface Tile {
  rows: number;
  columns: number;
  depth: number;
  /** Outputs of one invocation in each direction, 4 or 8. */
  own: number;
}

/** From the largest to the smallest. */
export const TILES: readonly Tile[] = [
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

/** The largest tile that leaves work for all processors. */
function chooseTile(form: ProductForm, tiles: readonly Tile[]): Tile {
  return tiles.find((tile) => workgroups(form, tile).reduce((a, b) => a * b) >= ENOUGH) ?? tiles[tiles.length - 1];
}

const MAX_WORKGROUPS = 65_535;
/** Parameters of a dispatch. */
const MAX_WORDS = 64;

/**
 * The product as a shader, or `undefined` when it has more blocks or axes than one dispatch. Its extents and
 * strides are parameters: products of one tile and of operands that lie alike share their code, and so one
 * compilation.
 */
export function productShader(
  form: ProductForm,
  output: number,
  guard: ProductGuard,
  tiles: readonly Tile[],
): Shader | undefined {
  const tile = chooseTile(form, tiles);
  const count = workgroups(form, tile);
  const words = parameters(form);
  if (count.some((groups) => groups > MAX_WORKGROUPS) || words.length > MAX_WORDS) return undefined;
  const reads = [...new Set([form.a.tensor, form.b.tensor])];
  const code = [
    ...declarations([
      ...reads.map((_, i) => `var<storage, read> t${i}: array<u32>;`),
      "var<storage, read_write> o0: array<u32>;",
      COUNTER,
    ]),
    GUARDED.library,
    ...loads(form, tile, (tensor) => `t${reads.indexOf(tensor)}`),
    main(form, tile, guard),
  ].join("\n");
  return { code, reads, writes: [output], workgroups: count, parameters: words };
}

/** Words of binding 0: the zero, then what tells one product from another; `P` names their places. */
const P = { m: 1, n: 2, k: 3, cRow: 4, a: 5, aRow: 6, aDepth: 7, b: 8, bColumn: 9, bDepth: 10, batch: 11, axes: 12 };
const AXIS_WORDS = 4;

function parameters({ a, b, row, column, depth, batch, views = {} }: ProductForm): number[] {
  const extents = [0, row.extent, column.extent, depth.extent, row.out];
  const left = [a.view.offset, row.a, depth.a];
  const right = [b.view.offset, column.b, depth.b];
  const axes = batch.flatMap((axis) => [axis.extent, axis.a, axis.b, axis.out]);
  const ofViews = [views.a, views.b].flatMap((view) => (view ? viewParameters(view) : []));
  return [...extents, ...left, ...right, batch.length, ...axes, ...ofViews];
}

const parameter = (name: keyof typeof P): string => `bitcast<i32>(zero[${P[name]}])`;

const invocations = ({ rows, columns, own }: Tile): number => (rows * columns) / (own * own);

/** `loadA4(base, lane, k)`: four ranged elements of A, of rows from `lane` at depth k; B alike. */
function loads({ a, b, batch, views = {} }: ProductForm, tile: Tile, bufferOf: (tensor: number) => string): string[] {
  const limit = 2 ** RANGE_EXPONENT.dot;
  const range = `${u32(bitsOf(1 / limit))}, ${u32(bitsOf(limit))}`;
  const load = (name: "A" | "B", tensor: number, lanes: string, lane: string, depth: string): string =>
    `fn load${name}(base: i32, lane: i32, k: i32) -> f32 {
  if (lane >= ${lanes} || k >= depth) { return 0.0; }
  return ranged(${bufferOf(tensor)}[base + lane * ${lane} + k * ${depth}], ${range});
}
fn load${name}4(base: i32, lane: i32, k: i32) -> vec4<f32> {
  return vec4<f32>(${[0, 1, 2, 3].map((i) => `load${name}(base, lane + ${i}, k)`).join(", ")});
}`;
  const viewsAt = P.axes + AXIS_WORDS * batch.length;
  const ofA = views.a ? viewParameters(views.a).length : 0;
  return [
    `var<workgroup> blockA: array<vec4<f32>, ${(tile.rows / 4) * tile.depth}>;`,
    `var<workgroup> blockB: array<vec4<f32>, ${(tile.columns / 4) * tile.depth}>;`,
    "var<private> rows: i32; var<private> columns: i32; var<private> depth: i32;",
    "var<private> aRow: i32; var<private> aDepth: i32; var<private> bColumn: i32; var<private> bDepth: i32;",
    ...(views.a || views.b ? [ALONG] : []),
    views.a
      ? loadView("A", views.a, { at: viewsAt, buffer: bufferOf(a.tensor), extent: "rows", range })
      : load("A", a.tensor, "rows", "aRow", "aDepth"),
    views.b
      ? loadView("B", views.b, { at: viewsAt + ofA, buffer: bufferOf(b.tensor), extent: "columns", range })
      : load("B", b.tensor, "columns", "bColumn", "bDepth"),
  ];
}

/** The beginning of `main`: the parameters, and the offsets of this workgroup's matrices. */
const BEGIN = `Z = zero[0];
rows = ${parameter("m")}; columns = ${parameter("n")}; depth = ${parameter("k")};
aRow = ${parameter("aRow")}; aDepth = ${parameter("aDepth")};
bColumn = ${parameter("bColumn")}; bDepth = ${parameter("bDepth")};
let cRow = ${parameter("cRow")};
/* Read from memory again, so that the loop is seen to be the same for all invocations. */
let end = ${parameter("k")};
var baseA = ${parameter("a")}; var baseB = ${parameter("b")}; var baseC = 0;
var block = group.z;
for (var axis = zero[${P.batch}]; axis > 0u; axis--) {
  let at = ${u32(P.axes - AXIS_WORDS)} + axis * ${u32(AXIS_WORDS)};
  let i = bitcast<i32>(block % zero[at]);
  block = block / zero[at];
  baseA += i * bitcast<i32>(zero[at + 1u]); baseB += i * bitcast<i32>(zero[at + 2u]); baseC += i * bitcast<i32>(zero[at + 3u]);
}`;

/**
 * A block's places that an invocation fills: `places` vectors of four lanes by `depth`, fastest along the
 * dense axis.
 */
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
  // a·b + 0 is the rounded product, whether the device rounds once or twice. The sum after it is only an
  // addition.
  fma: (x, y) => `fma(vec4<f32>(${x}), ${y}, none)`,
  none: (x, y) => `${x} * ${y}`,
};

function main(form: ProductForm, tile: Tile, guard: ProductGuard): string {
  const { own } = tile;
  const across = tile.columns / own;
  const down = tile.rows / own;
  const halves = own / 4;
  const fillA = filling("A", tile.rows, tile, form.depth.a === 1);
  const fillB = filling("B", tile.columns, tile, form.depth.b === 1);
  const each = <T>(count: number, line: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => line(i));
  const component = ["x", "y", "z", "w"];
  const sums = each(own * halves, (i) => `acc${Math.floor(i / halves)}_${i % halves}`);
  // An invocation's rows and columns stand in fours that are far apart, so that neighbours read neighbouring
  // places.
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
  const stores = each(own, (r) => {
    const columns = each(own, (c) => {
      const at = (c >> 2) * 4 * across + (c & 3);
      return `if (column + ${at} < columns) { o0[to + ${at}] = bitcast<u32>(acc${r}_${c >> 2}.${component[c & 3]}); }`;
    });
    const place = `row + ${(r >> 2) * 4 * down + (r & 3)}`;
    return `if (${place} < rows) { let to = baseC + (${place}) * cRow + column;\n${columns.join("\n")}\n}`;
  });
  return `@compute @workgroup_size(${invocations(tile)}) fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
${BEGIN}
let none = vec4<f32>(bitcast<f32>(Z));
let x = local % ${u32(across)}; let y = local / ${u32(across)};
let laneA = i32(group.y) * ${tile.rows}; let laneB = i32(group.x) * ${tile.columns};
${each(fillA.load.length, (i) => `var nextA${i}: vec4<f32>;`).join(" ")}
${each(fillB.load.length, (i) => `var nextB${i}: vec4<f32>;`).join(" ")}
${sums.map((sum) => `var ${sum} = none;`).join("\n")}
var k0 = 0;
${[...fillA.load, ...fillB.load].join("\n")}
loop {
workgroupBarrier();
${[...fillA.store, ...fillB.store].join("\n")}
workgroupBarrier();
k0 = k0 + ${tile.depth};
if (k0 < end) {
${[...fillA.load, ...fillB.load].join("\n")}
}
for (var k = 0u; k < ${u32(tile.depth)}; k++) {
${inner.join("\n")}
}
if (k0 >= end) { break; }
}
let row = laneA + 4 * i32(y); let column = laneB + 4 * i32(x);
${stores.join("\n")}
${TELL}
}`;
}
