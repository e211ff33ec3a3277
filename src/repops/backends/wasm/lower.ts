/**
 * Scalar programs as SIMD code: one lane for each element, and several vectors at once, so that the processor
 * always has independent work. Floats hold vf32 (or -0 for +0 where the analysis allows it); bools are masks
 * of ones.
 */
import { INSTRUCTIONS } from "../../programs/instructions.ts";
import { NOTED } from "../../kernels/kernel.ts";
import { layout, type Program, valueTypes } from "../../programs/program.ts";
import { analyze, analyzeFold, type Analysis, mayBeNegativeZero, type StepPlan } from "../../ranges/analysis.ts";
import { type Noting, notingOf } from "../../ranges/telling.ts";
import { type FloatRange, FULL_FLOAT, FULL_INT, type Range } from "../../ranges/values.ts";
import { bitsOf, MAX_VALUE, MIN_VALUE } from "../../numbers/vf32.ts";
import type { FunctionBuilder, Local } from "./emitter.ts";
import { type Constants, type Lowering, LOWERINGS, Site } from "./instructions.ts";
import { type Code, f32x4, i32x4, v128 } from "./opcodes.ts";

/**
 * The parts of `canon` that the plan asks for, around the value in `x`.
 * @param size the magnitude of x, if it is known
 */
function canonicalize(site: Site, x: Local, plan: StepPlan, range: FloatRange, size: Code = f32x4.abs(x)): Code {
  let value: Code = x;
  if (plan.flush) {
    const min = site.float(MIN_VALUE);
    const large =
      range.low >= 0 ? f32x4.ge(x, min) : range.high <= 0 ? f32x4.le(x, site.float(-MIN_VALUE)) : f32x4.ge(size, min);
    value = v128.and(x, large);
  }
  if (plan.saturateAbove) value = f32x4.pmin(value, site.float(MAX_VALUE));
  if (plan.saturateBelow) value = f32x4.pmax(value, site.float(-MAX_VALUE));
  return value;
}

/**
 * The computed values of a program: one vector for a value that all elements share, else one for each vector
 * of elements.
 */
export type Vectors = (readonly Code[] | undefined)[];

/** A program with its analysis, ready to be emitted in parts. */
export class Lowered {
  readonly program: Program;
  private readonly analysis: Analysis;
  private readonly noting: Noting | undefined;
  /** The program, and the instructions that tell. */
  private readonly all: Program;
  private readonly first: number;
  private readonly constantBits: (number | undefined)[];
  /** The instructions that only tell of saturated results. */
  private readonly late: ReadonlySet<number>;
  /** Where vectors have the magnitudes of the output, as far as they are known: after all values. */
  private readonly sizes: number;

  constructor(program: Program, noting: Noting | undefined, analysis: Analysis) {
    this.program = program;
    this.noting = noting;
    this.analysis = analysis;
    this.all = noting?.program ?? program;
    this.first = layout(this.all).steps;
    this.sizes = layout(this.all).count;
    this.constantBits = [...program.inputs.map(() => undefined), ...this.all.floats, ...this.all.ints];
    const early = new Set<number>();
    const need = (value: number): void => {
      const step = this.all.steps[value - this.first];
      if (step === undefined || early.has(value - this.first)) return;
      early.add(value - this.first);
      step.args.forEach(need);
    };
    need(noting?.output ?? this.first + this.all.steps.length - 1);
    for (const { value, bit } of noting?.flags ?? []) if (bit !== NOTED.saturated) need(value);
    this.late = new Set([...this.all.steps.keys()].filter((i) => !early.has(i)));
  }

  /** Values that so far hold only the program's constants. */
  begin(constants: Constants): Vectors {
    return this.constantBits.map((bits) => (bits === undefined ? undefined : [constants(bits)]));
  }

  /**
   * Emits every instruction that is not computed yet and whose operands are.
   * @param late also those that only tell of saturated results
   */
  emitReady(f: FunctionBuilder, constants: Constants, vectors: Vectors, late = false): void {
    this.all.steps.forEach(({ args }, i) => {
      if (this.late.has(i) && !late) return;
      if (vectors[this.first + i] === undefined && args.every((arg) => vectors[arg] !== undefined))
        vectors[this.first + i] = this.step(f, constants, vectors, i);
    });
  }

