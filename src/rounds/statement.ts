/** What participants sign (spec 6.10): a leaf by its owner, and the list of rounds by the recorder. */
import { isSignedBy } from "../claims/signature.ts";
import { digestOf, type SentenceKind } from "../claims/typed-data.ts";
import { type Bytes, Writer } from "../encoding/bytes.ts";
import { type Digest, taggedHash } from "../encoding/hash.ts";
import { hashLeaf, merkleRoot } from "../encoding/merkle.ts";
import { Tag } from "../encoding/tags.ts";
import type { RunRoot } from "../trace/commitments.ts";
import { type LeafClaim, type LeafPlace, leafRoot, type Plan, type PlanId, templateOf } from "./plan.ts";

/** The 32 bytes that name one performance of a plan. */
export type InstanceId = Digest<"instance">;

/** One performance of a plan, by certain keys. Signatures name it, so none counts for another performance. */
export interface Instance {
  readonly id: InstanceId;
  readonly plan: PlanId;
  /** 32 bytes that make it another than earlier ones. */
  readonly salt: Bytes;
  /** The addresses of the participants, in the plan's order: 20 bytes each. */
  readonly owners: readonly Bytes[];
  /** The address of the one that keeps the record. */
  readonly recorder: Bytes;
  /** Where it is staked. Absent: on no chain. */
  readonly chain?: InstanceChain;
}

/** The chain of an instance, and the contract that manages it. */
export interface InstanceChain {
  /** The number of the chain. */
  readonly id: number;
  /** 20 bytes. */
  readonly contract: Bytes;
}

/** The chain and the contract of an instance that is on none. */
const NO_CHAIN: InstanceChain = { id: 0, contract: new Uint8Array(20) };

/** One performance of a plan. Without a chain no contract knows it. */
export function instanceOf(parts: Omit<Instance, "id">): Instance {
  const { plan, salt, owners, recorder, chain = NO_CHAIN } = parts;
  const writer = new Writer().bytes(plan).bytes(new Uint8Array(24)).u64(chain.id).bytes(chain.contract);
  writer.bytes(salt).u32(owners.length);
  for (const owner of owners) writer.bytes(owner);
  return { ...parts, id: taggedHash<"instance">(Tag.instance, writer.bytes(recorder).finish()) };
}

/** A leaf as its owner hands it on: its claim opens the run root that is signed. */
export interface Statement extends LeafPlace, LeafClaim {
  /** 65 bytes. */
  readonly signature: Bytes;
}

/** A kind of sentence that is signed in rounds. @param type as EIP-712 writes it */
export const roundsSentence = (type: string): SentenceKind => ({ domain: "Verde rounds", type });

const LEAF = roundsSentence("Leaf(bytes32 instance,uint32 round,uint32 seat,bytes32 run)");
const RECORD = roundsSentence("Record(bytes32 instance,uint32 rounds,bytes32 record)");

/** The 32 bytes that a leaf's owner signs (EIP-712). */
export function leafDigest({ id }: Instance, { round, seat }: LeafPlace, run: RunRoot): Bytes {
  return digestOf(LEAF, [id, round, seat, run]);
}

/**
 * The 32 bytes that the recorder signs after a round.
 * @param rounds how many rounds the record has, with round 0
 */
export function recordDigest({ id }: Instance, rounds: number, record: Bytes): Bytes {
  return digestOf(RECORD, [id, rounds, record]);
}

/** The run root that a statement is about. */
export const runOf = (plan: Plan, statement: Statement): RunRoot => leafRoot(templateOf(plan, statement), statement);

/**
 * Whether the first state of a leaf can be shown on a chain: with steps it is not zero, since zero stands for
 * none there. So a contract would find another run root than the one that was signed (spec 6.10).
 */
const hasStart = (plan: Plan, statement: Statement): boolean =>
  templateOf(plan, statement).steps === 0 || statement.start.some((byte) => byte !== 0);

/** Whether the seat's owner has signed the leaf, in this instance, in a form that counts. */
export function isOwners(plan: Plan, instance: Instance, statement: Statement): boolean {
  const owner = instance.owners[plan.seats[statement.seat].participant];
  const digest = leafDigest(instance, statement, runOf(plan, statement));
  return hasStart(plan, statement) && isSignedBy(owner, digest, statement.signature);
}

/** The word of a seat whose member was away in a round, from the run root of the leaf that stands for it. */
export const absentWord = (standing: RunRoot): Bytes => taggedHash(Tag.absentLeaf, standing);

/** The root of a round: a tree over the words of its seats, each a run root or `absentWord`. */
export function roundRootOf(words: readonly Bytes[]): Bytes {
  return merkleRoot(words.map((word) => hashLeaf(Tag.turnLeaf, word)));
}

/** The root of a record: the plan, the number of rounds, and a tree over their roots. */
export function recordRootOf(plan: PlanId, rounds: readonly Bytes[]): Bytes {
  return recordRootOfTree(plan, rounds.length, merkleRoot(rounds.map((root) => hashLeaf(Tag.roundLeaf, root))));
}

/** The root of a record, from the root of its tree. */
export function recordRootOfTree(plan: PlanId, rounds: number, tree: Bytes): Bytes {
  return taggedHash(Tag.record, plan, new Writer().u32(rounds, "the number of rounds").finish(), tree);
}
