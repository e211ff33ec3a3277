/** Who does what in a round of Psyche: verifiers, trainers and their data, witnesses. */
import { createHash } from "node:crypto";
import * as job from "@verde-ml/verde/job";
import { type Value } from "@verde-ml/verde/job";
import { seedsOf, shuffled, swapOrNot } from "./psyche-draw.ts";
import { count, plus, times } from "./psyche-hash.ts";

const { arange, argsort, eq, fillInt, gather, logicalAnd, logicalNot, lt, reshape, where } = job;
const atLeast1 = (x: Value): Value => where(lt(x, 1), 1, x);

/**
 * The numbers of those in a mask: 0, 1 and so on; i32 [n] → i32 [n]. Others have the number after the last.
 */
export function ranksOf(mask: Value): Value {
  const [n] = mask.shape;
  const before = job.tril(job.broadcastTo(reshape(mask, [1, n]), [n, n]), -1);
  return where(mask, count(before), count(mask));
}

/**
 * Equal parts of a number, of which the first are larger by 1: the parts and where they begin, both i32
 * [most].
 */
export function split(units: number, parts: Value, most: number): { start: Value; size: Value } {
  const at = arange(parts.builder, 0, most);
  const all = fillInt(parts.builder, [], units);
  const [each, rest] = [job.floorDivide(all, parts), job.remainder(all, parts)];
  const isPart = lt(at, parts);
  const size = where(isPart, plus(lt(at, rest), each), 0);
  return { start: plus(times(at, each), where(lt(at, rest), at, rest)), size };
}

/** Who does what in a round: each is i32 [clients]. */
export function drawn(
  mask: Value,
  words: Value,
  { units, witnesses, percent }: Record<"units" | "witnesses" | "percent", number>,
) {
  // prettier-ignore
  const [n] = mask.shape;
  const [total, rank, numbers] = [count(mask), where(mask, ranksOf(mask), 0), arange(mask.builder, 0, n)];
  const [committee, witness] = job.unbind(swapOrNot(seedsOf(words), atLeast1(total), n), 0).map((places) => gather(places, rank)); // prettier-ignore
  const verifiers = job.floorDivide(times(total, percent), 100);
  const verifier = logicalAnd(mask, lt(committee, verifiers));
  const trainer = logicalAnd(mask, logicalNot(verifier));
  const trainers = count(trainer);
  const order = shuffled(argsort(where(trainer, numbers, plus(numbers, n))), trainers, words);
  const [place, parts] = [argsort(order), split(units, atLeast1(trainers), n)];
  // The verifier with a number checks the trainer with that number, by their positions in the committee.
  const wanted = where(verifier, plus(job.remainder(committee, atLeast1(trainers)), verifiers), committee);
  const isWanted = logicalAnd(eq(reshape(wanted, [n, 1]), reshape(committee, [1, n])), reshape(mask, [1, n]));
  const target = where(verifier, job.argmax(job.toFloat(isWanted), -1), numbers);
  const size = where(trainer, gather(parts.size, place), 0);
  return { verifier, trainer, target, witness: logicalAnd(mask, lt(witness, witnesses)), start: gather(parts.start, place), size }; // prettier-ignore
}

/** The SHA-256 of each client's name, by which filters know it: bytes i32 [clients, 32]. */
export const idsOf = (clients: number) =>
  job.intTensor([clients, 32], Array.from({ length: clients }, (_, client) => [...createHash("sha256").update(`client-${client}`).digest()]).flat()); // prettier-ignore

/**
 * Who is there in a round: i32 [rounds + 1, clients].
 * @param absent such as `3@2,3@4`: client-3 misses rounds 2 and 4
 */
export function onlineOf(absent: string, clients: number, rounds: number) {
  const online = Array.from({ length: clients * (rounds + 1) }, () => 1);
  for (const [, client, round] of absent.matchAll(/(\d+)@(\d+)/g))
    if (Number(client) < clients && Number(round) <= rounds) online[Number(round) * clients + Number(client)] = 0;
  return job.intTensor([rounds + 1, clients], online);
}
