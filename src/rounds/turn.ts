/** A turn: what a role runs once a round, for each of its members. */
import type { TensorType } from "../encoding/tensor.ts";
import { RoundsError } from "../errors/index.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph } from "../graph/graph.ts";
import { fillInt } from "../graph/fill.ts";
import { dense } from "../graph/dense.ts";
import { map } from "../graph/emit.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { slice } from "../graph/ops/slice.ts";
import type { RandomSource } from "../graph/random.ts";
import type { Value } from "../graph/value.ts";
import { DATA_PREFIX, type NamedTensor } from "../job/closed.ts";
import { named } from "../job/data-values.ts";
import { type Initializer, zeros } from "../job/initializers.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import { type AnyPorts, type Ports, tellPresence } from "./port.ts";
import type { Source } from "./source.ts";

/** An entry of a turn's state, and its value in round 0. */
export interface TurnEntry {
  readonly name: string;
  readonly type: TensorType;
  readonly init: Initializer;
}

/**
 * The names of the tensors that a seat is given beside its own data: i32 [], i32 [], i32 [8], and where a
 * source may be absent, i32 [number of sources].
 */
export const OWN = { member: "member", round: "round", seed: "seed", present: "present" } as const;

/**
 * The tensors of a seat as values, by the names that the plan's `data` gave them; with `member`, `round`
 * and `seed`, and with `present` where a source may be absent. A name that it does not have is an error
 * when the plan is closed; a compiler can't know the names.
 */
export type SeatData = Readonly<Record<string, any>>;

/** What a turn's functions are given to build a graph. */
export interface Scene {
  readonly data: SeatData;
  readonly reads: AnyPorts;
  /** The seed of this seat in this round, and the number of the step. */
  readonly random: RandomSource;
}

/** What is known before a turn's graphs are built. */
export interface Stage {
  /** The plan's seed, for initial states. */
  readonly seed: number;
  /** The types of the seat's own data, named as inputs of a graph. */
  readonly own: readonly NamedTensor[];
  /** The name of the turn, for messages. */
  readonly name: string;
  /** Another turn of the plan, whose state this one's follows. */
  laid(turn: Turn): Laid;
  /** The ports of the turn's sources. Without a builder they have types alone. */
  reads(builder?: GraphBuilder): AnyPorts;
}

/** A turn whose state is known. */
export interface Laid {
  readonly entries: readonly TurnEntry[];
  /** The names of the entries that are trained weights. */
  readonly weights: readonly string[];
  /** Whether entries that are kept have their initial values after a round in which the member was away. */
  readonly renews?: boolean;
  /**
   * The values of entries when a round begins. Others are kept from the seat's last round, if it reads that.
   */
  begin(scene: Scene): ReadonlyMap<string, Value>;
  /** The graph of a step, whose inputs are the state and then all data. Absent: nothing changes. */
  step?(): LaidStep;
}

/** What a turn's step is made of. */
export interface LaidStep {
  /** @param dataNames the names of all data, in the order of the graph's inputs */
  graph(dataNames: readonly string[]): Graph;
  readonly builder: GraphBuilder;
  readonly reads: AnyPorts;
}

/** A turn as a plan holds it before it is closed. `train`, `combine` and `turn` make it. */
export interface Turn {
  /** The role whose members run it. */
  readonly by: string;
  /** How many steps a round has; 0: the state is computed once from what is read. */
  readonly steps: number;
  readonly reads: Readonly<Record<string, Source>>;
  /** Builds the turn for seats whose data has certain types. */
  lay(stage: Stage): Laid;
}

/**
 * The name under which a turn reads what it has made before. Entries that it does not begin come from there.
 */
export const KEPT = "own";

