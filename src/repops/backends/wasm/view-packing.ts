/**
 * Panels of operands that are no plain matrices: offsets of lanes and of depths come from tables (views.ts).
 */
import { firstLanes, pooledClamping } from "./clamping.ts";
import type { ConstantPool } from "./constants.ts";
import type { FunctionBuilder, ModuleBuilder } from "./emitter.ts";
import { type Code, i32, v128, ValueType } from "./opcodes.ts";
import { NOWHERE } from "./views.ts";

const { i32: I32, v128: V128 } = ValueType;

/**
 * Adds a function of (source, laneOffsets, depthOffsets, fill, target, lanes, depth): as `definePacking`, for
 * elements at source + laneOffset + depthOffset. Where one of the two is NOWHERE, the value at the address
 * `fill` stands for the element; with `fill` 0 none is. Lanes that do not exist repeat the first one. It
 * returns the bits of `NOTED`.
 */
export function defineViewPacking(module: ModuleBuilder, pool: ConstantPool, width: number): FunctionBuilder {
  const groups = Math.ceil(width / 4);
  const parameters = Array<ValueType>(7).fill(I32);
  return module.function(
    undefined,
    parameters,
    [I32],
    (f, source, laneOffsets, depthOffsets, fill, target, lanes, depth) => {
      const clamping = pooledClamping(f, pool, "dot");
      const ranged = (x: Code): Code => clamping.ranged(x);
      const [valid, inLine, offset, base, address, at, end] = Array.from({ length: 7 }, () => f.local(I32));
      const offsets = Array.from({ length: 4 * groups }, () => f.local(I32));
      const vector = f.local(V128);

      const eachDepth = (load: (group: number) => Code): void => {
        f.set(at, depthOffsets);
        f.while(i32.ltU(at, end), () => {
          f.set(offset, i32.load(at));
          f.set(base, i32.add(source, offset));
          for (let group = 0; group < groups; group++) f.emit(v128.store(target, ranged(load(group)), 16 * group));
          f.increment(target, 4 * width);
          f.increment(at, 4);
        });
      };
      /** Four lanes from four addresses. */
      const gathered = (group: number, addressOf: (lane: number) => Code): Code => {
        for (let lane = 0; lane < 4; lane++) f.set(vector, v128.loadLane32(addressOf(4 * group + lane), vector, lane));
        return vector;
      };
      /** Four lanes from one address; those after the panel's width belong to nobody. */
      const inRow = (group: number): Code => {
        const four = v128.load(i32.add(base, offsets[0]), 16 * group);
        const own = width - 4 * group;
        return own < 4 ? firstLanes(four, i32.const(own)) : four;
      };
      const isNowhere = (x: Code): Code => i32.eq(x, i32.const(NOWHERE));
      const bounded = (lane: number): Code => {
        f.set(address, i32.add(base, offsets[lane]));
        f.if(i32.or(isNowhere(offset), isNowhere(offsets[lane])), () => f.set(address, fill));
        return address;
      };

      f.set(end, i32.add(depthOffsets, i32.shl(depth, i32.const(2))));
      f.while(i32.gtS(lanes, i32.const(0)), () => {
        f.set(valid, i32.const(width));
        f.if(i32.ltS(lanes, valid), () => f.set(valid, lanes));
        f.set(inLine, i32.and(i32.eq(valid, i32.const(width)), i32.eqz(fill)));
        offsets.forEach((own, lane) => {
          f.set(own, lane === 0 ? i32.load(laneOffsets) : offsets[0]);
          if (lane === 0 || lane >= width) return;
          f.if(i32.gtS(valid, i32.const(lane)), () => f.set(own, i32.load(laneOffsets, 4 * lane)));
          f.set(inLine, i32.and(inLine, i32.eq(own, i32.add(offsets[0], i32.const(4 * lane)))));
        });
        f.if(
          fill,
          () => eachDepth((group) => gathered(group, bounded)),
          () =>
            f.if(
              inLine,
              () => eachDepth((group) => inRow(group)),
              () => eachDepth((group) => gathered(group, (lane) => i32.add(base, offsets[lane]))),
            ),
        );
        f.increment(laneOffsets, 4 * width);
        f.increment(lanes, -width);
      });
      f.emit(clamping.found);
    },
  );
}
