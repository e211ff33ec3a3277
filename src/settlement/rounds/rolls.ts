/**
 * Rolls as the contracts are shown them (contracts/rounds/RoundTypes.sol), and what they show of a record.
 */
import { bytesToHex, type Hex } from "viem";
import { fromHex } from "../../encoding/bytes.ts";
import { hasQuorum, isRecorders, isRolled, type Roll, sameRoll, turnOf, type TurnPlace } from "../../rounds/roll.ts";
import { type LeafPlace, type Plan, sourcesOf } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import type { Statement } from "../../rounds/statement.ts";
import type { PostedRecord } from "./evidence.ts";
import type { RoundTerms } from "./terms.ts";

/** The contract's `SignedRoll`. */
export interface ShownRoll extends TurnPlace {
  /** Bit i: member i was there. */
  readonly present: bigint;
  readonly signature: Hex;
}

/** Signs a roll, as the recorder: a record on a chain in this process is signed anew. */
type SignsRoll = (roll: Roll) => Hex;

/** The signature that a roll has. */
const ownSignature: SignsRoll = ({ signature }) => bytesToHex(signature);

/** A roll as the contracts are shown it. */
export function shownRoll({ round, turn, present, ...roll }: Roll, sign = ownSignature): ShownRoll {
  const bits = present.reduce((sum, each, i) => (each ? sum | (1n << BigInt(i)) : sum), 0n);
  return { round, turn, present: bits, signature: sign({ round, turn, present, ...roll }) };
}

/** A roll that a call has shown; nothing if the terms have no such turn or round. */
export function rollOf(
  { turns, rounds }: RoundTerms,
  { round, turn, present, signature }: ShownRoll,
): Roll | undefined {
  const members = turns[turn]?.members;
  if (members === undefined || round > rounds) return undefined;
  const bits = Array.from({ length: members }, (_, i) => ((present >> BigInt(i)) & 1n) === 1n);
  return { round, turn, present: bits, signature: fromHex(signature) };
}

/**
 * The rolls that the owner of an accused leaf shows: for each source that it has read from another round than
 * the record has it, what the recorder has signed of the later of the two.
 * @param read the leaves that it has read, in the order of the sources
 * @param by the rolls by which it has chosen them
 * @param stood the rounds of what the record has, as the accusation names them; none if nobody was absent
 */
export function excusingRolls(
  plan: Plan,
  place: LeafPlace,
  { read, by, stood }: { read: readonly Statement[]; by: readonly Roll[]; stood: readonly number[] },
): Roll[] {
  const rolls: Roll[] = [];
  for (const [i, source] of sourcesOf(plan, place).entries()) {
    const listed = stood[i] ?? source.round;
    const { round: made } = read[i];
    if (made === listed) continue;
    const at = turnOf(plan, { ...source, round: Math.max(made, listed) });
    const roll = by.find(({ round, turn }) => round === at.round && turn === at.turn);
    if (roll && rolls.at(-1) !== roll) rolls.push(roll);
  }
  return rolls;
}

/** A call of the manager that shows something of the recorder at once. */
export interface RollCall {
  readonly functionName: "callTwice" | "miscall" | "missMany";
  readonly args: readonly unknown[];
}

/** Two rolls of the recorder for one turn. @returns nothing if they are no contradiction of its own */
export function twiceCalled(
  { instance }: RoundsRecord,
  terms: RoundTerms,
  [a, b]: readonly [Roll, Roll],
  sign = ownSignature,
): RollCall | undefined {
  if (sameRoll(a, b) || ![a, b].every((roll) => isRecorders(instance, roll))) return undefined;
  return { functionName: "callTwice", args: [terms, [shownRoll(a, sign), shownRoll(b, sign)]] };
}

/** A roll of the recorder that says something else of a member than the posted record. */
function miscalled(posted: PostedRecord, terms: RoundTerms, roll: Roll, sign = ownSignature): RollCall | undefined {
  const { record } = posted;
  const { plan, instance } = record;
  if (!isRolled(plan, roll) || !isRecorders(instance, roll)) return undefined;
  const places = plan.seats.map((_, seat) => ({ round: roll.round, seat }));
  const place = places.find(
    ({ seat, round }) =>
      plan.seats[seat].turn === roll.turn && record.isAbsent({ round, seat }) === roll.present[plan.seats[seat].member],
  );
  if (!place) return undefined;
  const args = [terms, place, posted.leafAt(place), record.isAbsent(place), shownRoll(roll, sign)];
  return { functionName: "miscall", args };
}

/** A roll of the recorder that says something else than the posted record and its roll. */
export function calledOtherwise(
  posted: PostedRecord,
  terms: RoundTerms,
  roll: Roll,
  sign = ownSignature,
): RollCall | undefined {
  const own = posted.record.rolls.at(roll);
  return (own && twiceCalled(posted.record, terms, [own, roll], sign)) ?? miscalled(posted, terms, roll, sign);
}

/** A turn in which the posted record misses more members than the plan may miss. */
export function missedMany(posted: PostedRecord, terms: RoundTerms, { round, turn }: TurnPlace): RollCall | undefined {
  const { plan, rolls } = posted.record;
  const roll = rolls.at({ round, turn });
  if (!roll || hasQuorum(plan, roll)) return undefined;
  const absent = plan.seats.flatMap((seat, i) => (seat.turn === turn && !roll.present[seat.member] ? [i] : []));
  const members = absent.map((seat) => plan.seats[seat].member);
  const leaves = absent.map((seat) => posted.leafAt({ round, seat }));
  return { functionName: "missMany", args: [terms, round, turn, members, leaves] };
}

/** The answer to a demand for a place whose member was absent, if the recorder has signed its roll. */
export function shownAbsence(posted: PostedRecord, terms: RoundTerms, place: LeafPlace, sign = ownSignature) {
  const { record } = posted;
  const roll = record.rolls.at(turnOf(record.plan, place));
  if (!roll || !isRecorders(record.instance, roll)) return undefined;
  const { round, seat } = place;
  const before = { round: round - 1, seat };
  return [terms, { round, seat }, posted.leafAt(place), posted.leafAt(before), record.isAbsent(before), shownRoll(roll, sign)]; // prettier-ignore
}
