/**
 * Panels of a matrix product's operands: `width` contiguous lanes for each depth, so that the inner loop
 * reads memory in order. Operands are clamped to the dot range here, once for each element (spec 4.3), and
 * not in the inner loop.
 */
import { firstLanes, pooledClamping } from "./clamping.ts";
import type { ConstantPool } from "./constants.ts";
import type { FunctionBuilder, Local, ModuleBuilder } from "./emitter.ts";
import { type Code, i32, v128, ValueType } from "./opcodes.ts";

const { i32: I32, v128: V128 } = ValueType;

/**
 * Adds a function of (source, laneStride, depthStride, target, lanes, depth), strides in bytes. Panel p holds
 * lanes p·width …; element (lane, k) of it stands at word k·width + lane. Lanes that do not exist repeat the
 * last one: results that are computed from them are discarded. Up to 12 bytes after the last panel are
 * overwritten. It returns the bits of `NOTED`.
 */
export function definePacking(module: ModuleBuilder, pool: ConstantPool, width: number): FunctionBuilder {
  const groups = Math.ceil(width / 4);
  return module.function(
    undefined,
    [I32, I32, I32, I32, I32, I32],
    [I32],
    (f, source, laneStride, depthStride, target, lanes, depth) => {
      const clamping = pooledClamping(f, pool, "dot");
      const ranged = (vector: Code): Code => clamping.ranged(vector);
      const k = f.local(I32);
      const valid = f.local(I32);
      const whole = f.local(I32);
      const pointers = Array.from({ length: 4 * groups }, () => f.local(I32));
      const rows = [0, 1, 2, 3].map(() => f.local(V128));
      const pairs = [0, 1, 2, 3].map(() => f.local(V128));
      const stride = 4 * width;

      const laneLoads = (): void => {
        for (let group = 0; group < groups; group++) {
          const vector = [0, 1, 2, 3].reduce<Code>(
            (code, lane) => v128.loadLane32(pointers[4 * group + lane], code, lane),
            rows[0],
          );
          f.emit(v128.store(target, ranged(vector), 16 * group));
        }
        for (const pointer of pointers) f.increment(pointer, depthStride);
        f.increment(target, stride);
        f.increment(k, 1);
      };
      const contiguousLanes = (): void => {
        for (let group = 0; group < groups; group++) {
          const vector = v128.load(pointers[0], 16 * group);
          const lanes = Math.min(4, width - 4 * group);
          f.emit(v128.store(target, ranged(lanes < 4 ? firstLanes(vector, i32.const(lanes)) : vector), 16 * group));
        }
        f.increment(pointers[0], depthStride);
        f.increment(target, stride);
        f.increment(k, 1);
      };
      /** Transposes four depths of four lanes at a time in registers. */
      const transposed = (): void => {
        const columns: Local[][] = [];
        for (let group = 0; group < groups; group++) {
          for (let lane = 0; lane < 4; lane++) f.set(rows[lane], v128.load(pointers[4 * group + lane]));
          f.set(pairs[0], v128.shuffle32(rows[0], rows[1], [0, 4, 1, 5]));
          f.set(pairs[1], v128.shuffle32(rows[2], rows[3], [0, 4, 1, 5]));
          f.set(pairs[2], v128.shuffle32(rows[0], rows[1], [2, 6, 3, 7]));
          f.set(pairs[3], v128.shuffle32(rows[2], rows[3], [2, 6, 3, 7]));
          const halves = [
            [0, 1, [0, 1, 4, 5]],
            [0, 1, [2, 3, 6, 7]],
            [2, 3, [0, 1, 4, 5]],
            [2, 3, [2, 3, 6, 7]],
          ] as const;
          columns.push(
            halves.map(([a, b, order]) => f.local(V128, ranged(v128.shuffle32(pairs[a], pairs[b], [...order])))),
          );
        }
        // In the order of depth, because a store of a narrow panel reaches into the next depth, which is
        // written after it.
        for (let step = 0; step < 4; step++)
          for (let group = 0; group < groups; group++)
            f.emit(v128.store(target, columns[group][step], stride * step + 16 * group));
        for (const pointer of pointers) f.increment(pointer, 16);
        f.increment(target, 4 * stride);
        f.increment(k, 4);
      };

      f.while(i32.gtS(lanes, i32.const(0)), () => {
        f.set(k, i32.const(0));
        f.set(valid, i32.const(width));
        f.if(i32.ltS(lanes, valid), () => f.set(valid, lanes));
        pointers.forEach((pointer, lane) => {
          if (lane === 0) f.set(pointer, source);
          else {
            f.set(pointer, pointers[lane - 1]);
            if (lane < width) f.if(i32.gtS(valid, i32.const(lane)), () => f.increment(pointer, laneStride));
          }
        });
        f.if(
          i32.eq(depthStride, i32.const(4)),
          () => {
            f.set(whole, i32.and(depth, i32.const(-4)));
            f.while(i32.ltS(k, whole), transposed);
          },
          () => {
            f.if(i32.and(i32.eq(laneStride, i32.const(4)), i32.eq(valid, i32.const(width))), () =>
              f.while(i32.ltS(k, depth), contiguousLanes),
            );
          },
        );
        f.while(i32.ltS(k, depth), laneLoads);
        f.increment(source, i32.mul(laneStride, i32.const(width)));
        f.increment(lanes, -width);
      });
      f.emit(clamping.found);
    },
  );
}
