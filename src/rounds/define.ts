/** `defineRounds`: a plan of many participants as its author writes it. */
import { checkNewName } from "../encoding/name.ts";
import type { Tensor } from "../encoding/tensor.ts";
import { describe, isPlainObject } from "../errors/arguments.ts";
import { RoundsError } from "../errors/index.ts";
import { type DeclaredOptions, type JobOptions, type Overrides, readOptions, resolveOptions } from "../job/options.ts";
import type { Resolved } from "../job/define.ts";
import { type Beacon, isBeacon } from "./beacon.ts";
import { closePlan, type Seeds } from "./close.ts";
import type { Plan } from "./plan.ts";
import type { StorageSource } from "./storage.ts";
import type { Turn } from "./turn.ts";

/** The options as a plan's functions see them. */
export type RoundsOptions<Options extends DeclaredOptions> = Omit<Resolved<Options>, "steps"> & {
  readonly rounds: number;
};

/** The tensors of a member by name. One that is absent is no data. */
export type MemberData = Readonly<Record<string, Tensor | undefined>>;

/** What the author of a plan writes. */
export interface RoundsSource<Options extends DeclaredOptions> {
  /** The name of the plan in records and messages. */
  name: string;
  /** How many rounds follow the initial states, unless a run sets another number: 1 or more. */
  rounds: number;
  /** A 32-bit integer for initial states, unless a run sets another; default 0. */
  seed?: number;
  /**
   * What the seeds of seats follow from. `"plan"`, the default: everybody knows them before the first round,
   * and all performances have the same. `"record"`: from the record of the earlier rounds, so nobody knows
   * them before these are performed, and each performance has others. A function gets the options, and
   * returns one of the two.
   */
  seeds?: Seeds | ((options: RoundsOptions<Options>) => string);
  /**
   * With `seeds: "record"`: a drand network whose values go into the seeds too, so that nobody can compute
   * them before these are published: `{ ...QUICKNET, first: 40_000_000, every: 200 }`. Default: none. A
   * function gets the options.
   */
  beacon?: Beacon | ((options: RoundsOptions<Options>) => Beacon | undefined);
  /**
   * A role of `members` that has no turn, and keeps the states of leaves: `{ by: "store", copies: 2 }`. A
   * leaf counts when so many of its members have signed that they hold it. A function gets the options.
   * Default: none.
   */
  storage?: StorageSource | ((options: RoundsOptions<Options>) => StorageSource | undefined);
  /** The options that can be set with `--name value`. */
  options?: Options;
  /** How many members each role has. */
  members(options: RoundsOptions<Options>): Readonly<Record<string, number>>;
  /** The data of one member, which all its seats are given; default none. The plan's id commits to it. */
  data?(role: string, member: number, options: RoundsOptions<Options>): MemberData | Promise<MemberData>;
  /**
   * How many members of a turn must be there in a round, by the names of turns: `() => ({ local: 2 })`.
   * Others may be away from round 1; what they have made last stands in for them. Default: all members of
   * all turns.
   */
  quorum?(options: RoundsOptions<Options>): Readonly<Record<string, number>>;
  /** The turns of a round by name, in their order. A turn reads this round's turns to its left. */
  turns(options: RoundsOptions<Options>): Readonly<Record<string, Turn>>;
}

/** A plan that can be closed. `defineRounds` makes it, and a module exports it. */
export interface RoundsDefinition {
  readonly name: string;
  /** The names and defaults of the values that a run may set. */
  readonly options: JobOptions;
  /** What options set, where the author has said it. */
  readonly docs: Readonly<Record<string, string>>;
  /**
   * Loads the data, builds the jobs of all turns, and checks that all parts fit together.
   * @param overrides the values that differ from the defaults; a text is accepted for a number
   * @throws {JobError} for unknown or ill-typed options
   * @throws {RoundsError} for parts that do not fit together
   */
  close(overrides?: Overrides): Promise<Plan>;
}

