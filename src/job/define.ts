/** `defineJob`: a training job as its author writes it, and its conversion to a closed job. */
import { checkNewName } from "../encoding/name.ts";
import type { Tensor } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import { describe, isPlainObject } from "../errors/arguments.ts";
import { differentiate } from "../graph/autodiff.ts";
import { fill } from "../graph/fill.ts";
import { Value } from "../graph/value.ts";
import { checkTensorType } from "../repops/numbers/tensors.ts";
import { checkJob, checkSteps, type ClosedJob, DATA_PREFIX, type NamedTensor } from "./closed.ts";
import { Context, type Parameter } from "./context.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import {
  type DeclaredOptions,
  type DocumentedOption,
  type JobOptions,
  type Overrides,
  readOptions,
  resolveOptions,
} from "./options.ts";
import { expectOptions, settingError } from "./settings.ts";

/** The options as the job's functions see them, with the number of steps. */
export type Resolved<Options extends DeclaredOptions> = { readonly [Name in keyof Options]: Widen<Options[Name]> } & {
  readonly steps: number;
};
type Widen<Option> =
  Option extends DocumentedOption<infer Value> ? Widen<Value> : Option extends number ? number : string;

/** The tensors that a job's `data` returns, as values with the same keys. */
export type ValuesOf<Data extends Dataset> = { readonly [Name in keyof Data]: Value };
/** Tensors by name. */
export type Dataset = Record<string, Tensor>;

/**
 * What the author of a job writes. TypeScript infers types from top to bottom, so write `options` before
 * `data`, and `data` before `loss`.
 */
export interface JobSource<Options extends DeclaredOptions, Data extends Dataset = Dataset> {
  /** The name of the job in traces and messages. */
  name: string;
  /** The number of training steps, unless the run sets another. */
  steps: number;
  /** A 32-bit integer, unless the run sets another; default 0. */
  seed?: number;
  /**
   * The options that can be set with `--name value`: each a default, or `option(default, "what it sets")`.
   */
  options?: Options;
  /** The dataset's tensors. The job's id commits to them. Nothing else is read from outside. */
  data(options: Resolved<Options>): Data | Promise<Data>;
  /**
   * Builds the loss of a training step, an f32 scalar. The context's `data` has the keys that `data`
   * returned.
   */
  loss(context: Context<ValuesOf<Data>>, options: Resolved<Options>): Value;
  /**
   * The update of the parameters from their gradients: `adamW(…)`, `sgd(…)`, or any function of this type.
   */
  optimizer(options: Resolved<Options>): Optimizer;
  /** The amount of data of a training step, for the progress line; default one step. */
  unit?(options: Resolved<Options>): { name: string; perStep: number };
}

/** A job that can be closed. `defineJob` makes it, and a job module exports it. */
export interface JobDefinition {
  /** The name of the job. */
  readonly name: string;
  /** The names and defaults of the values that a run may set. */
  readonly options: JobOptions;
  /** What options set, by their names, where the author has said it. */
  readonly docs?: Readonly<Record<string, string>>;
  /**
   * Loads the data, builds both graphs, and checks that all parts fit together.
   * @param overrides the values that differ from the defaults; a text is accepted for a number
   * @throws {JobError} for unknown or ill-typed options, and for parts that do not fit together
   */
  close(overrides?: Overrides): Promise<ClosedJob>;
}

/**
 * Defines a training job. A job module exports it as its default.
 *
 *     export default defineJob({
 *       name: "line",
 *       steps: 100,
 *       options: { rate: 0.01 },
 *       data: () => ({ x: tensor([4, 1], [1, 2, 3, 4]), y: tensor([4, 1], [2, 4, 6, 8]) }),
 *       loss: (job) => mean(square(sub(linear(job, "line", job.data.x, 1), job.data.y))),
 *       optimizer: ({ rate }) => sgd({ learningRate: rate }),
 *     });
 *
 * @throws {JobError} for an option that can't have its name or its default; from `close`: unknown or ill-
 *   typed options, parts that do not fit together
 */
export function defineJob<const Options extends DeclaredOptions = Record<never, never>, Data extends Dataset = Dataset>(
  source: JobSource<Options, Data>,
): JobDefinition {
  checkSource(source);
  const { defaults: own, docs } = readOptions(source.name, source.options ?? {});
  const defaults: JobOptions = { steps: source.steps, seed: source.seed ?? 0, ...own };
  return {
    name: source.name,
    options: defaults,
    docs,
    close: async (overrides = {}) => {
      const { seed, ...options } = resolveOptions(source.name, defaults, overrides);
      if (!Number.isInteger(seed) || Math.abs(seed as number) >= 2 ** 31)
        throw new JobError(
          "OPTION_VALUE",
          `the seed ${seed} is not a 32-bit integer; take a whole number from -2^31 to 2^31 - 1`,
          { seed },
        );
      checkSteps(options.steps as number);
      return close(source, options as unknown as Resolved<Options>, seed as number);
    },
  };
}

