/**
 * What Psyche's witnesses say, in Bloom filters, and what its coordinator reads there, as integers of a
 * graph. A witness that verifies also says whom it accuses.
 */
import * as job from "@verde-ml/verde/job";
import { type Value } from "@verde-ml/verde/job";
import { defineProgram } from "@verde-ml/verde/repops";
import { count, integers, placesOf, plus, sha256 } from "./psyche-hash.ts";

const { eq, ge, gather, logicalAnd, lt, ne, reshape, where } = job;
/** The bits of a filter. */
const SIZE = 1024;

const IS_AT = defineProgram("iii", (place, mask, bit) => mask.eq(0).selectInt(0, place.eq(bit).selectInt(1, 0)));
/** A Bloom filter with the items of a mask: places i32 [items, keys] and mask i32 [items] → 32 words. */
export function filterOf(places: Value, mask: Value): Value {
  const [n] = [places.shape[0] * places.shape[1]];
  const shape = [SIZE, n];
  const flat = (x: Value) => job.broadcastTo(reshape(job.broadcastTo(x, places.shape), [1, n]), shape);
  const hits = job.map(IS_AT, [flat(places), flat(reshape(mask, [-1, 1])), { coordinate: 0 }], { name: "filter-bits", shape }); // prettier-ignore
  return job.packBits(job.any(hits, [1]), 1);
}

const BIT = defineProgram("ii", (word, place) => word.shr(place.and(31)).and(1));
/** Whether a filter has all bits of items: 32 words and places i32 [items, keys] → i32 [items]. */
export const contains = (filter: Value, places: Value): Value =>
  job.all(integers("filter-bit", BIT, gather(filter, job.bitwiseRightShift(places, 5)), places), [1]);

/** A filter with the keys of its witness, and whether the witness has sent it. */
export interface Filter {
  words: Value;
  keys: Value;
  isIn: Value;
}
const found = ({ words, keys, isIn }: Filter, bytes: Value): Value => logicalAnd(contains(words, placesOf(bytes, keys, SIZE)), isIn); // prettier-ignore
/** In how many filters items are: bytes i32 [items, 32] → i32 [items]. */
export const scoreOf = (filters: readonly Filter[], bytes: Value): Value =>
  filters.map((filter) => found(filter, bytes)).reduce((sum, one) => plus(sum, one));

/**
 * The commitment on which witnesses agree: each votes for the first that its filter has, and of equal scores
 * the last one wins: bytes i32 [commitments, 32] → the number, or -1.
 */
export function consensusOf(filters: readonly Filter[], bytes: Value, quorum: number): Value {
  const [n] = bytes.shape;
  const votes = filters.map((filter) => {
    const has = found(filter, bytes);
    return logicalAnd(has, eq(count(job.tril(job.broadcastTo(reshape(has, [1, n]), [n, n]), -1)), 0));
  });
  const scores = votes.reduce((sum, one) => plus(sum, one));
  const best = (at: number, score: Value): Value => job.slice(score, 0, at, at + 1);
  let [winner, highest] = [job.fillInt(bytes.builder, [1], -1), job.fillInt(bytes.builder, [1], quorum)];
  for (let i = 0; i < n; i++) {
    const isBest = ge(best(i, scores), highest);
    [winner, highest] = [where(isBest, job.fillInt(bytes.builder, [1], i), winner), where(isBest, best(i, scores), highest)]; // prettier-ignore
  }
  return reshape(winner, []);
}

/**
 * The root of a tree as Solana makes it: a leaf is the hash of 0 and its bytes, a node that of 1 and two
 * hashes, and a last one without a neighbour is its own: bytes i32 [items, n] → i32 [32].
 */
export function merkleRootOf(items: Value): Value {
  const after = (first: number, bytes: Value) => sha256(job.concat([job.fillInt(bytes.builder, [bytes.shape[0], 1], first), bytes], 1)); // prettier-ignore
  let level = after(0, items);
  while (level.shape[0] > 1) {
    const [n] = level.shape;
    const even = n % 2 === 0 ? level : job.concat([level, job.slice(level, 0, n - 1, n)], 0);
    level = after(1, reshape(even, [even.shape[0] / 2, 64]));
  }
  return reshape(level, [32]);
}

/** The element of a list at a number: i32 [] → the shape without the first axis. */
export const one = (values: Value, at: Value): Value => reshape(gather(values, reshape(at, [1])), values.shape.slice(1)); // prettier-ignore

/** What a client has received: the commitments and whether their clients were online, and their SHA-256. */
export type Received = Readonly<Record<"commitments" | "online" | "ids", Value>>;
/** The roles of a round, as masks and numbers of all clients. */
export type Roles = Readonly<Record<"verifier" | "trainer" | "target" | "witness", Value>>;

/** What a client says of a round, if it is a witness, and whom it accuses, if it is a verifier, or -1. */
export function says(
  roles: Roles,
  { commitments, online, ids }: Received,
  { member, keys }: Record<"member" | "keys", Value>,
) {
  // prettier-ignore
  const isOnline = one(online, member);
  const isIn = logicalAnd(one(roles.witness, member), isOnline);
  const filter = (bytes: Value, mask: Value) => filterOf(placesOf(bytes, keys, SIZE), logicalAnd(logicalAnd(mask, online), isIn)); // prettier-ignore
  const target = one(roles.target, member);
  const differs = ne(count(ne(one(commitments, member), one(commitments, target))), 0);
  const accuses = logicalAnd(logicalAnd(one(roles.verifier, member), isOnline), differs);
  const participants = filter(ids, job.logicalOr(roles.trainer, roles.verifier));
  // What was not received is zeros in the tree.
  const isSeen = logicalAnd(logicalAnd(roles.trainer, online), isIn);
  const root = merkleRootOf(where(reshape(isSeen, [-1, 1]), commitments, 0));
  return { participants, broadcasts: filter(commitments, roles.trainer), root, keys, isIn, accused: where(accuses, target, -1) }; // prettier-ignore
}

/** What the coordinator makes of that: whose messages count in the mean. All are masks of clients. */
export function judged(
  said: readonly Readonly<Record<"participants" | "broadcasts" | "keys" | "isIn" | "accused", Value>>[],
  { trainer }: Roles,
  { commitments, ids }: Received,
  quorum: number,
) {
  // prettier-ignore
  const filters = (words: "participants" | "broadcasts") => said.map((one) => ({ ...one, words: one[words] }));
  const healthy = ge(scoreOf(filters("participants"), ids), quorum);
  const accepted = logicalAnd(ge(scoreOf(filters("broadcasts"), commitments), quorum), trainer);
  const n = said.length;
  const numbers = reshape(job.arange(trainer.builder, 0, n), [n, 1]);
  const accused = lt(0, count(eq(numbers, reshape(job.stack(said.map((one) => one.accused)), [1, n]))));
  return { healthy, accepted, accused, counts: logicalAnd(logicalAnd(accepted, healthy), job.logicalNot(accused)) };
}
