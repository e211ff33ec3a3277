/** A turn that combines weights: one value of each from what several members have made. */
import { RoundsError } from "../errors/index.ts";
import { Value } from "../graph/value.ts";
import { zeros } from "../job/initializers.ts";
import { Port, type AnyPorts, type Ports } from "./port.ts";
import { own, type Source } from "./source.ts";
import { KEPT, type Laid, type Scene, type Stage, type Turn, type TurnEntry } from "./turn.ts";

/** What each source has of one weight: a value, or a list of them for `each`. */
export type WeightValues<Reads extends Readonly<Record<string, Source>>> = {
  readonly [Alias in keyof Reads]: Reads[Alias] extends Source<"each"> ? readonly Value[] : Value;
};

/** Who was there of each source: an i32 scalar, 1 or 0, or a list of them for `each`. */
export type Presence<Reads extends Readonly<Record<string, Source>>> = WeightValues<Reads>;

/** The own values of one weight, from the round before: `weight`, and what the turn keeps. */
export type OwnValues<Keeps extends string> = { readonly [Name in Keeps | "weight"]: Value };

/** The options of a turn that combines weights. */
export interface CombineOptions<Reads extends Readonly<Record<string, Source>>, Keeps extends string> {
  /** The role whose members combine. */
  by: string;
  /** The turn whose weights this one has too. In round 0 they have its initial values. */
  weightsOf: Turn;
  /** What it reads. */
  reads: Reads;
  /**
   * What it keeps of each weight from round to round, initially zeros: `["momentum"]`. With `[]`: the weight.
   */
  keeps?: readonly Keeps[];
  /**
   * The next value of one weight, or of it and of what is kept. It is called for each weight.
   * @param own the values of the round before; only with `keeps`
   * @param reads the values that the sources have
   * @param weight its name and number; `present` says who was there, of each source; `ports` for entries of
   *   the sources that have other names; the seat's `data` with `member` and `round`, and `random` for random
   *   numbers
   */
  next(
    own: OwnValues<Keeps>,
    reads: WeightValues<Reads>,
    weight: {
      readonly name: string;
      readonly index: number;
      readonly present: Presence<Reads>;
      readonly ports: Ports<Reads>;
    } & Omit<Scene, "reads">,
  ): Value | ({ readonly weight: Value } & { readonly [Name in Keeps]: Value });
}

/**
 * A turn of 0 steps that makes each weight from what others have made of it.
 *
 *     const reads = { clients: each("local") };
 *     combine({ by: "server", weightsOf: local, reads, next: (_, { clients }) => mean(clients) })
 *
 * @throws {RoundsError} from the plan's `close`, when a source has no weight of the name, or `next` gives no
 *   value
 */
export function combine<const Reads extends Readonly<Record<string, Source>>, const Keeps extends string = never>(
  options: CombineOptions<Reads, Keeps>,
): Turn {
  const { by, reads, keeps } = options;
  return {
    by,
    steps: 0,
    reads: { ...reads, ...(keeps && { [KEPT]: own() }) },
    lay: (stage) => layCombining(options as unknown as CombineOptions<Record<string, Source>, string>, stage),
  };
}

function layCombining(options: CombineOptions<Record<string, Source>, string>, stage: Stage): Laid {
  const { weightsOf, keeps = [] } = options;
  const from = stage.laid(weightsOf);
  const weights = from.entries.filter(({ name }) => from.weights.includes(name));
  const kept = keeps.flatMap((keep) =>
    weights.map(({ name, type }): TurnEntry => ({ name: `${keep}/${name}`, type, init: zeros })),
  );
  return {
    entries: [...weights, ...kept],
    weights: weights.map(({ name }) => name),
    begin: (scene) => new Map(weights.flatMap(({ name }, index) => nextOf(options, stage, scene, { name, index }))),
  };
}

function nextOf(
  { keeps, next }: CombineOptions<Record<string, Source>, string>,
  stage: Stage,
  { reads, data, random }: Scene,
  weight: { name: string; index: number },
): [string, Value][] {
  const { [KEPT]: before, ...others } = reads as AnyPorts & { [KEPT]?: Port };
  const { name } = weight;
  const ofOwn = (what: string): Value => {
    if (before) return before.entry(what === "weight" ? name : `${what}/${name}`);
    throw new RoundsError("PLAN", `${stage.name} does not keep its own weights; write keeps: [] to read them`);
  };
  const known = { get weight() { return ofOwn("weight"); } }; // prettier-ignore
  for (const keep of keeps ?? []) Object.defineProperty(known, keep, { get: () => ofOwn(keep) });
  // A source need not have the weight where only its ports are used.
  const ofEach = (take: (port: Port) => Value): Record<string, unknown> => {
    const values: Record<string, unknown> = {};
    for (const [alias, port] of Object.entries(others))
      Object.defineProperty(values, alias, { get: () => (port instanceof Port ? take(port) : port.map(take)) });
    return values;
  };
  const values = ofEach((port) => port.entry(name));
  const builder = firstOf(others);
  const made = builder.scope(name, () =>
    next(known, values as Parameters<typeof next>[1], {
      ...weight,
      data,
      random,
      present: ofEach((port) => port.present) as Parameters<typeof next>[2]["present"],
      ports: others as Parameters<typeof next>[2]["ports"],
    }),
  );
  const all: Readonly<Record<string, unknown>> = made instanceof Value ? { weight: made } : made;
  return ["weight", ...(keeps ?? [])].map((what) => {
    const value = all[what];
    if (value instanceof Value) return [what === "weight" ? name : `${what}/${name}`, value];
    throw new RoundsError("PLAN", `${stage.name} gives no ${what} for ${name}; return { ${["weight", ...(keeps ?? [])].join(", ")} }`); // prettier-ignore
  });
}

function firstOf(reads: AnyPorts) {
  const [port] = Object.values(reads).flatMap((given) => (given instanceof Port ? [given] : given));
  const builder = port?.graph;
  if (builder) return builder;
  throw new RoundsError("PLAN", "a turn that combines reads nothing; name a source, such as each(…)");
}
