/** A turn that trains: some steps of an optimizer, from weights that another turn has made. */
import { describe } from "../errors/arguments.ts";
import { RoundsError } from "../errors/index.ts";
import { Value } from "../graph/value.ts";
import { addTraining } from "../job/close.ts";
import { DATA_PREFIX, SEED_NAME } from "../job/closed.ts";
import { Context } from "../job/context.ts";
import type { Optimizer } from "../job/optimizers/optimizer.ts";
import { type Ports, tellPresence } from "./port.ts";
import { before, own, type Source } from "./source.ts";
import { KEPT, type Laid, OWN, type Scene, type SeatData, type Stage, type Turn } from "./turn.ts";

/** The name under which a training turn reads the weights from which it starts. */
const WEIGHTS = "weights";

/** The options of a turn that trains. */
export interface TrainOptions<Reads extends Readonly<Record<string, Source>>> {
  /** The role whose members train. */
  by: string;
  /** Training steps of a round: a whole number from 1. */
  steps: number;
  /** Where the weights come from each round: the name of a turn, of the round before, or a source. */
  weights: string | Source<"one">;
  /** What else the loss reads. */
  reads?: Reads;
  /**
   * Whether the optimizer's moments, the number of the step and other entries continue from the member's own
   * last round; default true. Otherwise they begin anew in each round. A source says where else they continue
   * from: a turn with the same entries, such as one that has trained earlier in the round.
   */
  keeps?: boolean | Source<"one">;
  /**
   * Whether all that it keeps begins anew, instead, after a round in which the member was away; default
   * false.
   */
  renews?: boolean;
  /**
   * Builds the loss of a step, an f32 scalar, as in a job. `reads.weights.entry(name, value)` is a start
   * weight.
   */
  loss(job: Context<SeatData>, reads: Ports<Reads & { weights: Source<"one"> }>): Value;
  /** The update of the weights, such as `adamW({ … })`. */
  optimizer: Optimizer;
}

/**
 * A turn that trains. Its state is that of a job: weights, moments, metrics. Each member draws its own
 * batches: the seed of its random numbers follows from the plan, the round and the seat.
 * @throws {RoundsError} from the plan's `close`, when the loss is no scalar, or weights are not there
 */
export function train<const Reads extends Readonly<Record<string, Source>> = Record<never, never>>(
  options: TrainOptions<Reads>,
): Turn {
  const { by, steps, weights, keeps = true, reads } = options;
  if (!Number.isInteger(steps) || steps < 1)
    throw new RoundsError("PLAN", `a turn of ${by} trains ${steps} steps; take a whole number from 1`);
  const start = typeof weights === "string" ? before(weights) : weights;
  const kept = keeps === true ? own() : keeps;
  return {
    by,
    steps,
    reads: { ...reads, [WEIGHTS]: start, ...(kept && { [KEPT]: kept }) },
    lay: (stage) => layTraining(options as unknown as TrainOptions<Record<string, Source>>, stage),
  };
}

function layTraining(
  { loss: build, optimizer, renews = false }: TrainOptions<Record<string, Source>>,
  stage: Stage,
): Laid {
  const context = new Context<SeatData>(stage.own, stage.seed);
  if (stage.own.some(({ name }) => name === `${DATA_PREFIX}${OWN.present}`))
    tellPresence(context.builder, context.data[OWN.present] as Value);
  const reads = stage.reads(context.builder);
  const loss: unknown = build(context, reads as Parameters<typeof build>[1]);
  if (!(loss instanceof Value) || loss.dtype !== "f32" || loss.rank > 0)
    throw new RoundsError(
      "PLAN",
      `the loss of ${stage.name} is ${loss instanceof Value ? loss : describe(loss)}; return an f32 scalar, such as a mean`,
    );
  context.metric("loss", loss);
  const plain = context as unknown as Context;
  addTraining(stage.name, plain, { loss }, optimizer);
  const outputs = context.entries.stepOutputs();
  const made = outputs.map(({ name }) => context.entries.find(name)!);
  const parameters = made.filter(({ parameter }) => parameter).map(({ name }) => name);
  return {
    entries: made.map(({ name, type, init }) => ({ name, type, init })),
    weights: parameters,
    renews,
    begin: (scene) => begin(scene, parameters, stage.name),
    step: () => ({
      builder: context.builder,
      reads,
      graph: (dataNames) => context.builder.finish(outputs, [...outputs.map(({ name }) => name), ...dataNames]),
    }),
  };
}

function begin({ reads, random }: Scene, parameters: readonly string[], turn: string): Map<string, Value> {
  const weights = reads[WEIGHTS];
  const missing = parameters.find((name) => !("has" in weights) || !weights.has(name));
  if (missing !== undefined || !("has" in weights))
    throw new RoundsError(
      "PLAN",
      `${turn} starts from weights that have no ${missing}; read a turn that has all of them`,
    );
  return new Map([[SEED_NAME, random.seed], ...parameters.map((name) => [name, weights.entry(name)] as const)]);
}