/** The options of a turn in its general form. */
export interface TurnOptions<Reads extends Readonly<Record<string, Source>>> {
  /** The role whose members run it. */
  by: string;
  /** What it reads, by names of its own. `own: own()` keeps entries from round to round. */
  reads: Reads;
  /**
   * The entries of its state, with their values in round 0; default zeros. What it reads has types here and
   * no values.
   */
  entries(reads: Ports<Reads>): Readonly<Record<string, TensorType & { init?: Initializer }>>;
  /** The values of entries at the start of each round from the first. */
  begin(scene: Scene & { readonly reads: Ports<Reads> }): Readonly<Record<string, Value>>;
  /** How many steps a round has; default 0. */
  steps?: number;
  /** The values of entries after a step; others keep theirs. */
  step?(scene: Scene & { readonly reads: Ports<Reads>; readonly state: SeatData }): Readonly<Record<string, Value>>;
}

const STEP = "step";

/**
 * A turn in its general form: a state, how it begins in a round, and how a step changes it.
 *
 *     turn({
 *       by: "worker",
 *       reads: { trained: now("local") },
 *       entries: ({ trained }) => ({ message: { dtype: "f32", shape: [trained.types.length] } }),
 *       begin: ({ reads }) => ({ message: stack(…) }),
 *     });
 *
 * @throws {RoundsError} from the plan's `close`, when an entry has another type than its value
 */
export function turn<const Reads extends Readonly<Record<string, Source>>>(options: TurnOptions<Reads>): Turn {
  const { by, reads, steps = 0 } = options;
  return {
    by,
    steps,
    reads,
    lay(stage) {
      const declared = Object.entries(options.entries(stage.reads() as Ports<Reads>));
      const entries = declared.map(
        ([name, { dtype, shape, init }]): TurnEntry => ({ name, type: { dtype, shape }, init: init ?? blank(dtype) }),
      );
      if (steps > 0) entries.push({ name: STEP, type: { dtype: "i32", shape: [] }, init: blank("i32") });
      return {
        entries,
        weights: declared.flatMap(([name, { dtype }]) => (dtype === "f32" ? [name] : [])),
        begin(scene) {
          const given = new Map(Object.entries(options.begin(scene as Parameters<typeof options.begin>[0])));
          if (steps > 0) given.set(STEP, fillInt(scene.random.seed.builder, [], 0, STEP));
          return given;
        },
        ...(steps > 0 && { step: () => stepOf(options, entries, stage) }),
      };
    },
  };
}

const blank =
  (dtype: TensorType["dtype"]): Initializer =>
  (source, shape) =>
    dtype === "f32" ? zeros(source, shape) : fillInt(source.seed.builder, shape, 0, "zeros");

const NEXT = defineProgram("i", (step) => step.add(1));

function stepOf<Reads extends Readonly<Record<string, Source>>>(
  { step, by }: TurnOptions<Reads>,
  entries: readonly TurnEntry[],
  stage: Stage,
) {
  if (!step) throw new RoundsError("PLAN", `a turn of ${by} has steps, but no step; write step(scene)`);
  const builder = new GraphBuilder();
  const state = Object.fromEntries(entries.map(({ name, type }) => [name, builder.input(name, type)]));
  const data = dataIn(builder, stage.own);
  const number = map(NEXT, [state[STEP]], { name: STEP, shape: [] });
  const random = { seed: seedOf(data), step: number };
  const reads = stage.reads(builder);
  const next: Readonly<Record<string, Value>> = {
    ...step({ data, reads: reads as Ports<Reads>, random, state }),
    [STEP]: number,
  };
  const graph = (dataNames: readonly string[]): Graph =>
    builder.finish(
      entries.map(({ name }) => ({ name, value: dense(next[name] ?? state[name], name) })),
      [...entries.map(({ name }) => name), ...dataNames],
    );
  return { graph, builder, reads };
}

/** The seat's own data as inputs of a graph, by the names that the author gave. */
export function dataIn(builder: GraphBuilder, own: readonly NamedTensor[]): SeatData {
  const inputs = own.map((tensor): [string, Value] => [
    tensor.name.slice(DATA_PREFIX.length),
    builder.input(tensor.name, tensor),
  ]);
  tellPresence(builder, new Map(inputs).get(OWN.present));
  return named(inputs);
}

/** The seed of a seat's random numbers in a round: the first word of its seed. */
export function seedOf(data: Readonly<Record<string, Value>>): Value {
  return dense(reshape(slice(data[OWN.seed], 0, 0, 1), []), "seed");
}
