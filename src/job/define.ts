/** `defineJob`: a training job as its author writes it, and how it becomes a closed job. */
import type { Tensor } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import { gradients } from "../graph/autodiff.ts";
import type { Value } from "../graph/value.ts";
import { checkJob, checkSteps, type ClosedJob, DATA_PREFIX, type NamedTensor } from "./closed.ts";
import { Context } from "./context.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";

/** What an option may be. */
export type OptionValue = string | number;
/** Options by name. */
export type JobOptions = Record<string, OptionValue>;

/** The options as the job's functions see them, with the number of steps. */
export type Resolved<Options extends JobOptions> = { readonly [Name in keyof Options]: Widen<Options[Name]> } & {
  readonly steps: number;
};
type Widen<Option extends OptionValue> = Option extends number ? number : string;

/** The tensors that a job's `data` gives, as values: the same keys, no others. */
export type ValuesOf<Data extends Dataset> = { readonly [Name in keyof Data]: Value };
/** Tensors by name. */
export type Dataset = Record<string, Tensor>;

/**
 * What the author of a job writes. Types are inferred from the top down, so `options` stands before `data`,
 * and `data` before `loss`.
 */
export interface JobSource<Options extends JobOptions, Data extends Dataset = Dataset> {
  /** What the job is called in traces and messages. */
  name: string;
  /** How many training steps are taken, unless the run says otherwise. */
  steps: number;
  /** A 32-bit integer; 0 unless the run says otherwise. */
  seed?: number;
  /** What can be set with `--name value`, with the default of each. */
  options?: Options;
  /** The dataset's tensors. They are committed to; nothing else is read from outside. */
  data(options: Resolved<Options>): Data | Promise<Data>;
  /** Builds the training step's loss, an f32 scalar. The context's `data` has the keys that `data` gave. */
  loss(context: Context<ValuesOf<Data>>, options: Resolved<Options>): Value;
  /** How the parameters follow their gradients: `adamW(…)`, `sgd(…)`, or any function of this kind. */
  optimizer(options: Resolved<Options>): Optimizer;
  /** What a training step works through, for the progress line; one step unless said. */
  unit?(options: Resolved<Options>): { name: string; perStep: number };
}

/** What a run may set: `steps`, `seed`, and the job's own options. */
export type Overrides = Readonly<Record<string, OptionValue>>;

/** A job that can be closed: what `defineJob` makes and a job module exports. */
export interface JobDefinition {
  /** What the job is called. */
  readonly name: string;
  /** The names and defaults of what can be set. */
  readonly options: JobOptions;
  /**
   * Loads the data, builds both graphs, and checks that they fit together.
   * @param overrides what differs from the defaults; texts stand for numbers where a number is taken
   * @throws {JobError} for unknown or ill-typed options, and for parts that do not fit
   */
  close(overrides?: Overrides): Promise<ClosedJob>;
}

/**
 * Wraps a training job; a module exports it as its default.
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
 * @throws {JobError} from `close`: unknown or ill-typed options, parts that do not fit
 */
export function defineJob<const Options extends JobOptions = Record<never, never>, Data extends Dataset = Dataset>(
  source: JobSource<Options, Data>,
): JobDefinition {
  const defaults: JobOptions = { steps: source.steps, seed: source.seed ?? 0, ...source.options };
  return {
    name: source.name,
    options: defaults,
    close: async (overrides = {}) => {
      const { seed, ...options } = resolve(source.name, defaults, overrides);
      if (!Number.isInteger(seed) || Math.abs(seed as number) >= 2 ** 31)
        throw new JobError("OPTION_VALUE", `the seed ${seed} is not a 32-bit integer; take one`, { seed });
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
      throw new JobError("OPTION_UNKNOWN", `the job ${job} has no option --${name}; choose from ${known.join(", ")}`, {
        name,
      });
    }
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof defaults[name] === "number" && !Number.isFinite(number))
      throw new JobError("OPTION_VALUE", `--${name} takes a number, not ${JSON.stringify(value)}`, { name, value });
    resolved[name] = typeof defaults[name] === "number" ? (number as number) : String(value);
  }
  return resolved;
}

async function close<Options extends JobOptions, Data extends Dataset>(
  source: JobSource<Options, Data>,
  options: Resolved<Options>,
  seed: number,
): Promise<ClosedJob> {
  const tensors = Object.entries<Tensor>(await source.data(options));
  const dataset = tensors.map(([name, tensor]): NamedTensor => ({ name: `${DATA_PREFIX}${name}`, ...tensor }));
  const context = new Context<ValuesOf<Data>>(dataset, seed);
  const loss = source.loss(context, options);
  context.metric("loss", loss);
  const parameters = context.parameters;
  if (parameters.length === 0)
    throw new JobError("NO_PARAMETERS", `the job ${source.name} has no parameters to train; make one with parameter()`);
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
