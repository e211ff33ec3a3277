/** Job templates: the graphs of a turn, for seats whose data has the same types. */
import type { Digest } from "../encoding/hash.ts";
import { type Bytes, Writer } from "../encoding/bytes.ts";
import { taggedHash } from "../encoding/hash.ts";
import { Tag } from "../encoding/tags.ts";
import { formatType, type TensorType } from "../encoding/tensor.ts";
import { RoundsError } from "../errors/index.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { graphRoot } from "../graph/codec.ts";
import { dense } from "../graph/dense.ts";
import { fillInt } from "../graph/fill.ts";
import { type Graph, type NamedType, outputTypes } from "../graph/graph.ts";
import { where } from "../graph/ops/where.ts";
import type { Value } from "../graph/value.ts";
import type { NamedTensor } from "../job/closed.ts";
import { Port, type AnyPorts } from "./port.ts";
import type { SeatSource } from "./source.ts";
import { dataIn, KEPT, type Laid, OWN, seedOf } from "./turn.ts";

/** The parts of a leaf's job that do not depend on the round. */
export interface JobTemplate {
  readonly name: string;
  readonly steps: number;
  readonly step: Graph;
  readonly init: Graph;
  /** The lengths of the dataset's lists: one for each source, then the seat's own. */
  readonly lists: readonly number[];
  readonly stepRoot: Bytes;
  readonly initRoot: Bytes;
}

/** What seats of one turn run whose data has the same types: in round 0, and in each later round. */
export interface Template {
  /** The number of the turn. */
  readonly turn: number;
  readonly sources: readonly SeatSource[];
  readonly genesis: JobTemplate;
  readonly round: JobTemplate;
}

/** A template whose graphs are known by their roots alone. */
export interface TemplateRoots extends Pick<Template, "turn" | "sources"> {
  readonly genesis: Omit<JobTemplate, "step" | "init">;
  readonly round: Omit<JobTemplate, "step" | "init">;
}

/** The first number of an init graph's random streams, as in jobs. */
const FIRST_INIT_PURPOSE = 2 ** 20;

/** The types of the state that a template's leaves have. */
export const stateOf = ({ round }: Template): NamedType[] => outputTypes(round.step);

/** The parts that have a root of their own. */
function jobTemplate(name: string, steps: number, step: Graph, init: Graph, lists: readonly number[]): JobTemplate {
  return { name, steps, step, init, lists, stepRoot: graphRoot(step), initRoot: graphRoot(init) };
}

/** What a template is built from. */
export interface TemplateParts {
  /** The names of the jobs: of the rounds, and with `/genesis` of round 0. */
  readonly name: string;
  readonly turn: number;
  readonly steps: number;
  readonly seed: number;
  readonly own: readonly NamedTensor[];
  readonly laid: Laid;
  /** The ports of the turn's sources in their order. */
  ports(builder: GraphBuilder): { reads: AnyPorts; all: readonly Port[] };
  /** All sources with `each` written out, in the order of the ports. */
  readonly sources: readonly SeatSource[];
}

/** Builds both jobs of a template. */
export function buildTemplate(parts: TemplateParts): Template {
  const { name, turn, steps, own, laid, sources } = parts;
  const ownNames = own.map((tensor) => tensor.name);
  const init = beginGraph(parts);
  const lists = [...init.lengths, own.length];
  const data = init.graph.inputs;
  const built = steps > 0 ? laid.step?.() : undefined;
  if (steps > 0 && !built) throw new RoundsError("PLAN", `${name} has ${steps} steps, but no step`);
  const passing = (inputs: readonly NamedType[]): Graph => passingGraph(laid, inputs);
  const step = built ? stepGraph(built, ownNames) : passing(data);
  return {
    turn,
    sources,
    genesis: jobTemplate(`${name}/genesis`, 0, passing(data.slice(data.length - own.length)), genesisGraph(parts), [
      own.length,
    ]),
    round: jobTemplate(name, steps, step, init.graph, lists),
  };
}