/** The names that `verde rounds run` keeps for itself. */
const KEPT_NAMES = (
  "help version json out rounds seed beacon participants as network nkey listen reached-at patience checkpoint-every fault resume force backend threads progress quiet away censor twice salt keystore password-file " +
  "terms rpc deployment journal confirmations max-fee replace dry-run approve no-approve account recorder reward stake bond price to-join to-record to-challenge to-answer policy accept-risk"
).split(" ");
const RESERVED = { command: "verde rounds run", has: (name: string) => KEPT_NAMES.includes(name) };

const whole = (value: unknown, least: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) < 2 ** 31;

/**
 * Defines a plan: roles with members, and the turns that they run in each round. A module exports it as its
 * default. docs/rounds.md explains the words.
 *
 *     export default defineRounds({
 *       name: "fedavg",
 *       rounds: 3,
 *       members: () => ({ client: 5, server: 1 }),
 *       data: (role, member) => (role === "client" ? { x: shardOf(member) } : {}),
 *       turns() {
 *         const local = train({ by: "client", steps: 10, weights: "merge", loss, optimizer });
 *         const merge = combine({ by: "server", weightsOf: local, reads: { clients: each("local") }, next });
 *         return { local, merge };
 *       },
 *     });
 *
 * @throws {JobError} for an option that can't have its name or its default
 * @throws {RoundsError} for a source that lacks a part
 */
export function defineRounds<const Options extends DeclaredOptions = Record<never, never>>(
  source: RoundsSource<Options>,
): RoundsDefinition {
  checkNewName(source.name, "the name of a plan");
  for (const part of ["members", "turns"] as const)
    if (typeof source[part] !== "function")
      throw new RoundsError("PLAN", `${source.name}: its ${part} is ${describe(source[part])}; write a function`);
  const { defaults: own, docs, ranges } = readOptions(source.name, source.options ?? {}, RESERVED);
  const defaults: JobOptions = { rounds: source.rounds, seed: source.seed ?? 0, ...own };
  return {
    name: source.name,
    options: defaults,
    docs,
    close: async (overrides = {}) => {
      const options = resolveOptions(source.name, defaults, overrides, ranges);
      const { rounds, seed } = options as { rounds: number; seed: number };
      if (!whole(rounds, 1) || !whole(seed, -(2 ** 31)))
        throw new RoundsError("PLAN", `${rounds} rounds with the seed ${seed} are not possible; take 1 round or more, and a 32-bit seed`); // prettier-ignore
      const given = options as unknown as RoundsOptions<Options>;
      const [members, turns] = [source.members(given), source.turns(given)];
      if (!isPlainObject(members) || !isPlainObject(turns) || Object.keys(turns).length === 0)
        throw new RoundsError("PLAN", `${source.name} has no turns; return them by name: { local, merge }`);
      const quorum: unknown = source.quorum?.(given) ?? {};
      if (!isPlainObject(quorum))
        throw new RoundsError("PLAN", `the quorum of ${source.name} is ${describe(quorum)}; return numbers by turns: { local: 2 }`); // prettier-ignore
      const seeds: unknown = typeof source.seeds === "function" ? source.seeds(given) : (source.seeds ?? "plan");
      if (seeds !== "plan" && seeds !== "record")
        throw new RoundsError("PLAN", `the seeds of ${source.name} follow from ${describe(seeds)}; write "plan" or "record"`); // prettier-ignore
      const beacon = typeof source.beacon === "function" ? source.beacon(given) : source.beacon;
      if (beacon !== undefined && !(seeds === "record" && isBeacon(beacon)))
        throw new RoundsError("PLAN", `${source.name} has a beacon that is none, or whose values no seeds need; write seeds: "record" and beacon: { ...QUICKNET, first, every }, with whole numbers from 1 on`); // prettier-ignore
      const storage: unknown = typeof source.storage === "function" ? source.storage(given) : source.storage;
      if (storage !== undefined && !isPlainObject(storage))
        throw new RoundsError("PLAN", `the storage of ${source.name} is ${describe(storage)}; return { by: "store", copies: 2 }, or nothing`); // prettier-ignore
      const data = async (role: string, member: number) => (await source.data?.(role, member, given)) ?? {};
      return closePlan({ name: source.name, rounds, seed, seeds, beacon, storage: storage as StorageSource | undefined, members, turns, quorum: quorum as Record<string, number>, data }); // prettier-ignore
    },
  };
}
