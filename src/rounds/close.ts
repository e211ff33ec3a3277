/** From the source of a plan to the plan: turns are laid out, templates built, seats given their data. */
import { checkNewName } from "../encoding/name.ts";
import { formatType, type Tensor, tensorRoot } from "../encoding/tensor.ts";
import { describe, isPlainObject } from "../errors/arguments.ts";
import { RoundsError } from "../errors/index.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { DATA_PREFIX, type NamedTensor } from "../job/closed.ts";
import { checkTensor } from "../repops/numbers/tensors.ts";
import type { Beacon } from "./beacon.ts";
import { checkPlan } from "./check-plan.ts";
import { isToldPresence, mayMiss, type Plan, planIdOf, type PlanTurn, type Seat } from "./plan.ts";
import { type AnyPorts, Port } from "./port.ts";
import { SELF, type SeatSource, type Source } from "./source.ts";
import { participantsOf, type StorageSource, storageOf } from "./storage.ts";
import { buildTemplate, type Template } from "./template.ts";
import { type Laid, OWN, type Stage, type Turn } from "./turn.ts";

/** A plan's source with its options filled in. */
export interface OpenPlan {
  readonly name: string;
  readonly rounds: number;
  readonly seed: number;
  /** What the seeds of seats follow from. */
  readonly seeds: Seeds;
  readonly beacon?: Beacon | undefined;
  /** Which role keeps the states of leaves, and how many of it have to. Absent: none. */
  readonly storage?: StorageSource | undefined;
  /** The number of members of each role. */
  readonly members: Readonly<Record<string, number>>;
  readonly turns: Readonly<Record<string, Turn>>;
  /** How many members of a turn must be there in a round, by the names of turns. Absent: all. */
  readonly quorum: Readonly<Record<string, number>>;
  data(role: string, member: number): unknown;
}

/** What the seeds of seats follow from: the plan alone, or the record of the rounds before. */
export type Seeds = "plan" | "record";

const NAME = /^[A-Za-z][A-Za-z0-9]*$/;
const NO_DATA = { [OWN.member]: [], [OWN.round]: [], [OWN.seed]: [8] };

/**
 * Loads the data of all seats, builds both graphs of each turn, and checks that all parts fit together.
 * @throws {RoundsError} for a role, turn or source that does not exist, a role that has nothing to do, or
 *   states that depend on each other
 */
export async function closePlan(open: OpenPlan): Promise<Plan> {
  const names = Object.keys(open.turns);
  const turns = names.map((name): PlanTurn => turnOf(open, name));
  for (const name of Object.keys(open.quorum))
    if (!names.includes(name))
      throw new RoundsError("PLAN", `${open.name} has a quorum of ${name}, which is no turn of it; it has ${names.join(", ")}`); // prettier-ignore
  const [templates, seats] = [[] as Template[], [] as Seat[]];
  const storage = open.storage && storageOf(open.name, open.storage, turns, open.members);
  for (const [role, count] of Object.entries(open.members))
    if (count !== 0 && role !== storage?.by && !turns.some(({ by }) => by === role))
      throw new RoundsError("PLAN", `the role ${role} of ${open.name} has ${describe(count)} members and no turn, so they would have nothing to do; give it a turn, name it in \`storage\`, or leave it out of \`members\``, { role }); // prettier-ignore
  const participants = participantsOf(turns, storage);
  const numbers = new Map<string, number>();
  const shards = new Map<string, NamedTensor[]>();
  const given = [OWN.member, OWN.round, OWN.seed, ...(turns.some(mayMiss) ? [OWN.present] : [])];
  for (const { name, role, member } of participants.filter((each) => each.role !== storage?.by))
    shards.set(name, await shardOf(open, role, member, given));
  const layouts = new Layouts(open, turns, (turn, member) => shards.get(`${turns[turn].by}-${member}`)!);
  for (const [turn, { by, members }] of turns.entries())
    for (let member = 0; member < members; member++) {
      const shard = shards.get(`${by}-${member}`)!;
      const key = `${turn} ${shard.map((tensor) => `${tensor.name} ${formatType(tensor)}`).join(" ")}`;
      if (!numbers.has(key)) numbers.set(key, templates.push(layouts.template(turn, member)) - 1);
      seats.push({
        turn,
        member,
        template: numbers.get(key)!,
        participant: participants.findIndex((each) => each.role === by && each.member === member),
        shard,
        shardRoots: shard.map(tensorRoot),
      });
    }
  const { name, rounds, seeds, beacon } = open;
  const plan = {
    name,
    rounds,
    ...(seeds === "record" && { seeds }),
    ...(beacon && { beacon }),
    ...(storage && { storage }),
    turns,
    participants,
    templates,
    seats,
  };
  const closed = { id: planIdOf(plan), ...plan };
  checkPlan(closed);
  return closed;
}

