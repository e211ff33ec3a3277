/** The conversion of a job's source to a closed job. */
import { checkNewName } from "../encoding/name.ts";
import type { Tensor } from "../encoding/tensor.ts";
import { describe, isPlainObject } from "../errors/arguments.ts";
import { JobError } from "../errors/index.ts";
import { differentiate, type Flow } from "../graph/autodiff.ts";
import { fill } from "../graph/fill.ts";
import { Value } from "../graph/value.ts";
import { checkTensorType } from "../repops/numbers/tensors.ts";
import { checkJob, type ClosedJob, DATA_PREFIX, type NamedTensor } from "./closed.ts";
import { Context, type Parameter } from "./context.ts";
import type { Dataset, JobSource, Resolved, ValuesOf } from "./define.ts";
import { checkAverages } from "./optimizers/ema.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import type { DeclaredOptions } from "./options.ts";
import { countOf, expectOptions, settingError } from "./settings.ts";
import { shardedLoss } from "./shards.ts";

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
 * @param flows what flows to them
 * @throws {JobError} when none reaches one, unless `stopGradient` is the reason
 */
function slopesOf(loss: Value, parameters: readonly Parameter[], flows: readonly Flow[]): Value[] {
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

/** Loads the data, builds both graphs, and checks that all parts fit together. */
export async function closeSource<Options extends DeclaredOptions, Data extends Dataset>(
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
  const context = new Context<ValuesOf<Data>>(dataset, seed, source.optimizer !== undefined);
  const build = (): Value => {
    const loss: unknown = source.loss(context, options);
    if (loss instanceof Value && loss.dtype === "f32" && loss.rank === 0) return loss;
    throw settingError(
      source.name,
      `the loss is ${loss instanceof Value ? loss : describe(loss)}; return an f32 scalar, such as a mean`,
    );
  };
  const shards = shardsOf(source, options);
  const plain = context as unknown as Context;
  const { loss, flows } = shards === undefined ? { loss: build() } : shardedLoss(plain, shards, build, context.trains);
  context.metric("loss", loss);
  const warnings = context.builder.warningsOf(loss);
  if (source.optimizer) addTraining(source.name, plain, { loss, flows }, source.optimizer(options));
  checkAverages(plain);
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

/**
 * The number of shards of a job's batch, if it has some. @throws {JobError} when it is no number of shards
 */
function shardsOf<Options extends DeclaredOptions, Data extends Dataset>(
  { name, shards }: JobSource<Options, Data>,
  options: Resolved<Options>,
): number | undefined {
  const count: unknown = typeof shards === "function" ? shards(options) : shards;
  return count === undefined ? undefined : countOf(name, "the number of shards", count);
}

/**
 * Adds the gradients of the parameters, and their updates.
 * @param built the loss, and what flows to the parameters where it is known
 */
export function addTraining(
  job: string,
  context: Context,
  { loss, flows }: { loss: Value; flows?: readonly Flow[] },
  optimizer: unknown,
): void {
  const { parameters } = context;
  if (parameters.length === 0)
    throw new JobError(
      "NO_PARAMETERS",
      `the job ${job} has no parameters to train; make one with parameter(), or leave out the optimizer to evaluate`,
    );
  const values = parameters.map(({ value }) => value);
  const slopes = slopesOf(loss, parameters, flows ?? differentiate(loss, values));
  if (typeof optimizer !== "function")
    throw settingError(job, `the optimizer is ${describe(optimizer)}; return one, such as adamW({ … })`);
  (optimizer as Optimizer)(context, parameters, slopes);
  const [untrained] = context.untrained;
  if (untrained !== undefined)
    throw new JobError(
      "STATE",
      `the optimizer of ${job} does not update the parameter ${untrained}; call update() for it, or make it in job.freeze()`,
      { name: untrained },
    );
}
