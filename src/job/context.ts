/** What a model uses while its training step is built: data, parameters and other state, random numbers. */
import { checkNewName } from "../encoding/name.ts";
import { formatType, type Shape, type TensorType } from "../encoding/tensor.ts";
import { describe } from "../errors/arguments.ts";
import { JobError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { map } from "../graph/emit.ts";
import type { Graph } from "../graph/graph.ts";
import type { RandomSource } from "../graph/random.ts";
import { fillInt } from "../graph/fill.ts";
import { builderOf, expectValue, type Value } from "../graph/value.ts";
import { dense } from "../graph/dense.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import { DATA_PREFIX, METRIC_PREFIX, type NamedTensor } from "./closed.ts";
import { type Initializer, zeros } from "./initializers.ts";
import { settingError } from "./settings.ts";

interface StateEntry {
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

/** A trained tensor of the state. */
export interface Parameter {
  /** The path of its scope and its own name: `blocks.0.mlp.in.weight`. */
  name: string;
  /** Its value before the training step: f32. */
  value: Value;
}

/** A dataset's tensors by name, as values of the step graph. */
export type DataValues = Readonly<Record<string, Value>>;

const INCREMENT = defineProgram("i", (step) => step.add(1));
/** The first number of the init graph's random streams, so that they differ from those of the step graph. */
const FIRST_INIT_PURPOSE = 2 ** 20;

/**
 * What a job's functions use to build a training step: data, parameters and other state, random numbers.
 * Functions and layers record their operators here. Nothing is computed yet.
 */
export class Context<Data extends DataValues = DataValues> {
  /** The graph that is being built. */
  readonly builder = new GraphBuilder();
  /** The dataset's tensors by the names that the job's `data` gave them. */
  readonly data: Data;
  /** The number of the present training step: an i32 scalar, counted from 1. */
  readonly step: Value;
  /** The source of random numbers: the job's seed and the number of the training step. */
  readonly random: RandomSource;
  private readonly entries: StateEntry[] = [];
  private readonly dataNames: string[] = [];
  private freezing = 0;
  private readonly seed: number;

  constructor(dataset: readonly NamedTensor[], seed: number) {
    this.seed = seed;
    const inputs = dataset.map((tensor): [string, Value] => {
      this.dataNames.push(tensor.name);
      return [tensor.name.slice(DATA_PREFIX.length), this.builder.input(tensor.name, tensor)];
    });
    this.data = named(inputs) as Data;
    const scalar: TensorType = { dtype: "i32", shape: [] };
    const seedValue = this.state("rng/seed", scalar, (source) => source.seed);
    const taken = this.state("step", scalar, (source) => source.step);
    this.step = map(INCREMENT, [taken], { name: "step", shape: [] });
    this.update(taken, this.step);
    this.random = { seed: seedValue, step: this.step };
  }

  /** Runs `body`, and puts `name` in front of the names and labels that it makes. */
  scope<T>(name: string, body: () => T): T {
    return this.builder.scope(name, body);
  }

  /**
   * Runs `body`. The parameters that it makes are not trained: they keep their initial values, such as those
   * of a checkpoint, and need no gradient. Gradients flow through its operators to other parameters.
   *
   *     const hidden = job.freeze(() => linear(job, "hidden", job.data.x, 32));
   */
  freeze<T>(body: () => T): T {
    if (typeof body !== "function") throw settingError("freeze", `the body is ${describe(body)}; pass a function`);
    this.freezing++;
    try {
      return body();
    } finally {
      this.freezing--;
    }
  }

  /**
   * Adds a trained tensor: f32 `shape`. Its name is the path of the scope and `name`, joined by dots.
   * @throws {JobError} when the name is taken, or the shape has no elements
   * @throws {FormatError} when it is no name (spec 5.5)
   */
  parameter(name: string, shape: Shape, init: Initializer): Value {
    checkNewName(name, "the name of a parameter");
    if (Array.isArray(shape) && shape.includes(0))
      throw settingError(this.path(name), `a parameter of shape [${shape.join(", ")}] has no elements to train`);
    return this.entry(this.path(name), { dtype: "f32", shape }, init, true);
  }

  /**
   * Adds a tensor that a training step reads and may `update`. Its name is `name`, without a path.
   * @throws {JobError} when the name is taken
   * @throws {FormatError} when it is no name (spec 5.5)
   */
  state(name: string, type: TensorType, init: Initializer): Value {
    checkNewName(name, "the name of an entry of the state");
    return this.entry(name, type, init, false);
  }

  private path(name: string): string {
    return this.builder.label(name).replaceAll("/", ".");
  }

  private entry(name: string, type: TensorType, init: Initializer, parameter: boolean): Value {
    if (this.entries.some((entry) => entry.name === name))
      throw new JobError("STATE", `two entries of the state are called ${name}; give their layers different scopes`, {
        name,
      });
    if (typeof init !== "function")
      throw settingError(name, `its initializer is ${describe(init)}; pass one, such as zeros or normal(0.02)`);
    const value = this.builder.input(name, type);
    const frozen = parameter && this.freezing > 0;
    this.entries.push({ name, type: { dtype: type.dtype, shape: [...type.shape] }, init, value, parameter, frozen });
    return value;
  }

  /**
   * Sets the value of an entry of the state after this training step. Without an update the entry does not
   * change.
   * @param state the value that `parameter` or `state` returned
   * @param next the new value, of the same type and shape
   * @throws {JobError} when `state` is not an entry of the state, or the types differ
   */
  update(state: Value, next: Value): void {
    for (const [key, given] of Object.entries({ state, next })) expectValue(given, "update", key);
    builderOf("update", { state, next, "the job's step": this.step });
    const entry = this.entries.find(({ value }) => value.source === state.source);
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
   * Reports an f32 scalar with every training step, as `metrics/NAME`. It is an entry of the state, so the
   * trace commits to it.
   * @throws {JobError} when the name is taken, or the value is not an f32 scalar
   * @throws {FormatError} when it is no name (spec 5.5)
   */
  metric(name: string, value: Value): void {
    checkNewName(name, "the name of a metric");
    expectValue(value, "metric", name);
    this.update(this.state(`${METRIC_PREFIX}${name}`, { dtype: "f32", shape: [] }, zeros), value);
  }

  /** The trained parameters that were made so far, in the order in which they were made. */
  get parameters(): Parameter[] {
    return this.entries
      .filter(({ parameter, frozen }) => parameter && !frozen)
      .map(({ name, value }) => ({ name, value }));
  }

  /** The trained parameters that have no value after the training step. */
  get untrained(): string[] {
    return this.entries.filter(({ parameter, frozen, next }) => parameter && !frozen && !next).map(({ name }) => name);
  }

  /** Parameters first, then the other entries of the state, both in the order of declaration. */
  private ordered(): StateEntry[] {
    return [...this.entries].sort((a, b) => Number(b.parameter) - Number(a.parameter));
  }

  /**
   * The graph of a training step. Its inputs are the state and the dataset; its outputs are the new state.
   */
  stepGraph(): Graph {
    const entries = this.ordered();
    const outputs = entries.map(({ name, value, next }) => ({ name, value: next ?? value }));
    return this.builder.finish(outputs, [...entries.map(({ name }) => name), ...this.dataNames]);
  }

  /**
   * The graph of the initial state. It has no inputs; its outputs are the state.
   * @throws {JobError} when an initializer gives another type or shape than its entry has
   */
  initGraph(): Graph {
    const builder = new GraphBuilder(FIRST_INIT_PURPOSE);
    const seed = fillInt(builder, [], this.seed, "seed");
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

/** The dataset's tensors by name. A name that it does not have is an error, where it is misspelt. */
function named(inputs: readonly [string, Value][]): DataValues {
  return new Proxy(Object.fromEntries(inputs), {
    get: (values, name) => {
      if (typeof name === "symbol" || Object.hasOwn(values, name)) return Reflect.get(values, name) as Value;
      // Programs ask every object whether it is a promise, or has a form of its own in JSON.
      if (name === "then" || name === "toJSON") return undefined;
      const known = Object.keys(values).join(", ");
      throw new JobError("DATA", `the dataset has no tensor called ${quote(name)}; it has ${known || "none"}`, {
        name,
      });
    },
  });
}
