/**
 * Numbers that a caller sets: rates, shares, norms, counts. A setting is checked as it is written and as it
 * is computed with: rounded to binary32, 0.9999999999 is 1, and 1e-50 is 0.
 */
import { describe, type Refuse } from "../../errors/arguments.ts";
import { MAX_VALUE, MIN_VALUE } from "./vf32.ts";

/** The values that a setting may have. An end that is absent is that of the type. */
export interface Range {
  /** The least value. */
  least?: number;
  /** Every value is above this one. */
  above?: number;
  /** The greatest value. */
  most?: number;
  /** Every value is below this one. */
  below?: number;
}

/** Every number that vf32 holds. */
export const ANY: Range = {};
/** A share of something that is kept: [0, 1). */
export const SHARE: Range = { least: 0, below: 1 };
export const NOT_NEGATIVE: Range = { least: 0 };
export const POSITIVE: Range = { above: 0 };
/** What an i32 holds, and the same bits without a sign. */
export const INT32: Range = { least: -(2 ** 31), most: 2 ** 32 - 1 };

const holds = (value: number, { least, above, most, below }: Range): boolean =>
  !(value < (least ?? value) || value > (most ?? value)) &&
  (above === undefined || value > above) &&
  (below === undefined || value < below);

function rangeText({ least, above, most, below }: Range): string {
  const parts = [
    ...(least === undefined ? [] : [`at least ${least}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  return parts.join(" and ");
}

/**
 * A number that becomes a float constant. It is returned as it was written, because constants that depend on
 * it are rounded once; -0 is returned as 0.
 * @param name the setting's name in messages
 * @throws what `refuse` makes, for what is no number, outside of the range, or outside of it once it is
 * rounded to vf32
 */
export function floatSetting(name: string, value: unknown, range: Range, refuse: Refuse): number {
  const wanted = rangeText(range);
  const take = `take a number${wanted && ` ${wanted}`}`;
  if (typeof value !== "number" || Number.isNaN(value))
    throw refuse(`${name} is ${describe(value)}, not a number; ${take}`, { name, found: value });
  if (!holds(value, range)) throw refuse(`${name} is ${describe(value)}; ${take}`, { name, found: value });
  const rounded = Math.fround(value);
  if (Math.abs(rounded) > MAX_VALUE)
    throw refuse(
      value > 0
        ? `${name} is ${value}, above the greatest vf32, 2^127; take a smaller one`
        : `${name} is ${value}, below the least vf32, -2^127; take a greater one`,
      { name, found: value },
    );
  if (value !== 0 && Math.abs(rounded) < MIN_VALUE)
    throw refuse(
      `${name} is ${value}, which becomes 0: the least magnitude of a vf32 is 2^-125; take ${holds(0, range) ? "0 or " : ""}a larger one`,
      { name, found: value },
    );
  if (!holds(rounded, range))
    throw refuse(`${name} is ${value}, which becomes ${rounded} in binary32; ${take} there too`, {
      name,
      found: value,
      rounded,
    });
  return value === 0 ? 0 : value;
}

/**
 * A whole number, such as a count.
 * @param range its ends; by default from 1 to 2^31 - 1
 * @throws what `refuse` makes
 */
export function wholeSetting(name: string, value: unknown, range: Range, refuse: Refuse): number {
  const { least = 1, most = 2 ** 31 - 1 } = range;
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
    throw refuse(`${name} is ${describe(value)}; take a whole number from ${least} to ${most}`, {
      name,
      found: value,
    });
  return value === 0 ? 0 : value;
}
