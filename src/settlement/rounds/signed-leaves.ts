/**
 * Leaves that their owners have signed, wherever they were seen: in a record, in the evidence beside it, or
 * on the chain. Two of one owner for one place are an equivocation.
 */
import { bytesToHex, type Hex } from "viem";
import { isSignedBy } from "../../claims/signature.ts";
import { type Bytes, fromHex } from "../../encoding/bytes.ts";
import type { LeafPlace } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { leafDigest, runOf } from "../../rounds/statement.ts";
import type { RunRoot } from "../../trace/commitments.ts";
import { demandOf, equivocationOf, type Finding } from "./findings.ts";
import { ownerOfSeat } from "./questions.ts";
import type { PostedRounds } from "./terms-file.ts";

/** What is known of a place. */
interface Known extends LeafPlace {
  /** Signatures by run roots, in the order in which they were seen. */
  readonly signed: Map<Hex, Hex>;
  /** The run root that the posted record lists, where the chain has shown it. */
  listed: Hex | undefined;
}

export class SignedLeaves {
  private readonly posted: PostedRounds;
  private readonly places = new Map<string, Known>();

  constructor(posted: PostedRounds) {
    this.posted = posted;
  }

  /**
   * Notes a leaf, if its owner has signed it.
   * @param run its run root, 32 bytes
   * @param signature 65 bytes
   */
  add({ round, seat }: LeafPlace, run: Hex, signature: Hex): void {
    const { terms, instance } = this.posted;
    const seats = terms.turns.reduce((sum, { members }) => sum + members, 0);
    if (round > terms.rounds || seat >= seats) return;
    const known = this.at({ round, seat });
    if (known.signed.has(run)) return;
    const owner = instance.owners[ownerOfSeat(this.posted, seat)];
    const digest = leafDigest(instance, { round, seat }, fromHex(run, 32) as RunRoot);
    if (isSignedBy(owner, digest, fromHex(signature))) known.signed.set(run, signature);
  }

  /** Notes all leaves of a record, and those in the evidence beside it. */
  addRecord({ plan, all, second }: RoundsRecord): void {
    for (const statement of [...all, ...second])
      this.add(statement, bytesToHex(runOf(plan, statement)), bytesToHex(statement.signature));
  }

  /** The signature that was seen of a leaf, 65 bytes. */
  signatureOf({ round, seat }: LeafPlace, run: Hex): Bytes | undefined {
    const signature = this.places.get(`${round}/${seat}`)?.signed.get(run);
    return signature === undefined ? undefined : fromHex(signature);
  }

  /** Notes what the posted record lists, as a contract has checked it. */
  list(place: LeafPlace, run: Hex): void {
    this.at(place).listed = run;
  }

  /**
   * Two signatures of one owner for one place; or one, where the record lists another leaf whose signature is
   * not known: then its recorder has to show that.
   */
  findings(): Finding[] {
    const { terms } = this.posted;
    return [...this.places.values()].flatMap(({ round, seat, signed, listed }) => {
      const [first, second] = signed;
      if (second) return [equivocationOf(terms, { round, seat }, ownerOfSeat(this.posted, seat), [first, second])];
      const isOther = first !== undefined && listed !== undefined && listed !== first[0];
      return isOther ? [demandOf(terms, { round, seat })] : [];
    });
  }

  private at({ round, seat }: LeafPlace): Known {
    const key = `${round}/${seat}`;
    const known = this.places.get(key) ?? { round, seat, signed: new Map<Hex, Hex>(), listed: undefined };
    this.places.set(key, known);
    return known;
  }
}
