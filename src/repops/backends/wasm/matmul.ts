/**
 * Matrix products: C[i, j] = Σ_k A[i, k]·B[k, j] in the order of k, with multiplication and addition rounded
 * separately. Between blocks of k the accumulators are stored and reloaded, which is exact. Blocks of i and j
 * are independent.
 */
import type { ConstantPool } from "./constants.ts";
import type { FunctionBuilder, Local, ModuleBuilder } from "./emitter.ts";
import { f32x4, i32, v128, ValueType } from "./opcodes.ts";
import { definePacking } from "./packing.ts";

const { i32: I32, v128: V128 } = ValueType;

/**
 * The register tile: 5 rows of 2 vectors leave three of the 15 registers that the engine has for operands.
 */
const ROWS = 5;
const COLUMNS = 8;
const VECTORS = COLUMNS / 4;
const UNROLL = 8;
/** The sizes of blocks that fit in the caches. */
const DEPTH_BLOCK = 384;
const ROW_BLOCK = 240;
const COLUMN_BLOCK = 1024;

const TILE_BYTES = 4 * ROWS * COLUMNS + 64;
const A_BYTES = 4 * ROW_BLOCK * DEPTH_BLOCK + 64;
const B_BYTES = 4 * COLUMN_BLOCK * DEPTH_BLOCK + 64;
export const MATMUL_SCRATCH_BYTES = TILE_BYTES + A_BYTES + B_BYTES;

export interface MatmulExports {
  packRows(source: number, laneStride: number, depthStride: number, target: number, lanes: number, depth: number): void;
  packColumns(
    source: number,
    laneStride: number,
    depthStride: number,
    target: number,
    lanes: number,
    depth: number,
  ): void;
  multiplyBlocks(
    a: number,
    b: number,
    c: number,
    rows: number,
    columns: number,
    depth: number,
    rowBytes: number,
    first: number,
    tile: number,
  ): void;
}

export function defineMatmul(module: ModuleBuilder, pool: ConstantPool): void {
  definePacking(module, pool, "packRows", ROWS);
  definePacking(module, pool, "packColumns", COLUMNS);
  const tile = defineTile(module);
  const copy = defineCopy(module);
  const parameters = [I32, I32, I32, I32, I32, I32, I32, I32, I32];
  module.function("multiplyBlocks", parameters, [], (f, a, b, c, rows, columns, depth, rowBytes, first, scratch) => {
    const [i, j, panel, target, height, width] = Array.from({ length: 6 }, () => f.local(I32));
    const atMost = (local: Local, limit: number): void => {
      f.if(i32.gtS(local, i32.const(limit)), () => f.set(local, i32.const(limit)));
    };
    f.while(i32.ltS(j, columns), () => {
      f.set(i, i32.const(0));
      f.set(panel, a);
      f.set(target, c);
      f.set(width, i32.sub(columns, j));
      atMost(width, COLUMNS);
      f.while(i32.ltS(i, rows), () => {
        f.set(height, i32.sub(rows, i));
        atMost(height, ROWS);
        const whole = i32.and(i32.eq(height, i32.const(ROWS)), i32.eq(width, i32.const(COLUMNS)));
        f.if(
          whole,
          () => f.emit(f.call(tile, panel, b, target, depth, rowBytes, first)),
          () => {
            const pitch = i32.const(4 * COLUMNS);
            f.if(i32.eqz(first), () => f.emit(f.call(copy, scratch, pitch, target, rowBytes, height, width)));
            f.emit(f.call(tile, panel, b, scratch, depth, pitch, first));
            f.emit(f.call(copy, target, rowBytes, scratch, pitch, height, width));
          },
        );
        f.increment(panel, i32.mul(depth, i32.const(4 * ROWS)));
        f.increment(target, i32.mul(rowBytes, i32.const(ROWS)));
        f.increment(i, ROWS);
      });
      f.increment(b, i32.mul(depth, i32.const(4 * COLUMNS)));
      f.increment(c, 4 * COLUMNS);
      f.increment(j, COLUMNS);
    });
  });
}