function turnOf({ turns, members, quorum, name: plan }: OpenPlan, name: string): PlanTurn {
  const { by } = turns[name];
  const count = members[by];
  if (!NAME.test(name) || !NAME.test(by))
    throw new RoundsError("PLAN", `a turn ${name} by ${by} is not possible; names of turns and roles have letters and digits alone`); // prettier-ignore
  if (Number.isInteger(count) && count >= 1) {
    const least: unknown = Object.hasOwn(quorum, name) ? quorum[name] : count;
    if (Number.isInteger(least) && (least as number) >= 1 && (least as number) <= count)
      return { name, by, members: count, ...(least !== count && { quorum: least as number }) };
    throw new RoundsError("PLAN", `the turn ${name} of ${plan} has ${count} members and a quorum of ${describe(least)}; take 1 to ${count}`); // prettier-ignore
  }
  throw new RoundsError(
    "PLAN",
    `the turn ${name} of ${plan} is by ${by}, a role of ${describe(count)} members; give it a whole number of them, 1 or more`,
  );
}

async function shardOf(open: OpenPlan, role: string, member: number, kept: readonly string[]): Promise<NamedTensor[]> {
  const data: unknown = await open.data(role, member);
  if (!isPlainObject(data))
    throw new RoundsError("PLAN", `the data of ${role} ${member} is ${describe(data)}; return tensors by name`);
  const given = Object.entries(data as Record<string, Tensor | undefined>).flatMap(([name, tensor]) => (tensor ? [{ name, tensor }] : [])); // prettier-ignore
  return given.map(({ name, tensor }) => {
    checkNewName(name, "the name of a tensor of a member's data");
    if (kept.includes(name))
      throw new RoundsError("PLAN", `${role} ${member} has data called ${name}, which each seat is given; rename it`);
    checkTensor(tensor, `${role} ${member}, ${name}`);
    return { ...tensor, name: `${DATA_PREFIX}${name}` };
  });
}

/** The layouts of turns, each made when it is first needed: a turn may read another's types. */
class Layouts {
  private readonly open: OpenPlan;
  private readonly turns: readonly PlanTurn[];
  private readonly shard: (turn: number, member: number) => readonly NamedTensor[];
  private readonly known = new Map<string, Laid>();
  private readonly pending: string[] = [];

  constructor(open: OpenPlan, turns: readonly PlanTurn[], shard: Layouts["shard"]) {
    this.open = open;
    this.turns = turns;
    this.shard = shard;
  }

  template(turn: number, member: number): Template {
    const { name, steps } = this.source(turn);
    const sources = this.sources(turn);
    const own = this.own(turn, member);
    const laid = this.laid(turn, own);
    return buildTemplate({
      name: `${this.open.name}/${name}`,
      turn,
      steps,
      seed: this.open.seed,
      own,
      laid,
      sources: sources.flatMap(({ seats }) => seats),
      ports: (builder) => {
        const reads = this.reads(turn, builder);
        return { reads, all: sources.flatMap(({ alias }) => reads[alias]) };
      },
    });
  }

