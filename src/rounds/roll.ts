/**
 * Rolls (spec 6.10): by a roll the recorder closes a turn that may miss members, and says who of them was
 * there. Nobody reads the turn before.
 */
import { isSignedBy } from "../claims/signature.ts";
import { digestOf, keccak } from "../claims/typed-data.ts";
import { type Bytes, bytesEqual, Writer } from "../encoding/bytes.ts";
import { type LeafPlace, mayMiss, type Plan, sourcesOf } from "./plan.ts";
import { type Instance, roundsSentence } from "./statement.ts";

/** A turn of a round. */
export interface TurnPlace {
  readonly round: number;
  /** The number of the turn. */
  readonly turn: number;
}

/** Who was there in a turn of a round, as the recorder has signed it. */
export interface Roll extends TurnPlace {
  /** By the numbers of the members. */
  readonly present: readonly boolean[];
  /** 65 bytes. */
  readonly signature: Bytes;
}

const ROLL = roundsSentence("Roll(bytes32 instance,uint32 round,uint32 turn,bytes32 present)");

/** The word that a roll signs: Keccak-256 of a word of 32 bytes for each member, 1 or 0. */
export function presentWord(present: readonly boolean[]): Bytes {
  const writer = new Writer();
  for (const each of present) writer.bytes(new Uint8Array(31)).u8(each ? 1 : 0);
  return keccak(writer.finish());
}

/** The 32 bytes that the recorder signs when it closes a turn (EIP-712). */
export function rollDigest({ id }: Instance, { round, turn }: TurnPlace, present: readonly boolean[]): Bytes {
  return digestOf(ROLL, [id, round, turn, presentWord(present)]);
}

/** Whether the recorder has signed a roll, in this instance. */
export const isRecorders = (instance: Instance, roll: Roll): boolean =>
  isSignedBy(instance.recorder, rollDigest(instance, roll, roll.present), roll.signature);

/** Whether a turn of a round is closed by a roll: if it may miss members, from round 1. */
export const isRolled = ({ turns }: Pick<Plan, "turns">, { round, turn }: TurnPlace): boolean =>
  round > 0 && turns[turn] !== undefined && mayMiss(turns[turn]);

/** Whether as many members were there as the plan asks for. */
export const hasQuorum = ({ turns }: Pick<Plan, "turns">, { turn, present }: Pick<Roll, "turn" | "present">): boolean =>
  present.filter(Boolean).length >= (turns[turn].quorum ?? turns[turn].members);

/** Whether two rolls say the same of one turn. */
export const sameRoll = (a: Roll, b: Roll): boolean =>
  a.round === b.round && a.turn === b.turn && a.present.join() === b.present.join();

/** Finds the roll of a turn, and throws where there is none. */
type RollAt = (place: TurnPlace) => Roll;

/** The leaves that a leaf reads, and which of their members were there. */
export interface Reads {
  readonly places: readonly LeafPlace[];
  /** 1 for each that was there, else 0. */
  readonly present: readonly number[];
}

/** The turn of a place. */
export const turnOf = ({ seats }: Pick<Plan, "seats">, { round, seat }: LeafPlace): TurnPlace => ({
  round,
  turn: seats[seat].turn,
});

/** The leaf that stands in a place: its own, or where its member was away, the last one that it has made. */
export function standingIn(plan: Plan, place: LeafPlace, roll: RollAt): LeafPlace {
  const { seat } = place;
  for (let { round } = place; ; round--) {
    const turn = turnOf(plan, { round, seat });
    if (!isRolled(plan, turn) || roll(turn).present[plan.seats[seat].member]) return { round, seat };
  }
}

/** The leaves that a leaf reads, in the order of its job's lists, and whose members were there. */
export function readsOf(plan: Plan, place: LeafPlace, roll: RollAt): Reads {
  const sources = sourcesOf(plan, place);
  const places = sources.map((source) => standingIn(plan, source, roll));
  return { places, present: places.map(({ round }, i) => (round === sources[i].round ? 1 : 0)) };
}

/** What a leaf reads by rolls, and which of them say so, each once. */
export interface ChosenReads extends Reads {
  readonly asked: readonly Roll[];
}

/** @param rollOf the roll of a turn. @returns what a leaf reads by the rolls */
export function chosenBy(plan: Plan, place: LeafPlace, rollOf: RollAt): ChosenReads {
  const asked = new Map<string, Roll>();
  const reads = readsOf(plan, place, (turn) => {
    const roll = rollOf(turn);
    asked.set(`${turn.round}/${turn.turn}`, roll);
    return roll;
  });
  return { ...reads, asked: [...asked.values()] };
}

/** Rolls of a record, by their turns. The first one for a turn counts. */
export class Rolls {
  private readonly known = new Map<string, Roll>();
  /** Rolls of a turn that has one already, which say something else. */
  readonly second: Roll[] = [];

  admit(roll: Roll): void {
    const key = `${roll.round}/${roll.turn}`;
    const first = this.known.get(key);
    if (!first) this.known.set(key, roll);
    else if (!sameRoll(first, roll) || !bytesEqual(first.signature, roll.signature)) this.second.push(roll);
  }

  at({ round, turn }: TurnPlace): Roll | undefined {
    return this.known.get(`${round}/${turn}`);
  }

  /** All that count, in the order in which they were admitted. */
  get all(): Roll[] {
    return [...this.known.values()];
  }
}
