/**
 * Matrix products: C[i, j] = Σ_k A[i, k]·B[k, j] in the order of k, with multiplication and addition rounded
 * separately. Between blocks of k the accumulators are stored and reloaded, which is exact. Blocks of i and j
 * are independent.
 */
import type { ConstantPool } from "./constants.ts";
import type { Local, ModuleBuilder } from "./emitter.ts";
import { COLUMNS, defineBlocks, ROWS } from "./matmul.ts";
import { type Code, i32, memory, ValueType } from "./opcodes.ts";
import { definePacking } from "./packing.ts";
import { defineViewPacking } from "./view-packing.ts";

const { i32: I32 } = ValueType;

/** The sizes of blocks that fit in the caches. */
const DEPTH_BLOCK = 384;
const ROW_BLOCK = 240;
const COLUMN_BLOCK = 1024;

/** Three words say which operand is packed in the panels of B. */
const HEAD_BYTES = 64;
const TILE_BYTES = 4 * ROWS * COLUMNS + 64;
const A_BYTES = 4 * ROW_BLOCK * DEPTH_BLOCK + 64;
const B_BYTES = 4 * COLUMN_BLOCK * DEPTH_BLOCK + 64;
export const MATMUL_SCRATCH_BYTES = HEAD_BYTES + TILE_BYTES + A_BYTES + B_BYTES;

export interface MultiplyExports {
  /**
   * Multiplies. Reads up to 12 bytes after an operand's last element.
   * @param problem address of the words of a problem (`problemWords`)
   * @param scratch address of `MATMUL_SCRATCH_BYTES` bytes, a multiple of 16, of this thread alone
   * @param turn not 0. Calls with the same scratch and turn may take for granted that an operand B at the
   *   same address has not changed, so that it is packed once for all.
   * @returns the bits of `NOTED` for what it has packed
   */
  multiply(problem: number, scratch: number, turn: number): number;
}

/** Products of one size, `count` of them. Addresses and strides are in bytes. C is row-major. */
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
  count: number;
  /** From each product to the next. */
  aNext: number;
  bNext: number;
  cNext: number;
  /** The tables of an operand that is no plain matrix (views.ts); 0 for one that is. */
  aLanes: number;
  aDepths: number;
  aFill: number;
  bLanes: number;
  bDepths: number;
  bFill: number;
}

const FIELDS = [
  ..."m n k a aRow aDepth b bDepth bColumn c cRow count aNext bNext cNext".split(" "),
  ..."aLanes aDepths aFill bLanes bDepths bFill".split(" "),
] as (keyof MatmulProblem)[];

export const PROBLEM_WORDS = FIELDS.length;

export function problemWords(problem: MatmulProblem): number[] {
  return FIELDS.map((field) => problem[field]);
}

