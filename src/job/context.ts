/** What a model sees while its step is built: its data, its parameters and other state, its random numbers. */
import type { Shape, TensorType } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { map } from "../graph/emit.ts";
import type { Graph } from "../graph/graph.ts";
import type { RandomSource } from "../graph/ops/random.ts";
import { fillInt } from "../graph/ops/fill.ts";
import type { Value } from "../graph/value.ts";
import { dense } from "../graph/ops/views.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import { DATA_PREFIX, METRIC_PREFIX, type NamedTensor } from "./closed.ts";
import { type Initializer, zeros } from "./initializers.ts";

interface StateEntry {
  name: string;
  type: TensorType;
  init: Initializer;
  /** Its value before the step. */
  value: Value;
  /** Its value after the step, once it is known. */
  next?: Value;
  parameter: boolean;
}

/** A trained tensor of the state. */
export interface Parameter {
  name: string;
  value: Value;
}

const INCREMENT = defineProgram("i", (step) => step.add(1));
/** Random streams of the init graph are numbered from here, so that they differ from those of the steps. */
const FIRST_INIT_PURPOSE = 2 ** 20;

/**
 * What a model sees while its step is built.
 * @typeParam Data the dataset's values by name: with names that are known, a misspelt one does not compile
 */
export class Context<Data extends Record<string, Value> = Record<string, Value>> {
  readonly builder = new GraphBuilder();
  /** The dataset's tensors by name. */
  readonly data: Readonly<Data>;
  /** The number of the step that is taken, an i32 scalar counted from 1. */
  readonly step: Value;
  readonly random: RandomSource;
  private readonly entries: StateEntry[] = [];
  private readonly dataNames: string[] = [];
  private readonly seed: number;

  constructor(dataset: readonly NamedTensor[], seed: number) {
    this.seed = seed;
    const inputs = dataset.map((tensor): [string, Value] => {
      this.dataNames.push(tensor.name);
      return [tensor.name.slice(DATA_PREFIX.length), this.builder.input(tensor.name, tensor)];
    });
    this.data = Object.fromEntries(inputs) as Data;
    const scalar: TensorType = { dtype: "i32", shape: [] };
    const seedValue = this.state("rng/seed", scalar, (source) => source.seed);
    const taken = this.state("step", scalar, (source) => source.step);
    this.step = map(INCREMENT, [taken], { name: "step", shape: [] });
    this.update(taken, this.step);
    this.random = { seed: seedValue, step: this.step };
  }

  /** Runs `body` with `name` in front of the names and labels that it makes. */
  scope<T>(name: string, body: () => T): T {
    return this.builder.scope(name, body);
  }

  /** A trained tensor; its name is the scope's path and `name`. */
  parameter(name: string, shape: Shape, init: Initializer): Value {
    return this.entry(this.path(name), { dtype: "f32", shape }, init, true);
  }

  /** A tensor that a step reads and may `update`. */
  state(name: string, type: TensorType, init: Initializer): Value {
    return this.entry(name, type, init, false);
  }

  private path(name: string): string {
    return this.builder.label(name).replaceAll("/", ".");
  }

  private entry(name: string, type: TensorType, init: Initializer, parameter: boolean): Value {
    if (this.entries.some((entry) => entry.name === name))
      throw new JobError(`two entries of the state are called ${name}; give their layers different scopes`, { name });
    const value = this.builder.input(name, type);
    this.entries.push({ name, type: { dtype: type.dtype, shape: [...type.shape] }, init, value, parameter });
    return value;
  }

  /** Sets what an entry of the state is after this step. */
  update(state: Value, next: Value): void {
    const entry = this.entries.find(({ value }) => value.source === state.source);
    if (!entry) throw new JobError("only what was made with parameter() or state() can be updated");
    if (next.dtype !== entry.type.dtype || next.shape.join() !== entry.type.shape.join())
      throw new JobError(`${entry.name} is ${entry.value}, and can't become ${next}`, { name: entry.name });
    entry.next = dense(next, entry.name);
  }

  /** Reports a scalar with every step: it is part of the state, so that it is committed to. */
  metric(name: string, value: Value): void {
    this.update(this.state(`${METRIC_PREFIX}${name}`, { dtype: "f32", shape: [] }, zeros), value);
  }

  get parameters(): Parameter[] {
    return this.entries.filter((entry) => entry.parameter).map(({ name, value }) => ({ name, value }));
  }

  /** Parameters first, then the rest of the state in the order of its declaration. */
  private ordered(): StateEntry[] {
    return [...this.entries].sort((a, b) => Number(b.parameter) - Number(a.parameter));
  }

  stepGraph(): Graph {
    const entries = this.ordered();
    const outputs = entries.map(({ name, value, next }) => ({ name, value: next ?? value }));
    return this.builder.finish(outputs, [...entries.map(({ name }) => name), ...this.dataNames]);
  }

  initGraph(): Graph {
    const builder = new GraphBuilder(FIRST_INIT_PURPOSE);
    const seed = fillInt(builder, [], this.seed, "seed");
    const source: RandomSource = { seed, step: fillInt(builder, [], 0, "step") };
    const outputs = this.ordered().map(({ name, type, init }) => {
      const value = builder.scope(name, () => dense(init(source, type.shape)));
      if (value.dtype !== type.dtype || value.shape.join() !== type.shape.join())
        throw new JobError(`the initializer of ${name} gives ${value}`, { name });
      return { name, value };
    });
    return builder.finish(outputs);
  }
}
