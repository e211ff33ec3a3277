/** The update of one parameter while it is added to the step graph. */
import type { Shape, TensorType } from "../../encoding/tensor.ts";
import { map } from "../../graph/emit.ts";
import { broadcastTo } from "../../graph/ops/sum.ts";
import type { Value } from "../../graph/value.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import type { Program } from "../../repops/programs/program.ts";
import type { Context, Parameter } from "../context.ts";
import { counted } from "../counter.ts";
import { type Initializer, zeros } from "../initializers.ts";
import type { Schedule } from "./schedule.ts";

const SCALED = defineProgram("ff", (x, scale) => x.mul(scale));
const RECIPROCAL = defineProgram("f", (x) => float(1).div(x));
const SCALAR: TensorType = { dtype: "f32", shape: [] };

/** Scalars that the updates of all parameters of a step graph share. */
export class Shared {
  readonly context: Context;
  private readonly made = new Map<unknown, Value>();

  constructor(context: Context) {
    this.context = context;
  }

  /** What `make` gives the first time that it is wanted under this key. */
  once(key: unknown, make: () => Value): Value {
    let value = this.made.get(key);
    if (!value) this.made.set(key, (value = make()));
    return value;
  }

  /** The present rate of a schedule. */
  rate(schedule: Schedule): Value {
    return this.once(schedule, () => schedule(this.context));
  }

  /** A map over scalars. */
  scalar(program: Program, operands: readonly Value[], name: string): Value {
    return map(program, operands, { name, shape: [], builder: this.context.builder });
  }

  /**
   * A scalar of the state, `optimizer/NAME`, whose next value a program computes from itself and operands.
   */
  running(name: string, program: Program, operands: readonly Value[] = [], init: Initializer = zeros): Value {
    const before = this.context.state(`optimizer/${name}`, SCALAR, init);
    const next = this.scalar(program, [before, ...operands], name.replaceAll("/", "-"));
    this.context.update(before, next);
    return next;
  }

  /** How many training steps this optimizer has made with the present one: an i32 scalar. */
  get updates(): Value {
    return this.once("updates", () => counted(this.context, "optimizer/updates").now);
  }

  /**
   * 1/(1 - β^t), which corrects a running mean that began at 0. 1 - β^t is such a mean itself, of ones, so
   * the rounding of β and of 1 - β is in both, and no power is computed.
   */
  correction(beta: number): Value {
    return this.once(`correction ${beta}`, () => {
      const total = this.running(
        `total-weight/${beta}`,
        defineProgram("f", (sum) => sum.mul(beta).add(1 - beta)),
      );
      return this.scalar(RECIPROCAL, [total], `correction-${beta}`);
    });
  }
}

/** What a rule reads and makes for one parameter. */
export class Update {
  readonly shared: Shared;
  readonly parameter: Parameter;
  /** The gradient has yet to be multiplied by `scale`. */
  readonly gradient: Value;
  /** An f32 scalar. */
  readonly scale: Value;
  /** The learning rate: an f32 scalar. */
  readonly rate: Value;

  constructor(shared: Shared, parameter: Parameter, gradient: Value, scale: Value, rate: Value) {
    this.shared = shared;
    this.parameter = parameter;
    this.gradient = gradient;
    this.scale = scale;
    this.rate = rate;
  }

  get value(): Value {
    return this.parameter.value;
  }

  get context(): Context {
    return this.shared.context;
  }

  /** The same update at another rate. */
  at(rate: Value): Update {
    return new Update(this.shared, this.parameter, this.gradient, this.scale, rate);
  }

  /** A map over a shape, by default the parameter's; operands are broadcast to it. */
  map(program: Program, operands: readonly Value[], name: string, shape: Shape = this.value.shape): Value {
    return map(
      program,
      operands.map((operand) => broadcastTo(operand, shape)),
      { name, shape },
    );
  }

  /** The rate over the sum of the weights of a running mean: the size of a step along that mean. */
  size(beta: number): Value {
    const { rate, shared } = this;
    return shared.scalar(SCALED, [rate, shared.correction(beta)], "size");
  }

  /** The gradient times `scale`, as a tensor. */
  scaled(): Value {
    return this.map(SCALED, [this.gradient, this.scale], "gradient");
  }

  /** An entry `optimizer/WHICH/NAME` of the state, initially zeros, of the parameter's type by default. */
  state(which: string, type: TensorType = this.value): Value {
    return this.context.state(`optimizer/${which}/${this.parameter.name}`, type, zeros);
  }

  /** A map whose result is the next value of an entry of the state. */
  advance(entry: Value, program: Program, operands: readonly Value[], name: string): Value {
    const next = this.map(program, operands, name, entry.shape);
    this.context.update(entry, next);
    return next;
  }
}