  private step(f: FunctionBuilder, constants: Constants, vectors: Vectors, index: number): readonly Code[] {
    const { name, args } = this.all.steps[index];
    const plan = this.analysis.steps[index];
    if (plan.copyOf !== undefined) return vectors[plan.copyOf]!;
    const ranges = args.map((arg) => this.analysis.values[arg]);
    const site = new Site(
      f,
      constants,
      ranges,
      args.map((arg) => this.constantBits[arg]),
    );
    const width = Math.max(...args.map((arg) => vectors[arg]!.length));
    const at = (arg: number, vector: number): Code => vectors[arg]![vectors[arg]!.length === 1 ? 0 : vector];
    const lower: Lowering = LOWERINGS[name];
    const each = (make: (vector: number) => Code): Local[] =>
      Array.from({ length: width }, (_, vector) => site.keep(make(vector)));
    const raw = each((vector) => {
      const operands = args.map((arg, j) => {
        const operand = at(arg, vector);
        return plan.fix.includes(j) ? site.keep(f32x4.add(operand, site.float(0))) : operand;
      });
      return lower(site, operands[0], operands[1], operands[2]);
    });
    const range = this.analysis.values[this.first + index] as FloatRange;
    if (INSTRUCTIONS[name].result !== "f" || !(plan.flush || plan.saturateAbove || plan.saturateBelow)) return raw;
    if (!this.tellsOfSaturation || this.first + index !== this.noting!.output)
      return each((vector) => canonicalize(site, raw[vector], plan, range));
    const sizes = range.low >= 0 ? raw : each((vector) => f32x4.abs(raw[vector]));
    vectors[this.sizes] = sizes;
    return each((vector) => canonicalize(site, raw[vector], plan, range, sizes[vector]));
  }

  /** The output, never -0. */
  output(constants: Constants, vectors: Vectors): readonly Code[] {
    const result = this.noting?.output ?? this.sizes - 1;
    const values = vectors[result]!;
    return mayBeNegativeZero(this.analysis, result) ? values.map((value) => f32x4.add(value, constants(0))) : values;
  }

  /** What its steps may note: the bits, and the values that are masks. */
  get notes(): readonly { bit: number; value: number }[] {
    return this.noting?.flags ?? [];
  }

  /** Whether its steps may note a saturated result. */
  get tellsOfSaturation(): boolean {
    return this.notes.some(({ bit }) => bit === NOTED.saturated);
  }

  /**
   * The greatest magnitude of the results of these vectors, in each lane; of those whose operands are in the
   * domain. It is that before `canon` where there is one, so it also has the bits of NaN.
   */
  greatest(vectors: Vectors): Code {
    const sizes = vectors[this.sizes] ?? vectors[this.noting!.output]!.map((value) => f32x4.abs(value));
    const domain = this.notes.find(({ bit }) => bit === NOTED.domain);
    const outside = domain && vectors[domain.value]!;
    const inside = (size: Code, vector: number): Code =>
      outside ? v128.andNot(size, outside[outside.length === 1 ? 0 : vector]) : size;
    return sizes.map(inside).reduce((all, size) => i32x4.maxS(all, size));
  }

  /**
   * Whether a result may be saturated, of those with these greatest magnitudes. That is seldom so, and only
   * then the instructions are worth their time that tell whether it is.
   */
  mayBeSaturated(greatest: Code, constants: Constants): Code {
    return v128.anyTrue(i32x4.gtS(greatest, constants(bitsOf(MAX_VALUE) - 1)));
  }
}

/**
 * @param start of a fold, whose accumulator is input 0
 * @param always applies all of `canon` after every float instruction, to which tests compare the analysis; by
 *   default the parts are omitted that are proven to change nothing
 */
export function lower(
  program: Program,
  inputs: readonly (Range | undefined)[],
  start?: number,
  always = false,
): Lowered {
  const noting = notingOf({ program, inputs, ...(start !== undefined && { start }) });
  const all = noting?.program ?? program;
  if (always) return new Lowered(program, noting, unanalyzed(all));
  const analysis = start === undefined ? analyze(all, inputs) : analyzeFold(program, start, inputs, all);
  return new Lowered(program, noting, analysis);
}

function unanalyzed(program: Program): Analysis {
  const values = valueTypes(program).map((type): Range => {
    if (type === "b") return { canBeTrue: true, canBeFalse: true };
    return type === "f" ? FULL_FLOAT : FULL_INT;
  });
  const steps = program.steps.map((): StepPlan => ({ flush: true, saturateAbove: true, saturateBelow: true, fix: [] }));
  return { values, steps, negativeZero: false };
}