export function defineMultiply(module: ModuleBuilder, pool: ConstantPool): void {
  const packRows = definePacking(module, pool, ROWS);
  const packColumns = definePacking(module, pool, COLUMNS);
  const viewRows = defineViewPacking(module, pool, ROWS);
  const viewColumns = defineViewPacking(module, pool, COLUMNS);
  const blocks = defineBlocks(module);
  module.function("multiply", [I32, I32, I32], [I32], (f, problem, scratch, turn) => {
    const fields = FIELDS.map((_, word) => f.local(I32, i32.load(problem, 4 * word)));
    const [m, n, k, a, aRow, aDepth, b, bDepth, bColumn, c, cRow, count, aNext, bNext, cNext] = fields;
    const [aLanes, aDepths, aFill, bLanes, bDepths, bFill] = fields.slice(15);
    const tile = f.local(I32, i32.add(scratch, i32.const(HEAD_BYTES)));
    const panelA = f.local(I32, i32.add(tile, i32.const(TILE_BYTES)));
    const panelB = f.local(I32, i32.add(panelA, i32.const(A_BYTES)));
    const [i, j, p, rows, columns, depth, depthBlock, rowBlock, from, row, target] = Array.from({ length: 11 }, () =>
      f.local(I32),
    );
    const found = f.local(I32);
    const packing = (call: Code): void => void f.set(found, i32.or(found, call));
    const least = (into: Local, rest: Code, limit: Code): void => {
      f.set(into, rest);
      f.if(i32.gtS(into, limit), () => f.set(into, limit));
    };
    const word = (table: Local, index: Local): Code => i32.add(table, i32.shl(index, i32.const(2)));
    /** Blocks of equal length, because a short last one would use the packed columns for a few rows. */
    const tiles = i32.divU(i32.add(m, i32.const(ROWS - 1)), i32.const(ROWS));
    const blocksOfTiles = i32.divU(i32.add(tiles, i32.const(ROW_BLOCK / ROWS - 1)), i32.const(ROW_BLOCK / ROWS));
    const tilesOfBlock = i32.divU(i32.add(tiles, i32.sub(blocksOfTiles, i32.const(1))), blocksOfTiles);
    f.if(m, () => f.set(rowBlock, i32.mul(tilesOfBlock, i32.const(ROWS))));
    const blocksOfK = i32.divU(i32.add(k, i32.const(DEPTH_BLOCK - 1)), i32.const(DEPTH_BLOCK));
    const whole = f.local(I32, i32.and(i32.leS(n, i32.const(COLUMN_BLOCK)), i32.leS(k, i32.const(DEPTH_BLOCK))));
    f.if(k, () => f.set(depthBlock, i32.divU(i32.add(k, i32.sub(blocksOfK, i32.const(1))), blocksOfK)));

    const zeros = (): void => {
      f.set(target, c);
      f.set(i, m);
      f.while(i, () => {
        f.emit(memory.fill(target, i32.const(0), i32.shl(n, i32.const(2))));
        f.increment(target, cRow);
        f.increment(i, -1);
      });
    };
    /** All of the rows with the packed columns. */
    const rowBlocks = (): void => {
      f.set(i, i32.const(0));
      f.set(row, i32.add(a, i32.mul(p, aDepth)));
      f.set(target, i32.add(c, i32.shl(j, i32.const(2))));
      f.while(i32.ltS(i, m), () => {
        least(rows, i32.sub(m, i), rowBlock);
        f.if(
          aLanes,
          () => packing(f.call(viewRows, a, word(aLanes, i), word(aDepths, p), aFill, panelA, rows, depth)),
          () => packing(f.call(packRows, row, aRow, aDepth, panelA, rows, depth)),
        );
        f.emit(f.call(blocks, panelA, panelB, target, rows, columns, depth, cRow, i32.eqz(p), tile));
        f.increment(row, i32.mul(aRow, rowBlock));
        f.increment(target, i32.mul(cRow, rowBlock));
        f.increment(i, rowBlock);
      });
    };
    const pack = (): void => {
      f.emit(i32.store(scratch, turn));
      f.emit(i32.store(scratch, from, 4));
      f.emit(i32.store(scratch, bLanes, 8));
      f.if(
        bLanes,
        () => packing(f.call(viewColumns, b, word(bLanes, j), word(bDepths, p), bFill, panelB, columns, depth)),
        () => packing(f.call(packColumns, from, bColumn, bDepth, panelB, columns, depth)),
      );
    };
    const isSame = i32.and(i32.eq(i32.load(scratch, 4), from), i32.eq(i32.load(scratch, 8), bLanes));
    const isPacked = i32.and(whole, i32.and(i32.eq(i32.load(scratch), turn), isSame));
    const product = (): void => {
      f.set(j, i32.const(0));
      f.while(i32.ltS(j, n), () => {
        least(columns, i32.sub(n, j), i32.const(COLUMN_BLOCK));
        f.set(p, i32.const(0));
        f.while(i32.ltS(p, k), () => {
          least(depth, i32.sub(k, p), depthBlock);
          f.set(from, i32.add(b, i32.add(i32.mul(j, bColumn), i32.mul(p, bDepth))));
          f.if(i32.eqz(isPacked), pack);
          rowBlocks();
          f.increment(p, depthBlock);
        });
        f.increment(j, COLUMN_BLOCK);
      });
    };
    f.while(count, () => {
      f.if(k, product, zeros);
      f.increment(a, aNext);
      f.increment(b, bNext);
      f.increment(c, cNext);
      f.increment(count, -1);
    });
    f.emit(found);
  });
}
