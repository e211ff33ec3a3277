/** `defineJob`: a training job as its author writes it, and how it becomes a closed job. */
import type { Tensor } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import { gradients } from "../graph/autodiff.ts";
import type { Value } from "../graph/value.ts";
import { checkJob, checkSteps, type ClosedJob, DATA_PREFIX, type NamedTensor } from "./closed.ts";
import { Context } from "./context.ts";
import type { Optimizer } from "./optimizers.ts";

export type OptionValue = string | number;
export type JobOptions = Record<string, OptionValue>;

/** The options as the job's functions see them, with the number of steps. */
export type Resolved<Options extends JobOptions> = { readonly [Name in keyof Options]: Widen<Options[Name]> } & {
  readonly steps: number;
};
/** In the graph, every tensor of the dataset is a value. */
type Values<Data extends Record<string, Tensor>> = { readonly [Name in keyof Data]: Value };
type Widen<Option extends OptionValue> = Option extends number ? number : string;

/**
 * A job as its author writes it. Write `data` before `loss`: so the compiler knows the names in `job.data`.
 * @typeParam Options what can be set, with the defaults
 * @typeParam Data the dataset's tensors by name
 */
export interface JobSource<Options extends JobOptions, Data extends Record<string, Tensor> = Record<string, Tensor>> {
  name: string;
  /** How many steps are trained, unless the run says otherwise. */
  steps: number;
  /** A 32-bit integer; 0 unless the run says otherwise. */
  seed?: number;
  /** What can be set with `--name value`, with the default of each. */
  options?: Options;
  /** The dataset's tensors. They are committed to; nothing else is read from outside. */
  data(options: Resolved<Options>): Data | Promise<Data>;
  /** Builds the step's loss, an f32 scalar. */
  loss(context: Context<Values<Data>>, options: Resolved<Options>): Value;
  optimizer(options: Resolved<Options>): Optimizer;
  /** What a step works through, for the progress line. */
  unit?(options: Resolved<Options>): { name: string; perStep: number };
}

/** What a run may set: `steps`, `seed`, and the job's own options. */
export type Overrides = Readonly<Record<string, OptionValue>>;

/** What `defineJob` gives. `run` takes it as it is; `close` gives it other options first. */
export interface JobDefinition {
  readonly name: string;
  /** The names and defaults of what can be set. */
  readonly options: JobOptions;
  /** Loads the data, builds both graphs, and checks that they fit together. */
  close(overrides?: Overrides): Promise<ClosedJob>;
}

/**
 * Wraps a training job; a module exports it as its default.
 * @throws {JobError} from `close`: unknown or ill-typed options, parts that do not fit
 */
export function defineJob<
  const Options extends JobOptions = Record<never, never>,
  Data extends Record<string, Tensor> = Record<string, Tensor>,
>(source: JobSource<Options, Data>): JobDefinition {
  const defaults: JobOptions = { steps: source.steps, seed: source.seed ?? 0, ...source.options };
  return {
    name: source.name,
    options: defaults,
    close: async (overrides = {}) => {
      const { seed, ...options } = resolve(source.name, defaults, overrides);
      if (!Number.isInteger(seed) || Math.abs(seed as number) >= 2 ** 31)
        throw new JobError(`the seed ${seed} is not a 32-bit integer`, { seed });
      checkSteps(options.steps as number);
      return close(source, options as unknown as Resolved<Options>, seed as number);
    },
  };
}

function resolve(job: string, defaults: JobOptions, overrides: Overrides): JobOptions {
  const resolved = { ...defaults };
  for (const [name, value] of Object.entries(overrides)) {
    if (!(name in defaults)) {
      const known = Object.keys(defaults).map((option) => `--${option}`);
      throw new JobError(`the job ${job} has no option --${name}; it has ${known.join(", ")}`, { name });
    }
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof defaults[name] === "number" && !Number.isFinite(number))
      throw new JobError(`--${name} takes a number, not ${JSON.stringify(value)}`, { name, value });
    resolved[name] = typeof defaults[name] === "number" ? (number as number) : String(value);
  }
  return resolved;
}

async function close<Options extends JobOptions, Data extends Record<string, Tensor>>(
  source: JobSource<Options, Data>,
  options: Resolved<Options>,
  seed: number,
): Promise<ClosedJob> {
  const tensors = Object.entries(await source.data(options));
  const dataset = tensors.map(([name, tensor]): NamedTensor => ({ name: `${DATA_PREFIX}${name}`, ...tensor }));
  const context = new Context<Values<Data>>(dataset, seed);
  const loss = source.loss(context, options);
  context.metric("loss", loss);
  const parameters = context.parameters;
  if (parameters.length === 0) throw new JobError(`the job ${source.name} has no parameters to train`);
  const slopes = gradients(
    loss,
    parameters.map(({ value }) => value),
  );
  source.optimizer(options)(context, parameters, slopes);
  const job: ClosedJob = {
    name: source.name,
    steps: options.steps,
    step: context.stepGraph(),
    init: { kind: "graph", graph: context.initGraph() },
    dataset,
    unit: source.unit?.(options) ?? { name: "steps", perStep: 1 },
  };
  checkJob(job);
  return job;
}
