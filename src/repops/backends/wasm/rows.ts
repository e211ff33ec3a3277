/** Rows of a table: chosen by an index, and added back in the order of the positions. */
import { pooledClamping } from "./clamping.ts";
import type { ConstantPool } from "./constants.ts";
import type { ModuleBuilder } from "./emitter.ts";
import { type Code, f32x4, i32, memory, v128, ValueType } from "./opcodes.ts";

const { i32: I32, v128: V128 } = ValueType;

export interface RowsExports {
  /**
   * target[i] = source[index[i]], or the fill bits. Returns the number of indices outside.
   * @param call address of `GATHER_WORDS`; `rowBytes` is 4 or more
   */
  gatherRows(call: number): number;
  /**
   * table[index[t]] += x[t] in the order of t, x in the sum range; the table is zeroed first. Nothing is read
   * after a row of x or written outside of the table's rows.
   * @param call address of `SCATTER_WORDS`: x's rows are `stride` bytes apart, and the table's `pitch`
   * @returns the bits of `NOTED`
   */
  scatterAdd(call: number): number;
}

/** The words of a call, in their order. Sizes are in bytes, counts in rows. */
export const GATHER_WORDS = ["source", "index", "target", "count", "rowBytes", "rows", "fill"] as const;
export const SCATTER_WORDS = ["x", "index", "table", "count", "rowBytes", "rows", "stride", "pitch"] as const;

export function defineRows(module: ModuleBuilder, pool: ConstantPool): void {
  module.function("gatherRows", [I32], [I32], (f, call) => {
    const [source, index, target, count, rowBytes, rows, fill] = GATHER_WORDS.map((_, i) =>
      f.local(I32, i32.load(call, 4 * i)),
    );
    const [outside, row, word] = [f.local(I32), f.local(I32), f.local(I32)];
    f.while(count, () => {
      f.set(row, i32.load(index));
      f.if(
        i32.ltU(row, rows),
        () => {
          const from = i32.add(source, i32.mul(row, rowBytes));
          f.if(
            i32.eq(rowBytes, i32.const(4)),
            () => f.emit(i32.store(target, i32.load(from))),
            () => f.emit(memory.copy(target, from, rowBytes)),
          );
        },
        () => {
          f.increment(outside, 1);
          f.set(word, i32.const(0));
          f.while(i32.ltU(word, rowBytes), () => {
            f.emit(i32.store(i32.add(target, word), fill));
            f.increment(word, 4);
          });
        },
      );
      f.increment(index, 4);
      f.increment(target, rowBytes);
      f.increment(count, -1);
    });
    f.emit(outside);
  });

  module.function("scatterAdd", [I32], [I32], (f, call) => {
    const [x, index, table, count, rowBytes, rows, stride, pitch] = SCATTER_WORDS.map((_, i) =>
      f.local(I32, i32.load(call, 4 * i)),
    );
    const clamping = pooledClamping(f, pool, "sum");
    const ranged = (vector: Code): Code => clamping.ranged(vector);
    const [row, at, from, to, whole] = Array.from({ length: 5 }, () => f.local(I32));
    const value = f.local(V128);
    f.set(whole, i32.and(rowBytes, i32.const(-16)));
    f.set(to, table);
    f.set(row, rows);
    f.while(row, () => {
      f.emit(memory.fill(to, i32.const(0), rowBytes));
      f.increment(to, pitch);
      f.increment(row, -1);
    });
    f.while(count, () => {
      f.set(row, i32.load(index));
      f.set(from, x);
      f.if(
        i32.ltU(row, rows),
        () => {
          f.set(to, i32.add(table, i32.mul(row, pitch)));
          f.set(at, i32.const(0));
          f.while(i32.ltU(at, whole), () => {
            f.set(value, f32x4.add(v128.load(to), ranged(v128.load(from))));
            f.emit(v128.store(to, value));
            f.increment(from, 16);
            f.increment(to, 16);
            f.increment(at, 16);
          });
          // The rest of the row lane by lane, so that nothing after it is written.
          f.while(i32.ltU(at, rowBytes), () => {
            f.set(value, f32x4.add(v128.splatLoad32(to), ranged(v128.splatLoad32(from))));
            f.emit(v128.storeLane32(to, value, 0));
            f.increment(from, 4);
            f.increment(to, 4);
            f.increment(at, 4);
          });
        },
        () => {
          // The definition reads the row, and adds 0.
          f.set(at, i32.const(0));
          f.while(i32.ltU(at, rowBytes), () => {
            f.set(value, ranged(v128.splatLoad32(from)));
            f.increment(from, 4);
            f.increment(at, 4);
          });
        },
      );
      f.increment(x, stride);
      f.increment(index, 4);
      f.increment(count, -1);
    });
    f.emit(clamping.found);
  });
}