  private source(turn: number): Turn & { name: string } {
    const { name } = this.turns[turn];
    return { ...this.open.turns[name], name };
  }

  private own(turn: number, member: number): NamedTensor[] {
    const sources = this.sources(turn).flatMap(({ seats }) => seats);
    const present = isToldPresence({ turns: this.turns }, { sources }) && { [OWN.present]: [sources.length] };
    const more = Object.entries({ ...NO_DATA, ...present }).map(([name, shape]): NamedTensor => {
      const data = new Int32Array(shape.reduce((count, extent) => count * extent, 1));
      return { name: `${DATA_PREFIX}${name}`, dtype: "i32", shape, data };
    });
    return [...this.shard(turn, member), ...more];
  }

  private laid(turn: number, own = this.own(turn, 0)): Laid {
    const { name } = this.turns[turn];
    const key = `${turn} ${own.map((tensor) => `${tensor.name} ${formatType(tensor)}`).join(" ")}`;
    const known = this.known.get(key);
    if (known) return known;
    if (this.pending.includes(name))
      throw new RoundsError(
        "PLAN",
        `the states of ${[...this.pending, name].join(" and ")} depend on each other; ` +
          "give reads.NAME.entry(name, type) the type, or declare one of the states without the other",
      );
    this.pending.push(name);
    try {
      const stage: Stage = {
        name: `${this.open.name}/${name}`,
        seed: this.open.seed,
        own,
        laid: (other) => this.laid(this.numberOf(other, name)),
        reads: (builder) => this.reads(turn, builder),
      };
      const laid = this.source(turn).lay(stage);
      this.known.set(key, laid);
      return laid;
    } finally {
      this.pending.pop();
    }
  }

  private numberOf(other: Turn, reader: string): number {
    const number = this.turns.findIndex(({ name }) => this.open.turns[name] === other);
    if (number >= 0) return number;
    throw new RoundsError("PLAN", `${reader} has the weights of a turn that is not in the plan; return that one too`);
  }

  private reads(turn: number, builder?: GraphBuilder): AnyPorts {
    let number = 0;
    return Object.fromEntries(
      this.sources(turn).map(({ alias, source, seats }) => {
        const ports = seats.map(({ turn: from, member }, i) => {
          const types = () => this.laid(from, this.own(from, member === "same" ? 0 : member)).entries;
          const named = () => types().map(({ name, type }) => ({ name, ...type }));
          return new Port(source.which === "each" ? `${alias}.${i}` : alias, number++, named, builder);
        });
        return [alias, source.which === "each" ? ports : ports[0]];
      }),
    );
  }

  private sources(turn: number): { alias: string; source: Source; seats: SeatSource[] }[] {
    const { reads } = this.source(turn);
    return Object.entries(reads).map(([alias, source]) => ({ alias, source, seats: this.seats(turn, alias, source) }));
  }

  private seats(turn: number, alias: string, source: Source): SeatSource[] {
    const { name, by } = this.turns[turn];
    const from = source.turn === SELF ? turn : this.turns.findIndex((each) => each.name === source.turn);
    const what = `the turn ${name} reads ${alias} from ${source.turn}`;
    if (from < 0) throw new RoundsError("PLAN", `${what}, which is no turn of the plan`);
    const { before, member } = source;
    if (before === 0 && from >= turn)
      throw new RoundsError("PLAN", `${what} of this round, which is not to its left; write before(${source.turn})`);
    const { members, by: owner } = this.turns[from];
    if (member === "each") return Array.from({ length: members }, (_, i) => ({ turn: from, before, member: i }));
    const same = owner === by ? "same" : members === 1 ? 0 : undefined;
    const chosen = member ?? same;
    if (chosen === undefined || (typeof chosen === "number" && !(chosen >= 0 && chosen < members)))
      throw new RoundsError("PLAN", `${what}, which has ${members} members; name one of them, or read each(…)`);
    return [{ turn: from, before, member: chosen }];
  }
}