const portsOf = (reads: AnyPorts): Port[] =>
  Object.values(reads).flatMap((given) => (given instanceof Port ? [given] : given));

function stepGraph(
  { graph, reads }: NonNullable<ReturnType<NonNullable<Laid["step"]>>>,
  ownNames: readonly string[],
): Graph {
  const names = portsOf(reads).flatMap((port) => port.finish());
  return graph([...names, ...ownNames]);
}

/** A step that changes nothing, for jobs that have none. */
function passingGraph({ entries }: Laid, data: readonly NamedType[]): Graph {
  const builder = new GraphBuilder();
  const outputs = entries.map(({ name, type }) => ({ name, value: builder.input(name, type) }));
  for (const type of data) builder.input(type.name, type);
  return builder.finish(outputs);
}

/** Round 0: the initial values, from the plan's seed. */
function genesisGraph({ laid, seed }: TemplateParts): Graph {
  const builder = new GraphBuilder(FIRST_INIT_PURPOSE);
  return builder.finish(laid.entries.map((entry) => ({ name: entry.name, value: initial(builder, entry, seed) })));
}

function initial(builder: GraphBuilder, { name, type, init }: Laid["entries"][number], seed: number): Value {
  const source = { seed: fillInt(builder, [], seed, "seed"), step: fillInt(builder, [], 0, "step") };
  return builder.scope(name, () => fitting(name, type, init(source, type.shape)));
}

function fitting(name: string, type: TensorType, value: Value): Value {
  if (value.dtype === type.dtype && value.shape.join() === type.shape.join()) return dense(value, name);
  throw new RoundsError("PLAN", `the entry ${name} is ${formatType(type)}, and can't be ${value}`, { name });
}

/** Later rounds: what the turn says, else what the seat had, else the initial values. */
function beginGraph(parts: TemplateParts): { graph: Graph; lengths: number[] } {
  const { laid, own, seed, name: turn } = parts;
  const builder = new GraphBuilder(FIRST_INIT_PURPOSE);
  const { reads, all } = parts.ports(builder);
  const data = dataIn(builder, own);
  const random = { seed: seedOf(data), step: data[OWN.round] };
  const given = laid.begin({ data, reads, random });
  for (const name of given.keys())
    if (!laid.entries.some((entry) => entry.name === name))
      throw new RoundsError("PLAN", `${turn} begins the entry ${name}, which its state does not have`);
  const kept = reads[KEPT];
  const outputs = laid.entries.map((entry) => {
    const { name, type } = entry;
    const first = (): Value => initial(builder, entry, seed);
    const keep = (port: Port): Value =>
      laid.renews ? where(port.present, port.entry(name), first()) : port.entry(name);
    const value = given.get(name) ?? (kept instanceof Port ? keep(kept) : first());
    return { name, value: fitting(name, type, value) };
  });
  const names = all.map((port) => port.finish());
  const graph = builder.finish(outputs, [...names.flat(), ...own.map(({ name }) => name)]);
  return { graph, lengths: names.map(({ length }) => length) };
}

/** The 32 bytes that bind a template. */
export function templateRoot({ turn, sources, genesis, round }: TemplateRoots): Digest<"template"> {
  const writer = new Writer().u32(turn, "the number of a turn").u32(sources.length, "the number of sources");
  for (const source of sources)
    writer
      .u32(source.turn, "the number of a turn")
      .u32(source.before, "how many rounds back a source is")
      .u32(source.member === "same" ? 2 ** 32 - 1 : source.member, "the number of a member");
  for (const job of [genesis, round]) {
    writer.text(job.name).u32(job.steps, "the steps of a turn").bytes(job.stepRoot).bytes(job.initRoot);
    writer.u32(job.lists.length, "the number of lists");
    for (const length of job.lists) writer.u32(length, "the length of a list");
  }
  return taggedHash(Tag.planPart, writer.finish());
}
