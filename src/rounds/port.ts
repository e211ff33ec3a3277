/** The final state of a seat, as another turn reads it while its graphs are built. */
import type { TensorType } from "../encoding/tensor.ts";
import { RoundsError } from "../errors/index.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { COPY } from "../graph/dense.ts";
import { map } from "../graph/emit.ts";
import { fillInt } from "../graph/fill.ts";
import type { NamedType } from "../graph/graph.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { slice } from "../graph/ops/slice.ts";
import type { Value } from "../graph/value.ts";
import { DATA_PREFIX } from "../job/closed.ts";
import type { Source } from "./source.ts";

/** The input of a graph that says which sources were there, if it has one. */
const PRESENCE = new WeakMap<GraphBuilder, Value>();

/** Says which input of a graph has the presence of all sources: i32 [number of sources]. */
export function tellPresence(builder: GraphBuilder, present: Value | undefined): void {
  if (present) PRESENCE.set(builder, present);
}

/** The entries of a state that a turn reads, by name. Each that is used becomes an input of the graph. */
export class Port {
  private readonly alias: string;
  private readonly layout: () => readonly NamedType[];
  private readonly builder: GraphBuilder | undefined;
  private readonly number: number;
  private readonly made = new Map<string, Value>();

  /**
   * @param number of the source, among all that the turn reads
   * @param builder the graph that reads; absent where only types are asked for
   */
  constructor(alias: string, number: number, layout: () => readonly NamedType[], builder?: GraphBuilder) {
    this.alias = alias;
    this.number = number;
    this.layout = layout;
    this.builder = builder;
  }

  /** The graph that reads, if one is being built. */
  get graph(): GraphBuilder | undefined {
    return this.builder;
  }

  /** The entries of the state, in its order. */
  get types(): readonly NamedType[] {
    return this.layout();
  }

  /**
   * Whether the member was there, in the round that is read: an i32 scalar, 1 or 0. The state of one that was
   * away is its last one. Always 1 where nobody may be away.
   * @throws {RoundsError} where there are types alone
   */
  get present(): Value {
    if (!this.builder) throw new RoundsError("PLAN", `${this.alias} has no values here; take its types`);
    const told = PRESENCE.get(this.builder);
    if (!told) return fillInt(this.builder, [], 1, "present");
    return reshape(slice(told, 0, this.number, this.number + 1), []);
  }

  /** Whether the state has an entry of this name. */
  has(name: string): boolean {
    return this.types.some((type) => type.name === name);
  }

  /**
   * An entry of the state.
   * @param type its type, where it is known without the layout of the other turn, which may depend on this
   *   one
   * @throws {RoundsError} when the state has no such entry
   */
  entry(name: string, type: TensorType = this.typeOf(name)): Value {
    if (!this.builder) throw new RoundsError("PLAN", `${this.alias} has no values here; take its types`);
    const known = this.made.get(name) ?? this.read(this.builder, name, type);
    this.made.set(name, known);
    return known;
  }

  /**
   * A copy of what was handed on: a liar may hand on bits that are no vf32, and an operator that copies makes
   * one of them (spec 3.3). So no lie of this form spreads beyond its own leaf.
   */
  private read(builder: GraphBuilder, name: string, type: TensorType): Value {
    const input = builder.input(inputName(this.alias, name), type);
    if (input.dtype !== "f32") return input;
    return map(COPY.f32, [input], { name: `${this.alias}/${name}`, shape: input.shape });
  }

  /** Makes inputs of the entries that were not used, and gives the names of all. */
  finish(): string[] {
    return this.types.map((type) => {
      const made = this.entry(type.name, type);
      if (made.dtype !== type.dtype || made.shape.join() !== type.shape.join())
        throw new RoundsError("PLAN", `${this.alias} has the entry ${type.name} of another type than ${made}`);
      return inputName(this.alias, type.name);
    });
  }

  private typeOf(name: string): NamedType {
    const type = this.types.find((entry) => entry.name === name);
    if (type) return type;
    const names = this.types.map((entry) => entry.name).join(", ");
    throw new RoundsError("PLAN", `${this.alias} has no entry ${name}; it has ${names}`, { alias: this.alias, name });
  }
}

const inputName = (alias: string, name: string): string => `${DATA_PREFIX}${alias}/${name}`;

/** The ports of declared sources: one, or a list of them for `each`. */
export type Ports<Reads extends Readonly<Record<string, Source>>> = {
  readonly [Alias in keyof Reads]: Reads[Alias] extends Source<"each"> ? readonly Port[] : Port;
};
/** The ports of sources that are not known by their names. */
export type AnyPorts = Readonly<Record<string, Port | readonly Port[]>>;
