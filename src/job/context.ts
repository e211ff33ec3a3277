/** What a model uses while its training step is built: data, parameters and other state, random numbers. */
import { checkNewName } from "../encoding/name.ts";
import { type Shape, type TensorType } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { map } from "../graph/emit.ts";
import type { Graph } from "../graph/graph.ts";
import type { RandomSource } from "../graph/random.ts";
import { builderOf, expectValue, type Value } from "../graph/value.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import { DATA_PREFIX, METRIC_PREFIX, type NamedTensor, SEED_NAME } from "./closed.ts";
import { type DataValues, named } from "./data-values.ts";
import { Entries, type StateEntry } from "./entries.ts";
import type { Evaluation } from "./evaluation.ts";
import { type Initializer, zeros } from "./initializers.ts";
import type { Adapter } from "./layers/lora.ts";
import { expectBody, settingError } from "./settings.ts";
import type { Shard, Sharding } from "./sharding.ts";

/** A trained tensor of the state. */
export interface Parameter {
  /** The path of its scope and its own name: `blocks.0.mlp.in.weight`. */
  name: string;
  /** Its value before the training step: f32. */
  value: Value;
}

const INCREMENT = defineProgram("i", (step) => step.add(1));

/** What a job's functions use to build a training step, which records operators. Nothing is computed yet. */
export class Context<Data extends DataValues = DataValues> {
  /** The graph that is being built. */
  readonly builder = new GraphBuilder();
  /** The dataset's tensors by the names that the job's `data` gave them. */
  readonly data: Data;
  /** The number of the present training step: an i32 scalar, counted from 1. */
  readonly step: Value;
  /** Whether the job has an optimizer. Without one, all its parameters are frozen. */
  readonly trains: boolean;
  /** The entries of the state, for optimizers and what evaluates a model. */
  readonly entries = new Entries(this.builder);
  /** What linear layers add to their results, where `lora` makes a model. */
  adapter: Adapter | undefined;
  /** The shards of the batch, while the loss of one of them is built. */
  sharding: Sharding | undefined;
  private readonly source: RandomSource;
  private readonly dataNames: string[] = [];
  private freezing = 0;
  private reusing = 0;
  /** How a model is evaluated at present. */
  private evaluation: Evaluation | undefined;
  private readonly seed: number;

  constructor(dataset: readonly NamedTensor[], seed: number, trains = true) {
    this.seed = seed;
    this.trains = trains;
    const inputs = dataset.map((tensor): [string, Value] => {
      this.dataNames.push(tensor.name);
      return [tensor.name.slice(DATA_PREFIX.length), this.builder.input(tensor.name, tensor)];
    });
    this.data = named(inputs) as Data;
    const scalar: TensorType = { dtype: "i32", shape: [] };
    const seedValue = this.state(SEED_NAME, scalar, (source) => source.seed);
    const taken = this.state("step", scalar, (source) => source.step);
    this.step = map(INCREMENT, [taken], { name: "step", shape: [] });
    this.update(taken, this.step);
    this.source = { seed: seedValue, step: this.step };
  }

  /**
   * The source of random numbers: the job's seed and the number of the training step. Where a model is
   * evaluated, `dropout` leaves its operand as it is.
   */
  get random(): RandomSource {
    return this.evaluating ? { ...this.source, evaluating: true } : this.source;
  }

  /**
   * Whether what is built now is evaluated and not trained: layers leave out dropout, and update no state.
   */
  get evaluating(): boolean {
    return this.evaluation !== undefined || !this.trains;
  }

  /** The shard of the batch that is built now; `undefined` in a job without shards. */
  get shard(): Shard | undefined {
    return this.sharding?.used();
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
    expectBody("freeze", body);
    this.freezing++;
    try {
      return body();
    } finally {
      this.freezing--;
    }
  }

  /** Runs `body`. The parameters that it makes are trained, also inside of `freeze`. */
  train<T>(body: () => T): T {
    expectBody("train", body);
    const before = this.freezing;
    this.freezing = 0;
    try {
      return body();
    } finally {
      this.freezing = before;
    }
  }

  /**
   * Runs `body`. The parameters and other entries of the state that it makes are those that exist already, by
   * their names: a model is used once more, with the same weights.
   *
   *     const [a, b] = [encoder(job, job.data.left), job.reuse(() => encoder(job, job.data.right))];
   */
  reuse<T>(body: () => T): T {
    expectBody("reuse", body);
    this.reusing++;
    try {
      return body();
    } finally {
      this.reusing--;
    }
  }

  /** Runs `body`, which evaluates the model with its weights, or makes it where the job does not train. */
  evaluate<T>(body: () => T, { outside, instead }: Omit<Evaluation, "inside">): T {
    expectBody("evaluate", body);
    const before = this.evaluation;
    this.evaluation = { inside: this.builder.label(""), outside, instead };
    try {
      return this.trains ? this.reuse(body) : body();
    } finally {
      this.evaluation = before;
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
      throw settingError(
        this.parameterName(name),
        `a parameter of shape [${shape.join(", ")}] has no elements to train`,
      );
    return this.entry(this.parameterName(name), { dtype: "f32", shape }, init, true);
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

  /** The name that a parameter gets here: the path of the scope and its own name. */
  parameterName(name: string): string {
    const label = this.builder.label(name);
    const { inside, outside } = this.evaluation ?? { inside: "", outside: "" };
    return `${outside}${label.slice(inside.length)}`.replaceAll("/", ".");
  }

  private entry(name: string, type: TensorType, init: Initializer, parameter: boolean): Value {
    if (this.reusing > 0) {
      const known = this.entries.again(name, type, parameter);
      return (parameter && this.evaluation?.instead?.(known)) || known;
    }
    return this.entries.add({ name, type, init, parameter, frozen: parameter && (this.freezing > 0 || !this.trains) });
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
    if (this.evaluation)
      throw new JobError(
        "STATE",
        "update() is called while the model is evaluated; call it only where evaluating is false",
      );
    (this.sharding ?? this.entries).setNext(state, next);
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
    return this.trained.map(({ name, value }) => ({ name, value }));
  }

  /** The trained parameters that have no value after the training step. */
  get untrained(): string[] {
    return this.trained.filter(({ next }) => !next).map(({ name }) => name);
  }

  private get trained(): StateEntry[] {
    return this.entries.list.filter(({ parameter, frozen }) => parameter && !frozen);
  }

  /**
   * The graph of a training step. Its inputs are the state and the dataset; its outputs are the new state.
   */
  stepGraph(): Graph {
    const outputs = this.entries.stepOutputs();
    return this.builder.finish(outputs, [...outputs.map(({ name }) => name), ...this.dataNames]);
  }

  /**
   * The graph of the initial state. It has no inputs; its outputs are the state.
   * @throws {JobError} when an initializer gives another type or shape than its entry has
   */
  initGraph(): Graph {
    return this.entries.initGraph(this.seed);
  }
}
