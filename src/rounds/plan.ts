/**
 * A plan as data (spec 6.10): turns, job templates and seats. A leaf's job follows from it and from the
 * leaves it reads.
 */
import { type Bytes, Writer } from "../encoding/bytes.ts";
import { type Digest, taggedHash } from "../encoding/hash.ts";
import { listsRoot } from "../encoding/lists.ts";
import { merkleRoot } from "../encoding/merkle.ts";
import { SPEC_VERSION, Tag } from "../encoding/tags.ts";
import { type StateRoot, stateRoot, type Tensor, tensorRoot, type TensorRoot } from "../encoding/tensor.ts";
import { RoundsError } from "../errors/index.ts";
import { type JobId, jobIdOf, type JobOutline, type NamedTensor } from "../job/closed.ts";
import { type RunRoot, runRootOf } from "../trace/commitments.ts";
import { type Beacon, seedsLeaf } from "./beacon.ts";
import { type Storage, storageLeaf } from "./storage.ts";
import { type JobTemplate, type Template, templateRoot, type TemplateRoots } from "./template.ts";
import { OWN } from "./turn.ts";

/** A turn in a plan. */
export interface PlanTurn {
  readonly name: string;
  /** The role that runs it, and how many members that has. */
  readonly by: string;
  readonly members: number;
  /** How many members must be there in a round, where that is fewer. Absent: all of them. */
  readonly quorum?: number;
}

/** Whether a turn may miss members, from round 1. */
export const mayMiss = ({ quorum }: PlanTurn): boolean => quorum !== undefined;

/** A turn of one member. It has one leaf in each round. */
export interface Seat {
  readonly turn: number;
  readonly member: number;
  /** The number of its template. */
  readonly template: number;
  /** The number of the participant that runs it. */
  readonly participant: number;
  /** Its own data, which is the same in each round. */
  readonly shard: readonly NamedTensor[];
  readonly shardRoots: readonly TensorRoot[];
}

/** A member of a role. It has a key, and owns the seats of that role's turns with its number. */
export interface Participant {
  /** `worker-0`: the role and the number. */
  readonly name: string;
  readonly role: string;
  readonly member: number;
}

/** The 32 bytes that name a plan. */
export type PlanId = Digest<"plan">;

/** Everything that is done in all rounds. Two parties with equal plans derive equal jobs. */
export interface Plan {
  readonly id: PlanId;
  readonly name: string;
  /** The number of rounds after round 0, which makes the initial states. */
  readonly rounds: number;
  /** Whether the seeds follow from the record of earlier rounds. Absent: from the plan. */
  readonly seeds?: "record";
  /** Whose values go into seeds that follow from the record. Absent: none. */
  readonly beacon?: Beacon;
  /** Who keeps the states of leaves. Absent: nobody but the recorder and the members that made them. */
  readonly storage?: Storage;
  readonly turns: readonly PlanTurn[];
  /** The members of the turns' roles, then the stores. */
  readonly participants: readonly Participant[];
  readonly templates: readonly Template[];
  /** Turn by turn, and in a turn by member: the order of a round's leaves. */
  readonly seats: readonly Seat[];
}

/** A plan whose graphs and data are known by their roots alone. */
export interface PlanRoots extends Pick<Plan, "name" | "rounds" | "turns" | "seeds" | "beacon" | "storage"> {
  readonly templates: readonly TemplateRoots[];
  readonly seats: readonly Pick<Seat, "turn" | "member" | "template" | "shardRoots">[];
}

/** The leaves of the three trees that a plan's id binds. */
export function planLeaves({ turns, templates, seats }: Pick<PlanRoots, "turns" | "templates" | "seats">) {
  const leaf = (write: (writer: Writer) => Writer): Bytes => taggedHash(Tag.planPart, write(new Writer()).finish());
  return {
    turns: turns.map(({ name, by, members, quorum }) =>
      leaf((writer) => {
        writer.text(name).text(by).u32(members);
        return quorum === undefined ? writer : writer.u32(quorum);
      }),
    ),
    templates: templates.map(templateRoot),
    seats: seats.map(({ turn, member, template, shardRoots }) =>
      leaf((writer) => writer.u32(turn).u32(member).u32(template).bytes(stateRoot(shardRoots))),
    ),
  };
}

/** The id binds every part: a change of one bit gives another. */
export function planIdOf(plan: PlanRoots): PlanId {
  const { turns, templates, seats } = planLeaves(plan);
  const head = new Writer().u32(SPEC_VERSION).u32(plan.rounds, "the number of rounds").text(plan.name).finish();
  const trees = [turns, templates, seats].map((leaves) => merkleRoot(leaves));
  const more = [...(plan.seeds ? [seedsLeaf(plan.beacon)] : []), ...(plan.storage ? [storageLeaf(plan.storage)] : [])];
  return taggedHash(Tag.plan, head, ...trees, ...more);
}

/** The name of a seat: `local-2`. */
export const seatName = ({ turns, seats }: Plan, seat: number): string =>
  `${turns[seats[seat].turn].name}-${seats[seat].member}`;

/** A place in a record: the number of a round, and that of a seat. */
export interface LeafPlace {
  readonly round: number;
  readonly seat: number;
}

/** A place with the names that the plan has for it: the leaf's, and its participant's. */
export function namesOf(plan: Plan, { round, seat }: LeafPlace) {
  const { name: participant } = plan.participants[plan.seats[seat].participant];
  return { round, seat, rounds: plan.rounds, name: seatName(plan, seat), participant };
}

/**
 * The places that a leaf reads, in the order of its job's lists, if nobody is away. Round 0 reads none.
 * `readsOf` says which leaves these are where somebody is.
 */