const PARTS = ["name", "steps", "seed", "options", "data", "loss", "optimizer", "unit"];

/** @throws {JobError} when a job's source has an unknown part, or one of another kind */
function checkSource<Options extends DeclaredOptions, Data extends Dataset>(source: JobSource<Options, Data>): void {
  expectOptions("defineJob", source, PARTS);
  const { name, options = {} } = source;
  checkNewName(name, "the name of a job");
  for (const part of ["data", "loss", "optimizer"] as const)
    if (typeof source[part] !== "function")
      throw settingError(name, `its ${part} is ${describe(source[part])}; write a function`);
  if (source.unit !== undefined && typeof source.unit !== "function")
    throw settingError(name, `its unit is ${describe(source.unit)}; write a function`);
  if (!isPlainObject(options))
    throw settingError(name, `its options are ${describe(options)}; write { name: default }`);
}

/** @throws {JobError} when the amount of data of a training step is no amount */
function unitOf<Options extends DeclaredOptions, Data extends Dataset>(
  source: JobSource<Options, Data>,
  options: Resolved<Options>,
): ClosedJob["unit"] {
  const unit = source.unit?.(options) ?? { name: "steps", perStep: 1 };
  expectOptions(`the unit of ${source.name}`, unit, ["name", "perStep"]);
  checkNewName(unit.name, "the name of a job's unit");
  if (!Number.isSafeInteger(unit.perStep) || unit.perStep < 1)
    throw settingError(source.name, `a step has ${describe(unit.perStep)} ${unit.name}; take a whole number from 1`);
  return unit;
}

/**
 * The gradients of the parameters.
 * @throws {JobError} when none reaches one, unless `stopGradient` is the reason
 */
function slopesOf(loss: Value, parameters: readonly Parameter[]): Value[] {
  const flows = differentiate(
    loss,
    parameters.map(({ value }) => value),
  );
  return flows.map((flow, i) => {
    if (flow.gradient) return flow.gradient;
    const { name, value } = parameters[i];
    if (flow.why === "stopped") return fill(loss.builder, value.shape, 0, "no-gradient");
    const why =
      flow.why === "unused"
        ? "the loss does not depend on it; use it, or leave it out"
        : `its path to the loss is cut at the operator ${flow.at}, through which no gradient flows; take another operator`;
    throw new JobError("NO_GRADIENT", `no gradient reaches the parameter ${name}: ${why}, or make it in job.freeze()`, {
      name,
      why: flow.why,
      ...(flow.at !== undefined && { operator: flow.at }),
    });
  });
}

async function close<Options extends DeclaredOptions, Data extends Dataset>(
  source: JobSource<Options, Data>,
  options: Resolved<Options>,
  seed: number,
): Promise<ClosedJob> {
  const data: unknown = await source.data(options);
  if (!isPlainObject(data))
    throw new JobError("DATA", `the data of ${source.name} is ${describe(data)}; return tensors by name`);
  const tensors = Object.entries(data as Record<string, Tensor>);
  for (const [name, tensor] of tensors) {
    checkNewName(name, "the name of a tensor of the dataset");
    checkTensorType(tensor, `${DATA_PREFIX}${name}`);
  }
  const dataset = tensors.map(([name, tensor]): NamedTensor => ({ ...tensor, name: `${DATA_PREFIX}${name}` }));
  const context = new Context<ValuesOf<Data>>(dataset, seed);
  const loss: unknown = source.loss(context, options);
  if (!(loss instanceof Value) || loss.dtype !== "f32" || loss.rank !== 0)
    throw settingError(
      source.name,
      `the loss is ${loss instanceof Value ? loss : describe(loss)}; return an f32 scalar, such as a mean`,
    );
  context.metric("loss", loss);
  const parameters = context.parameters;
  if (parameters.length === 0)
    throw new JobError("NO_PARAMETERS", `the job ${source.name} has no parameters to train; make one with parameter()`);
  const slopes = slopesOf(loss, parameters);
  const warnings = context.builder.warningsOf(loss);
  const optimizer: unknown = source.optimizer(options);
  if (typeof optimizer !== "function")
    throw settingError(source.name, `the optimizer is ${describe(optimizer)}; return one, such as adamW({ … })`);
  (optimizer as Optimizer)(context, parameters, slopes);
  const [untrained] = context.untrained;
  if (untrained !== undefined)
    throw new JobError(
      "STATE",
      `the optimizer of ${source.name} does not update the parameter ${untrained}; call update() for it, or make it in job.freeze()`,
      { name: untrained },
    );
  const job: ClosedJob = {
    name: source.name,
    steps: options.steps,
    step: context.stepGraph(),
    init: { kind: "graph", graph: context.initGraph() },
    dataset,
    unit: unitOf(source, options),
    ...(warnings.length > 0 && { warnings }),
  };
  checkJob(job);
  return job;
}
