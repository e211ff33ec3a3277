/** Brings vectors into a clamp range (spec 4.3), and notes what that changes. */
import { NOTED, RANGE_EXPONENT } from "../../kernels/kernel.ts";
import { bitsOf } from "../../numbers/vf32.ts";
import type { ConstantPool } from "./constants.ts";
import type { FunctionBuilder, Local } from "./emitter.ts";
import { type Code, f32x4, i32, i32x4, v128, ValueType } from "./opcodes.ts";

const { v128: V128 } = ValueType;

export class Clamping {
  private readonly f: FunctionBuilder;
  private readonly least: Code;
  private readonly high: Code;
  private readonly low: Code;
  private readonly x: Local;
  private readonly size: Local;
  private readonly isLarge: Local;
  /** Of each lane: the bits of the largest magnitude, and all bits of what became 0. */
  private readonly most: Local;
  private readonly lost: Local;

  /** @param constant gives a constant in all lanes */
  constructor(f: FunctionBuilder, constant: (bits: number) => Code, range: "dot" | "sum") {
    const limit = 2 ** RANGE_EXPONENT[range];
    this.f = f;
    [this.least, this.high, this.low] = [1 / limit, limit, -limit].map((value) => constant(bitsOf(value)));
    [this.x, this.size, this.isLarge, this.most, this.lost] = Array.from({ length: 5 }, () => f.local(V128));
  }

  /** x, or 0 below the range, or its end with the sign of x. */
  ranged(value: Code): Code {
    const { f, least, high, low, x, size, isLarge, most, lost } = this;
    f.set(x, value);
    f.set(size, f32x4.abs(x));
    f.set(isLarge, f32x4.ge(size, least));
    f.set(most, i32x4.maxS(most, size));
    f.set(lost, v128.or(lost, v128.andNot(x, isLarge)));
    return v128.and(f32x4.pmin(f32x4.pmax(x, low), high), isLarge);
  }

  /** The bits of `NOTED` for all that was brought into the range. */
  get found(): Code {
    const above = v128.anyTrue(i32x4.gtS(this.most, this.high));
    const below = i32.mul(v128.anyTrue(this.lost), i32.const(NOTED.below));
    return i32.or(i32.mul(above, i32.const(NOTED.above)), below);
  }
}

/** For a function whose constants lie in memory. */
export function pooledClamping(f: FunctionBuilder, pool: ConstantPool, range: "dot" | "sum"): Clamping {
  const constant = (bits: number): Local => f.local(V128, v128.splatLoad32(i32.const(pool.address(bits))));
  return new Clamping(f, constant, range);
}

/** The first lanes of a vector, as many as a local says, and +0 in the others. */
export function firstLanes(value: Code, count: Code): Code {
  return v128.and(value, i32x4.gtS(i32x4.splat(count), v128.const32([0, 1, 2, 3])));
}