export function sourcesOf(plan: Plan, { round, seat }: LeafPlace): LeafPlace[] {
  if (round === 0) return [];
  const { member, template } = plan.seats[seat];
  return plan.templates[template].sources.map((source) => ({
    round: Math.max(round - source.before, 0),
    seat: seatOf(plan, source.turn, source.member === "same" ? member : source.member),
  }));
}

/** @throws {RoundsError} when the turn has no such member */
export function seatOf({ seats, turns }: Pick<Plan, "seats" | "turns">, turn: number, member: number): number {
  const seat = seats.findIndex((each) => each.turn === turn && each.member === member);
  if (seat >= 0) return seat;
  throw new RoundsError("PLAN", `the turn ${turns[turn]?.name} has no member ${member}`, { turn, member });
}

/** The template of a leaf's job. */
export function templateOf({ templates, seats }: Plan, { round, seat }: LeafPlace): JobTemplate {
  const template = templates[seats[seat].template];
  return round === 0 ? template.genesis : template.round;
}

/** The steps of a leaf's one segment: a leaf's run commits to its first state and its last. */
export const segmentOf = ({ steps }: Pick<JobTemplate, "steps">): number => Math.max(steps, 1);

const scalar = (value: number): Tensor => ({ dtype: "i32", shape: [], data: Int32Array.of(value) });

/**
 * The seed of a seat in a round. From the plan everybody knows it before the round.
 * @param origin 32 bytes of the round, which a plan needs whose seeds follow from the record
 */
function seedWords(plan: Plan, { round, seat }: LeafPlace, origin?: Bytes): Tensor {
  if (plan.seeds && !origin)
    throw new RoundsError("PLAN", `the seeds of ${plan.name} follow from its record, so its jobs need the record too; give what the seeds of round ${round} follow from`, { round, seat }); // prettier-ignore
  const hash = taggedHash(Tag.roundSeed, origin ?? plan.id, new Writer().u32(round).u32(seat).finish());
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  return { dtype: "i32", shape: [8], data: Int32Array.from({ length: 8 }, (_, i) => view.getInt32(4 * i)) };
}

/** Whether the leaves of a template are told who was there: where one of its sources may be absent. */
export const isToldPresence = ({ turns }: Pick<Plan, "turns">, { sources }: Pick<Template, "sources">): boolean =>
  sources.some(({ turn }) => mayMiss(turns[turn]));

/**
 * A leaf's own list: the seat's data, then its member, the round and the seed, and where a source may be
 * absent, who was there.
 * @param present 1 for each source that was there, else 0, in their order; default: all were
 * @param origin 32 bytes from which the round's seeds follow; default: the plan's id
 * @throws {RoundsError} PLAN without `origin`, where seeds follow from the record
 */
export function ownList(
  plan: Plan,
  place: LeafPlace,
  present?: readonly number[],
  origin?: Bytes,
): { tensors: NamedTensor[]; roots: TensorRoot[] } {
  const { shard, shardRoots, member, template } = plan.seats[place.seat];
  const { length } = plan.templates[template].sources;
  const more: [string, Tensor][] = [
    [OWN.member, scalar(member)],
    [OWN.round, scalar(place.round)],
    [OWN.seed, seedWords(plan, place, origin)],
  ];
  // Round 0 reads nothing, and misses nobody.
  const told = place.round === 0 ? undefined : present;
  if (isToldPresence(plan, plan.templates[template]))
    more.push([OWN.present, { dtype: "i32", shape: [length], data: Int32Array.from({ length }, (_, i) => told?.[i] ?? 1) }]); // prettier-ignore
  return {
    tensors: [...shard, ...more.map(([name, tensor]) => ({ ...tensor, name: `data/${name}` }))],
    roots: [...shardRoots, ...more.map(([, tensor]) => tensorRoot(tensor))],
  };
}

/**
 * The id of a leaf's job, from the final states of the leaves that it reads. Nobody claims it.
 * @param sources their roots, in the order of `sourcesOf`
 * @param present 1 for each that was there, else 0; default: all were
 * @param origin 32 bytes from which the round's seeds follow; default: the plan's id
 * @throws {RoundsError} PLAN without `origin`, where seeds follow from the record
 */
export function deriveJob(
  plan: Plan,
  place: LeafPlace,
  sources: readonly StateRoot[],
  present?: readonly number[],
  origin?: Bytes,
): JobId {
  const template = templateOf(plan, place);
  const own = ownList(plan, place, present, origin).roots;
  const roots = [...sources, stateRoot(own)];
  const lists = roots.map((root, i) => ({ length: template.lists[i], root }));
  return jobIdOf({ ...partsOfTemplate(template), dataset: listsRoot(lists) });
}

function partsOfTemplate({ name, steps, stepRoot, initRoot, lists }: JobTemplate) {
  const info = new Writer().text(name).text("steps").u64(1).finish();
  return { info, steps, step: stepRoot, initKind: "graph" as const, init: initRoot, lists };
}

/** A leaf's job without its data. @param roots of all tensors of its dataset */
export function outlineOfLeaf(template: JobTemplate, roots: readonly TensorRoot[]): JobOutline {
  const { name, steps, step, init, lists } = template;
  return { name, steps, step, unit: { name: "steps", perStep: 1 }, init: { kind: "graph", graph: init }, lists, datasetRoots: roots }; // prettier-ignore
}

/** What a leaf commits to: its job, its first state and its last. */
export interface LeafClaim {
  readonly job: JobId;
  readonly start: StateRoot;
  readonly end: StateRoot;
}

/** The run root of a leaf (spec 6.7): its run has one segment. */
export function leafRoot(template: JobTemplate, { job, start, end }: LeafClaim): RunRoot {
  return runRootOf(job, segmentOf(template), template.steps > 0 ? [start, end] : [end]);
}
