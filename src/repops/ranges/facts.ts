/**
 * What a condition says about the values that it compares. In `select(|x| < K, 0, x)` the second arm is taken
 * only where
 * |x| ≥ K, so x is neither small nor zero there.
 */
import { layout, type Program, type Step } from "../programs/program.ts";
import { type BoolRange, type FloatRange, type IntRange, normalize, type Range } from "./values.ts";

/** A bound that holds for a value wherever the condition has a certain outcome. */
interface Fact {
  value: number;
  low?: number;
  high?: number;
  /** The bounds themselves are excluded. */
  strict?: boolean;
  /** For floats: bounds of the magnitude. */
  least?: number;
  most?: number;
  nonzero?: boolean;
}

/** Follows conditions through a program. */
class Conditions {
  private readonly program: Program;
  private readonly values: readonly Range[];
  private readonly first: number;

  constructor(program: Program, values: readonly Range[]) {
    this.program = program;
    this.values = values;
    this.first = layout(program).steps;
  }

  private step(value: number): Step | undefined {
    return this.program.steps[value - this.first];
  }

  /** The facts that hold where `condition` is `outcome`. */
  facts(condition: number, outcome: boolean): Fact[] {
    const step = this.step(condition);
    if (!step) return [];
    const [p, q] = step.args;
    const [a, b] = [this.values[p] as IntRange, this.values[q] as IntRange];
    switch (step.name) {
      case "bnot":
        return this.facts(p, !outcome);
      case "band":
        return outcome ? [...this.facts(p, true), ...this.facts(q, true)] : [];
      case "bor":
        return outcome ? [] : [...this.facts(p, false), ...this.facts(q, false)];
      case "flt":
        return (
          outcome
            ? [
                { value: p, high: b.high, strict: true },
                { value: q, low: a.low, strict: true },
              ]
            : [
                { value: p, low: b.low },
                { value: q, high: a.high },
              ]
        ).flatMap((fact) => this.ofMagnitude(fact));
      case "feq":
        return this.equalFloats(p, q, outcome).flatMap((fact) => this.ofMagnitude(fact));
      case "ilt":
        return outcome
          ? [
              { value: p, high: b.high - 1 },
              { value: q, low: a.low + 1 },
            ]
          : [
              { value: p, low: b.low },
              { value: q, high: a.high },
            ];
      case "ult":
        return outcome && b.low >= 0 ? [{ value: p, low: 0, high: b.high - 1 }] : [];
      case "ieq":
        return outcome
          ? [
              { value: p, low: b.low, high: b.high },
              { value: q, low: a.low, high: a.high },
            ]
          : [];
      default:
        return [];
    }
  }

  private equalFloats(p: number, q: number, outcome: boolean): Fact[] {
    const [a, b] = [this.values[p] as FloatRange, this.values[q] as FloatRange];
    if (outcome)
      return [
        { value: p, low: b.low, high: b.high },
        { value: q, low: a.low, high: a.high },
      ];
    const facts: Fact[] = [];
    if (b.least === Infinity) facts.push({ value: p, nonzero: true });
    if (a.least === Infinity) facts.push({ value: q, nonzero: true });
    return facts;
  }

  /** A fact about |x| is a fact about x too. */
  private ofMagnitude(fact: Fact): Fact[] {
    const step = this.step(fact.value);
    if (step?.name !== "fabs") return [fact];
    const { low, high, strict, nonzero } = fact;
    return [fact, { value: step.args[0], least: low, most: high, strict, nonzero }];
  }
}

/** The range of `value` narrowed by the facts about it; `undefined` when no value is left. */
function narrow(range: Range, value: number, facts: readonly Fact[]): Range | undefined {
  let result: Range | undefined = range;
  for (const fact of facts)
    if (fact.value === value && result)
      result = "least" in result ? narrowFloat(result, fact) : narrowInt(result as IntRange, fact);
  return result;
}

function narrowInt(range: IntRange, fact: Fact): IntRange | undefined {
  const low = Math.max(range.low, fact.low ?? range.low);
  const high = Math.min(range.high, fact.high ?? range.high);
  return low <= high ? { low, high } : undefined;
}

function narrowFloat(range: FloatRange, fact: Fact): FloatRange | undefined {
  const { strict = false, least = 0, most = Infinity } = fact;
  if (most < 0 || (strict && most === 0)) return undefined;
  const excludesZero = fact.nonzero || least > 0 || (strict && (fact.low === 0 || fact.high === 0 || fact.least === 0));
  const zero = range.zero && !excludesZero;
  // Below the smallest magnitude only 0 is left.
  const onlyZero = strict ? range.least >= most : range.least > most;
  return normalize({
    low: onlyZero ? 0 : Math.max(range.low, fact.low ?? -Infinity, -most),
    high: onlyZero ? 0 : Math.min(range.high, fact.high ?? Infinity, most),
    least: Math.max(range.least, least),
    quantum: range.quantum,
    zero,
    negativeZero: range.negativeZero && zero,
  });
}

const isPoint = (range: Range | undefined): boolean =>
  range !== undefined && "low" in range && range.low === range.high;

/**
 * The range of each arm of a select where that arm is taken, and the arm that always equals the select, if
 * there is one.
 * @param select the value number of an `fsel` or `isel`
 */
export function narrowArms(
  program: Program,
  values: readonly Range[],
  select: number,
): { ranges: [Range, Range]; copyOf?: number } {
  const conditions = new Conditions(program, values);
  const [condition, x, y] = program.steps[select - layout(program).steps].args;
  const { canBeTrue, canBeFalse } = values[condition] as BoolRange;
  const whenTrue = conditions.facts(condition, true);
  const whenFalse = conditions.facts(condition, false);
  const taken = canBeTrue ? narrow(values[x], x, whenTrue) : undefined;
  const other = canBeFalse ? narrow(values[y], y, whenFalse) : undefined;
  const ranges: [Range, Range] = [taken ?? other ?? values[x], other ?? taken ?? values[y]];
  if (x === y || (!other && taken)) return { ranges, copyOf: x };
  if (!taken && other) return { ranges, copyOf: y };
  // Where the condition holds, the other arm would be the same number.
  const same = (a: Range | undefined, b: Range | undefined): boolean =>
    isPoint(a) && isPoint(b) && (a as IntRange).low === (b as IntRange).low;
  if (same(taken, narrow(values[y], y, whenTrue))) return { ranges, copyOf: y };
  if (same(other, narrow(values[x], x, whenFalse))) return { ranges, copyOf: x };
  return { ranges };
}
