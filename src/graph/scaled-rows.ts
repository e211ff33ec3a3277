/** Rows that are scaled by a power of two before they are squared. */
import { SUM_STEP } from "../repops/kernels/kernel.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import { map } from "./emit.ts";
import { broadcastTo } from "./ops/sum.ts";
import type { Reduced } from "./reduction.ts";
import { foldAxes } from "./rows.ts";
import type { Value } from "./value.ts";

const GREATEST_MAGNITUDE = defineProgram("ff", (acc, x) => acc.max(x));
const MAGNITUDE = defineProgram("f", (x) => x.abs());
/** x · 2^-e, for the exponent e of the row's greatest magnitude. Exact unless it is below 2^-125. */
const SCALED = defineProgram("ff", (x, top) => x.ldexp(top.exponent().mul(-1)));

/** Rows of elements that become one, scaled by a power of two so that the greatest magnitude is in [1, 2). */
export interface ScaledRows {
  readonly reduced: Reduced;
  /** Over the shape of x. */
  readonly scaled: Value;
  /** The greatest magnitude of each row. */
  readonly top: Value;
  /** A result of each row, over the shape of x. */
  spread(value: Value): Value;
  /** Σ over the axes. */
  sum(value: Value, label: string): Value;
}

/** Scales what a reduction reads, so that squares neither saturate nor vanish. */
export function scaledRows(x: Value, reduced: Reduced): ScaledRows {
  const { name, axes, widen } = reduced;
  const spread = (value: Value): Value => broadcastTo(widen(value), x.shape);
  const magnitudes = map(MAGNITUDE, [x], { name: `${name}-magnitudes`, shape: x.shape });
  const greatest = { step: GREATEST_MAGNITUDE, start: 0, clampRange: "none", name: `${name}-top` } as const;
  const top = foldAxes(magnitudes, axes, greatest);
  const scaled = map(SCALED, [x, spread(top)], { name: `${name}-scaled`, shape: x.shape });
  const sum = (value: Value, label: string): Value =>
    foldAxes(value, axes, { step: SUM_STEP, start: 0, clampRange: "sum", name: `${name}-${label}` });
  return { reduced, scaled, top, spread, sum };
}
