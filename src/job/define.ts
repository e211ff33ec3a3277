/** `defineJob`: a training job as its author writes it, and its conversion to a closed job. */
import { checkNewName } from "../encoding/name.ts";
import type { Tensor } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { gradients } from "../graph/autodiff.ts";
import { Value } from "../graph/value.ts";
import { checkJob, checkSteps, type ClosedJob, DATA_PREFIX, type NamedTensor } from "./closed.ts";
import { Context } from "./context.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";

/** The types of an option's value. */
export type OptionValue = string | number;
/** Options by name. */
export type JobOptions = Record<string, OptionValue>;

/** The options as the job's functions see them, with the number of steps. */
export type Resolved<Options extends JobOptions> = { readonly [Name in keyof Options]: Widen<Options[Name]> } & {
  readonly steps: number;
};
type Widen<Option extends OptionValue> = Option extends number ? number : string;

/** The tensors that a job's `data` returns, as values with the same keys. */
export type ValuesOf<Data extends Dataset> = { readonly [Name in keyof Data]: Value };
/** Tensors by name. */
export type Dataset = Record<string, Tensor>;

/**
 * What the author of a job writes. TypeScript infers types from top to bottom, so write `options` before
 * `data`, and `data` before `loss`.
 */
export interface JobSource<Options extends JobOptions, Data extends Dataset = Dataset> {
  /** The name of the job in traces and messages. */
  name: string;
  /** The number of training steps, unless the run sets another. */
  steps: number;
  /** A 32-bit integer, unless the run sets another; default 0. */
  seed?: number;
  /** The options that can be set with `--name value`, each with its default. */
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

/** The values that a run may set: `steps`, `seed`, and the job's own options. */
export type Overrides = Readonly<Record<string, OptionValue>>;

/** A job that can be closed. `defineJob` makes it, and a job module exports it. */
export interface JobDefinition {
  /** The name of the job. */
  readonly name: string;
  /** The names and defaults of the values that a run may set. */
  readonly options: JobOptions;
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
 * @throws {JobError} when one of the functions is missing; from `close`: unknown or ill-typed options, parts
 * that do not fit together
 */
export function defineJob<const Options extends JobOptions = Record<never, never>, Data extends Dataset = Dataset>(
  source: JobSource<Options, Data>,
): JobDefinition {
  for (const member of ["data", "loss", "optimizer"] as const)
    if (typeof source?.[member] !== "function")
      throw new JobError("RESULT", `defineJob needs \`${member}\`, a function; it got ${quote(source?.[member])}`, {
        member,
      });
  const defaults: JobOptions = { steps: source.steps, seed: source.seed ?? 0, ...source.options };
  return {
    name: source.name,
    options: defaults,
    close: async (overrides = {}) => {
      const { seed, ...options } = resolve(source.name, defaults, overrides);
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
  checkNewName(source.name, "the name of a job");
  const unit = source.unit?.(options) ?? { name: "steps", perStep: 1 };
  checkNewName(unit.name, "the name of a job's unit");
  const given: unknown = await source.data(options);
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw wrongResult("data", "an object of tensors, such as { text: await byteTokens(path) }", given);
  const tensors = Object.entries<Tensor>(given as Data);
  for (const [name, tensor] of tensors) {
    checkNewName(name, "the name of a tensor of the dataset");
    if (!isTensor(tensor)) throw wrongResult(`data.${name}`, "a tensor: make it with tensor() or intTensor()", tensor);
  }
  const dataset = tensors.map(([name, tensor]): NamedTensor => ({ name: `${DATA_PREFIX}${name}`, ...tensor }));
  const context = new Context<ValuesOf<Data>>(dataset, seed);
  const loss: unknown = source.loss(context, options);
  if (!(loss instanceof Value)) throw wrongResult("loss", "the loss, an f32 scalar of the step graph", loss);
  context.metric("loss", loss);
  const parameters = context.parameters;
  if (parameters.length === 0)
    throw new JobError("NO_PARAMETERS", `the job ${source.name} has no parameters to train; make one with parameter()`);
  const slopes = gradients(
    loss,
    parameters.map(({ value }) => value),
  );
  const update: unknown = source.optimizer(options);
  if (typeof update !== "function") throw wrongResult("optimizer", "an optimizer, such as adamW({ … })", update);
  (update as Optimizer)(context, parameters, slopes);
  const job: ClosedJob = {
    name: source.name,
    steps: options.steps,
    step: context.stepGraph(),
    init: { kind: "graph", graph: context.initGraph() },
    dataset,
    unit,
  };
  checkJob(job);
  return job;
}

/** Types say so already. A job in JavaScript, or one that casts, finds out here. */
function wrongResult(member: string, expected: string, found: unknown): JobError {
  const shown = found instanceof Value ? `${found}` : quote(found);
  return new JobError("RESULT", `\`${member}\` of a job has to give ${expected}; it gives ${shown}`, {
    member,
    found: shown,
  });
}

const isTensor = (value: unknown): value is Tensor =>
  typeof value === "object" && value !== null && "dtype" in value && "shape" in value && "data" in value;
