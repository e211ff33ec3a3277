/**
 * The loss of a batch that is cut into shards, and its gradients: sums in the order of the shards (spec
 * 5.6).
 */
import { JobError } from "../errors/index.ts";
import { differentiate, type Flow } from "../graph/autodiff.ts";
import { map } from "../graph/emit.ts";
import type { Value } from "../graph/value.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import type { Context } from "./context.ts";
import { settingError } from "./settings.ts";
import { Sharding } from "./sharding.ts";

/** The loss of a batch, and its gradients where the job trains. */
export interface ShardedLoss {
  loss: Value;
  /** One for each parameter. */
  flows: Flow[];
}

const ADD = defineProgram("ff", (total, more) => total.add(more));

/** Values that are added shard by shard. */
class Sum {
  private readonly name: string;
  private total: Value | undefined;

  constructor(name: string) {
    this.name = name;
  }

  add(context: Context, shard: number, value: Value): void {
    const { total } = this;
    this.total = total
      ? context.scope(`sum ${shard}`, () => map(ADD, [total, value], { name: this.name, shape: value.shape }))
      : value;
  }

  /** The mean over all shards. */
  mean(context: Context, count: number): Value | undefined {
    const { total, name } = this;
    if (!total || count === 1) return total;
    const scale = defineProgram("f", (x) => x.mul(1 / count));
    return context.scope("mean", () => map(scale, [total], { name, shape: total.shape }));
  }
}

/**
 * Builds the loss once for each shard. The batch's loss is the mean of the shards' losses, and its
 * gradients are the means of theirs. Each shard is differentiated, and its gradients are added, before the
 * next one begins: the memory of a step on one machine is that of one shard, and of one more copy of the
 * gradients.
 * @param body makes the loss of a shard, an f32 scalar
 * @param trains whether gradients are needed
 * @throws {JobError} when the loss reads no rows of its own, or shards update the state in ways that have
 *   no mean
 */
export function shardedLoss(context: Context, count: number, body: () => Value, trains: boolean): ShardedLoss {
  const sharding = new Sharding(count);
  const losses = new Sum("loss");
  const sums: Sum[] = [];
  let first: Flow[] = [];
  for (let shard = 0; shard < count; shard++) {
    sharding.begin(shard);
    context.sharding = sharding;
    const make = (): { loss: Value; flows: Flow[] } => {
      const loss = body();
      const parameters = context.parameters.map(({ value }) => value);
      return { loss, flows: trains ? differentiate(loss, parameters) : [] };
    };
    const { loss, flows } = context.builder.inShard(shard, () => (shard === 0 ? make() : context.reuse(make)));
    context.sharding = undefined;
    if (shard === 0) first = flows;
    context.scope("shards", () => {
      losses.add(context, shard, loss);
      flows.forEach(({ gradient }, i) => {
        sums[i] ??= new Sum(context.parameters[i].name);
        if (gradient) sums[i].add(context, shard, gradient);
      });
    });
  }
  if (!sharding.isUsed)
    throw settingError(
      "shards",
      "the loss reads the same rows in every shard; draw the batch with sampleRows, epochRows or sampleWindows, or cut it with shardRows",
    );
  return context.scope("shards", () => {
    for (const [state, values] of sharding.updates) context.update(state, meanUpdate(context, sharding, state, values));
    const loss = losses.mean(context, count)!;
    const flows = first.map((flow, i): Flow => {
      const gradient = sums[i].mean(context, count);
      return gradient ? { gradient } : flow;
    });
    return { loss, flows };
  });
}

/** The new value of an entry of the state: what all shards give, or the mean of what they give. */
function meanUpdate(
  context: Context,
  { count }: Sharding,
  state: Value,
  values: readonly (Value | undefined)[],
): Value {
  const name = context.builder.labelOf(state.source);
  const given = Array.from({ length: count }, (_, shard) => {
    const value = values[shard];
    if (value) return value;
    throw new JobError("STATE", `shard ${shard} does not update ${name}, and others do; update it in every shard`, {
      name,
      shard,
    });
  });
  const [first] = given;
  const isSame = (value: Value): boolean =>
    value.source === first.source && value.offset === first.offset && value.strides.join() === first.strides.join();
  if (given.every(isSame)) return first;
  if (first.dtype !== "f32")
    throw new JobError(
      "STATE",
      `the shards update ${name}, which is ${state}, with different values, and integers have no mean; update it with one value`,
      { name },
    );
  const sum = new Sum(name);
  given.forEach((value, shard) => sum.add(context, shard, value));
  return sum.mean(context, count)!;
}
