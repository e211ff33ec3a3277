/** Blocks of matrix products, from packed operands: register tiles, in the order of k. */
import type { FunctionBuilder, Local, ModuleBuilder } from "./emitter.ts";
import { f32x4, i32, v128, ValueType } from "./opcodes.ts";

const { i32: I32, v128: V128 } = ValueType;

/**
 * The register tile: 5 rows of 2 vectors leave three of the 15 registers that the engine has for operands.
 */
export const ROWS = 5;
export const COLUMNS = 8;
const VECTORS = COLUMNS / 4;
const UNROLL = 8;
/**
 * Adds a function of (a, b, c, rows, columns, depth, rowBytes, first, scratch): C of one block, from packed
 * panels of `ROWS` rows and of `COLUMNS` columns. It adds to C unless `first`; `scratch` has the place of a
 * tile.
 */
export function defineBlocks(module: ModuleBuilder): FunctionBuilder {
  const tile = defineTile(module);
  const copy = defineCopy(module);
  const parameters = [I32, I32, I32, I32, I32, I32, I32, I32, I32];
  return module.function(undefined, parameters, [], (f, a, b, c, rows, columns, depth, rowBytes, first, scratch) => {
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