/** tile(a, b, c, depth, rowBytes, first): one register tile over packed panels; adds to C unless `first`. */
function defineTile(module: ModuleBuilder): FunctionBuilder {
  return module.function(undefined, [I32, I32, I32, I32, I32, I32], [], (f, a, b, c, depth, rowBytes, first) => {
    const sums = Array.from({ length: ROWS }, () => Array.from({ length: VECTORS }, () => f.local(V128)));
    const columns = Array.from({ length: VECTORS }, () => f.local(V128));
    const row = f.local(V128);
    const pointer = f.local(I32);
    const end = f.local(I32);
    const eachRow = (visit: (row: number) => void): void => {
      f.set(pointer, c);
      for (let i = 0; i < ROWS; i++) {
        visit(i);
        if (i < ROWS - 1) f.increment(pointer, rowBytes);
      }
    };
    const step = (k: number): void => {
      columns.forEach((column, j) => f.set(column, v128.load(b, 4 * COLUMNS * k + 16 * j)));
      for (let i = 0; i < ROWS; i++) {
        f.set(row, v128.splatLoad32(a, 4 * ROWS * k + 4 * i));
        columns.forEach((column, j) => f.set(sums[i][j], f32x4.add(sums[i][j], f32x4.mul(row, column))));
      }
    };
    const loop = (steps: number, count: () => void): void => {
      count();
      f.while(i32.ltU(b, end), () => {
        for (let k = 0; k < steps; k++) step(k);
        f.increment(a, 4 * ROWS * steps);
        f.increment(b, 4 * COLUMNS * steps);
      });
    };
    f.if(i32.eqz(first), () => eachRow((i) => sums[i].forEach((sum, j) => f.set(sum, v128.load(pointer, 16 * j)))));
    const bytes = (mask: number) => i32.mul(i32.and(depth, i32.const(mask)), i32.const(4 * COLUMNS));
    loop(UNROLL, () => f.set(end, i32.add(b, bytes(-UNROLL))));
    loop(1, () => f.set(end, i32.add(b, bytes(UNROLL - 1))));
    eachRow((i) => sums[i].forEach((sum, j) => f.emit(v128.store(pointer, sum, 16 * j))));
  });
}

/** copy(to, toRowBytes, from, fromRowBytes, rows, columns): words. */
function defineCopy(module: ModuleBuilder): FunctionBuilder {
  return module.function(
    undefined,
    [I32, I32, I32, I32, I32, I32],
    [],
    (f, to, toRow, from, fromRow, rows, columns) => {
      const j = f.local(I32);
      f.set(columns, i32.shl(columns, i32.const(2)));
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.set(j, i32.const(0));
        f.while(i32.ltS(j, columns), () => {
          f.emit(i32.store(i32.add(to, j), i32.load(i32.add(from, j))));
          f.increment(j, 4);
        });
        f.increment(to, toRow);
        f.increment(from, fromRow);
        f.increment(rows, -1);
      });
    },
  );
}

/** Addresses in bytes, strides in elements. C is row-major with rows `cRow` apart. */
export interface MatmulProblem {
  m: number;
  n: number;
  k: number;
  a: number;
  aRow: number;
  aDepth: number;
  b: number;
  bDepth: number;
  bColumn: number;
  c: number;
  cRow: number;
}

/**
 * Multiplies. Reads up to 12 bytes after an operand's last element.
 * @param scratch address of `MATMUL_SCRATCH_BYTES` bytes, a multiple of 16
 * @param memory for K = 0, where C is zeros
 */
export function matmul(core: MatmulExports, memory: WebAssembly.Memory, scratch: number, problem: MatmulProblem): void {
  const { m, n, k, a, aRow, aDepth, b, bDepth, bColumn, c, cRow } = problem;
  if (k === 0) for (let i = 0; i < m; i++) new Float32Array(memory.buffer, c + 4 * i * cRow, n).fill(0);
  const panelA = scratch + TILE_BYTES;
  const panelB = panelA + A_BYTES;
  const depthBlock = Math.ceil(k / Math.ceil(k / DEPTH_BLOCK));
  for (let j = 0; j < n; j += COLUMN_BLOCK) {
    const columns = Math.min(COLUMN_BLOCK, n - j);
    for (let p = 0; p < k; p += depthBlock) {
      const depth = Math.min(depthBlock, k - p);
      core.packColumns(b + 4 * (j * bColumn + p * bDepth), 4 * bColumn, 4 * bDepth, panelB, columns, depth);
      for (let i = 0; i < m; i += ROW_BLOCK) {
        const rows = Math.min(ROW_BLOCK, m - i);
        core.packRows(a + 4 * (i * aRow + p * aDepth), 4 * aRow, 4 * aDepth, panelA, rows, depth);
        const target = c + 4 * (i * cRow + j);
        core.multiplyBlocks(panelA, panelB, target, rows, columns, depth, 4 * cRow, p === 0 ? 1 : 0, scratch);
      }
    }
  }
}
