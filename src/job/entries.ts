/** The entries of a job's state while its graphs are built: their types, initial values and next values. */
import { formatType, type TensorType } from "../encoding/tensor.ts";
import { describe } from "../errors/arguments.ts";
import { JobError } from "../errors/index.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { dense } from "../graph/dense.ts";
import { map } from "../graph/emit.ts";
import { fillInt } from "../graph/fill.ts";
import type { Graph } from "../graph/graph.ts";
import { broadcastTo } from "../graph/ops/sum.ts";
import type { RandomSource } from "../graph/random.ts";
import { builderOf, type Value } from "../graph/value.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import { METRIC_PREFIX } from "./closed.ts";
import type { Initializer } from "./initializers.ts";
import { settingError } from "./settings.ts";

/** An entry of the state. */
export interface StateEntry {
  name: string;
  type: TensorType;
  init: Initializer;
  /** Its value before the training step. */
  value: Value;
  /** Its value after the training step, once it is known. */
  next?: Value;
  parameter: boolean;
  /** A parameter that is not trained. */
  frozen: boolean;
}

/** The first number of the init graph's random streams, so that they differ from those of the step graph. */
const FIRST_INIT_PURPOSE = 2 ** 20;
const HOLD = {
  f32: defineProgram("fff", (held, before, next) => held.eq(0).select(next, before)),
  i32: defineProgram("fii", (held, before, next) => held.eq(0).selectInt(next, before)),
} as const;

export class Entries {
  readonly list: StateEntry[] = [];
  private readonly builder: GraphBuilder;
  private hold: { where: Value; except: readonly Value[] } | undefined;

  constructor(builder: GraphBuilder) {
    this.builder = builder;
  }

  find(name: string): StateEntry | undefined {
    return this.list.find((entry) => entry.name === name);
  }

  /**
   * @param most what the entry is made of, without its value
   * @throws {JobError} when the name is taken, or the initializer is no function
   */
  add(most: Omit<StateEntry, "value" | "next">): Value {
    const { name, type, init } = most;
    if (this.find(name))
      throw new JobError("STATE", `two entries of the state are called ${name}; give their layers different scopes`, {
        name,
      });
    if (typeof init !== "function")
      throw settingError(name, `its initializer is ${describe(init)}; pass one, such as zeros or normal(0.02)`);
    const value = this.builder.input(name, type);
    this.list.push({ ...most, type: { dtype: type.dtype, shape: [...type.shape] }, value });
    return value;
  }

  /** The entry whose value before the training step this is. */
  of(value: Value): StateEntry | undefined {
    return this.list.find((entry) => entry.value.source === value.source);
  }

  /**
   * The value of an entry that is used once more.
   * @throws {JobError} when there is none, or it has another type
   */
  again(name: string, type: TensorType, parameter: boolean): Value {
    const known = this.find(name);
    if (!known) {
      const what = parameter ? "parameter" : "entry of the state";
      const problem = `there is no ${what} ${name} that could be used once more; use the model for training first`;
      throw new JobError("STATE", problem, { name });
    }
    if (formatType(known.type) !== formatType(type) || known.parameter !== parameter)
      throw new JobError(
        "STATE",
        `${name} is ${formatType(known.type)}, and is to be used once more as ${formatType(type)}; use it with its own sizes`,
        { name },
      );
    return known.value;
  }

  /** @throws {JobError} when `state` is not an entry of the state, or the types differ */
  setNext(state: Value, next: Value): void {
    const entry = this.of(state);
    if (!entry)
      throw new JobError(
        "STATE",
        "update() takes only values that parameter() or state() returned; this is another value",
      );
    if (next.dtype !== entry.type.dtype || next.shape.join() !== entry.type.shape.join())
      throw new JobError(
        "STATE",
        `${entry.name} is ${entry.value} and can't become ${next}; update it with a value of its type`,
        { name: entry.name },
      );
    entry.next = dense(next, entry.name);
  }

  /**
   * Where an f32 scalar is not 0, the state keeps its values in this training step: all entries but the
   * number of the step, the metrics, and the given ones.
   */
  holdWhere(where: Value, except: readonly Value[]): void {
    this.hold = { where, except: [...except, this.find("step")!.value] };
  }

  /** Parameters first, then the other entries of the state, both in the order of declaration. */
  private ordered(): StateEntry[] {
    return [...this.list].sort((a, b) => Number(b.parameter) - Number(a.parameter));
  }

  /** The entries as outputs of the step graph. */
  stepOutputs(): { name: string; value: Value }[] {
    return this.ordered().map(({ name, value, next = value }) => ({ name, value: this.held(name, value, next) }));
  }

  private held(name: string, value: Value, next: Value): Value {
    const { where, except } = this.hold ?? {};
    if (!where || next.source === value.source || name.startsWith(METRIC_PREFIX)) return next;
    if (except?.some(({ source }) => source === value.source)) return next;
    const { shape, dtype } = value;
    return this.builder.scope("held", () =>
      map(HOLD[dtype], [broadcastTo(where, shape), value, next], { name, shape }),
    );
  }

  /**
   * The graph of the initial state. It has no inputs; its outputs are the state.
   * @throws {JobError} when an initializer gives another type or shape than its entry has
   */
  initGraph(jobSeed: number): Graph {
    const builder = new GraphBuilder(FIRST_INIT_PURPOSE);
    const seed = fillInt(builder, [], jobSeed, "seed");
    const source: RandomSource = { seed, step: fillInt(builder, [], 0, "step") };
    const outputs = this.ordered().map(({ name, type, init }) => {
      const value = builder.scope(name, () => {
        const made: unknown = init(source, type.shape);
        builderOf(`the initializer of ${name}`, { "its result": made, "the seed": seed });
        return dense(made as Value);
      });
      if (value.dtype !== type.dtype || value.shape.join() !== type.shape.join())
        throw new JobError(
          "STATE",
          `the initializer of ${name} gives ${value}, but it has to give ${formatType(type)}`,
          {
            name,
          },
        );
      return { name, value };
    });
    return builder.finish(outputs);
  }
}
