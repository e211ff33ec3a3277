/** `defineJob`: a training job as its author writes it. */
import { checkNewName } from "../encoding/name.ts";
import type { Tensor } from "../encoding/tensor.ts";
import { describe, isPlainObject } from "../errors/arguments.ts";
import { JobError } from "../errors/index.ts";
import type { Value } from "../graph/value.ts";
import { closeSource } from "./close.ts";
import type { ClosedJob } from "./closed.ts";
import type { Context } from "./context.ts";
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
   * Builds the loss of a training step, an f32 scalar, which is the metric `loss`. The context's `data` has
   * the keys that `data` returned.
   */
  loss(context: Context<ValuesOf<Data>>, options: Resolved<Options>): Value;
  /**
   * The update of the parameters from their gradients: `adamW(…)`, `sgd(…)`, or any function of this type. A
   * job without it evaluates: its parameters are frozen, and dropout does nothing.
   */
  optimizer?(options: Resolved<Options>): Optimizer;
  /**
   * Cuts the batch into so many shards of equal size, which several machines can compute (spec 5.6). The loss
   * is built once for each: what `sampleRows`, `epochRows`, `sampleWindows` and `shardRows` give is the
   * shard's part of the batch. The loss, the gradients and the metrics of the step are the means of the
   * shards', added in their order. Default: the batch is not cut.
   *
   *     shards: 4,
   */
  shards?: number | ((options: Resolved<Options>) => number);
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
  const { defaults: own, docs, ranges } = readOptions(source.name, source.options ?? {});
  const defaults: JobOptions = { steps: source.steps, seed: source.seed ?? 0, ...own };
  return {
    name: source.name,
    options: defaults,
    docs,
    close: async (overrides = {}) => {
      const { seed, ...options } = resolveOptions(source.name, defaults, overrides, ranges);
      if (!Number.isInteger(seed) || Math.abs(seed as number) >= 2 ** 31)
        throw new JobError(
          "OPTION_VALUE",
          `the seed ${seed} is not a 32-bit integer; take a whole number from -2^31 to 2^31 - 1`,
          { seed },
        );
      const { steps } = options;
      if (!Number.isInteger(steps) || (steps as number) < 1 || (steps as number) >= 2 ** 31)
        throw new JobError("STEPS", `a job of ${steps} steps trains nothing; take a whole number from 1 to 2^31 - 1`, {
          steps,
        });
      return closeSource(source, options as unknown as Resolved<Options>, seed as number);
    },
  };
}

const PARTS = ["name", "steps", "seed", "options", "data", "loss", "optimizer", "shards", "unit"];

/** @throws {JobError} when a job's source has an unknown part, or one of another kind */
function checkSource<Options extends DeclaredOptions, Data extends Dataset>(source: JobSource<Options, Data>): void {
  expectOptions("defineJob", source, PARTS);
  const { name, options = {} } = source;
  checkNewName(name, "the name of a job");
  const functions = ["data", "loss", "optimizer", "unit"] as const;
  const optional: readonly string[] = ["optimizer", "unit"];
  for (const part of functions)
    if (typeof source[part] !== "function" && !(source[part] === undefined && optional.includes(part)))
      throw settingError(name, `its ${part} is ${describe(source[part])}; write a function`);
  if (!isPlainObject(options))
    throw settingError(name, `its options are ${describe(options)}; write { name: default }`);
}
