/**
 * What somebody that has a record can show about it on a chain (spec 7.15). Only what can be proven is a
 * finding: signatures, jobs that do not follow, states that an execution does not give.
 */
import { bytesToHex, type Hex } from "viem";
import { isSignedBy } from "../../claims/signature.ts";
import { bytesEqual } from "../../encoding/bytes.ts";
import { blameForm, contradict, statesRead } from "../../rounds/judge.ts";
import { type LeafRunner, sameClaim } from "../../rounds/leaf.ts";
import { type LeafPlace, templateOf } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { isRecorders, type Roll } from "../../rounds/roll.ts";
import { shownReads } from "../../rounds/shown.ts";
import { isOwners, recordDigest, runOf, type Statement } from "../../rounds/statement.ts";
import type { Random } from "../transactions/backoff.ts";
import type { ContractCall } from "../transactions/caller.ts";
import { PostedRecord, shownClaim } from "./evidence.ts";
import { calledOtherwise, missedMany, type RollCall, twiceCalled } from "./rolls.ts";
import { censoredIn, type StoreCall, storesTwice, unheldIn } from "./store-calls.ts";
import type { RoundTerms } from "./terms.ts";

/** Something that is wrong, and the call that shows it. */
export interface Finding extends LeafPlace {
  readonly kind: "demand" | "accuse" | "challenge" | "equivocate" | "misrecord" | RollCall["functionName"] | StoreCall["functionName"]; // prettier-ignore
  /** The number of the party that is wrong; the recorder is the one after the participants. */
  readonly against: number;
  readonly call: ContractCall;
}

const PLACE = ({ round, seat }: LeafPlace): LeafPlace => ({ round, seat });

/** Finds what is wrong in a record, with the terms in which it was posted. */
export class Findings {
  private readonly record: RoundsRecord;
  private readonly terms: RoundTerms;
  private shown: PostedRecord | undefined;

  constructor(record: RoundsRecord, terms: RoundTerms) {
    this.record = record;
    this.terms = terms;
  }

  /** What the recorder has signed about another list of all rounds than the posted one. */
  misrecorded(root: Hex): Finding[] {
    const { instance, marks, plan } = this.record;
    const rounds = plan.rounds + 1;
    return marks.flatMap((mark) => {
      const isOther = mark.rounds === rounds && bytesToHex(mark.root) !== root;
      if (!isOther || !isSignedBy(instance.recorder, recordDigest(instance, rounds, mark.root), mark.signature)) return []; // prettier-ignore
      const args = [this.terms, bytesToHex(mark.root), bytesToHex(mark.signature)];
      return [{ kind: "misrecord" as const, round: plan.rounds, seat: 0, against: this.recorder, call: manager("misrecord", args) }]; // prettier-ignore
    });
  }

  /**
   * What stores have signed twice, and if the record is the posted one, whom it censors.
   * @param own leaves and receipts that somebody has kept itself
   */
  ofStores(isPosted: boolean, own: readonly RoundsRecord[]): Finding[] {
    const { record, terms } = this;
    const calls = [...storesTwice(record, terms, own), ...(isPosted ? censoredIn(record, terms, own) : [])];
    return calls.map(({ functionName, args, ...of }) => ({ kind: functionName, ...of, call: manager(functionName, args) })); // prettier-ignore
  }

  /** Two statements of one owner for one place. */
  equivocated(a: Statement, b: Statement): Finding[] {
    const { plan, instance } = this.record;
    const both = [a, b];
    if (!contradict(plan, a, b) || !both.every((each) => isOwners(plan, instance, each))) return [];
    const signed = both.map((each) => [bytesToHex(runOf(plan, each)), bytesToHex(each.signature)] as const);
    return [equivocationOf(this.terms, a, plan.seats[a.seat].participant, signed)];
  }

  /**
   * What can be said of a record that was posted without executing anything. What it lacks of stores comes
   * last: copies of a record can be cut.
   * @param random chooses the order of that: else the recorder would know which demands are made. Default: by
   *   rounds and seats
   */
  async ofForm(random?: Random): Promise<Finding[]> {
    const { record } = this;
    const { plan } = record;
    const found: Finding[] = [];
    const { posted } = this;
    found.push(...this.ofRolls(posted));
    for (const statement of record.all) {
      // A leaf that is listed for an absent member is not in the posted record.
      const blame = record.isAbsent(statement) ? undefined : await blameForm(record, statement);
      if (!blame) continue;
      if (blame.reason === "inputs")
        found.push({ kind: "accuse", ...PLACE(statement), against: plan.seats[statement.seat].participant, call: manager("accuse", [this.terms, posted.evidence(statement), bytesToHex(statement.signature)]) }); // prettier-ignore
      else if (!isOwners(plan, record.instance, statement)) found.push(demandOf(this.terms, statement));
      else found.push(...(await this.unlisted(statement, posted)));
    }
    const unheld = unheldIn(record).map((place) => demandOf(this.terms, place));
    return [...found, ...(random ? shuffled(unheld, random) : unheld)];
  }

  /** What the rolls of a posted record show. */
  private ofRolls(posted: PostedRecord): Finding[] {
    const { record, terms } = this;
    const { plan, instance, rolls } = record;
    const twice = rolls.second.map((second) => twiceCalled(record, terms, [rolls.at(second)!, second]));
    const many = rolls.all.map((roll) => missedMany(posted, terms, roll));
    // Nobody has the signature of such a roll, so the recorder can't show why somebody was absent.
    const unsigned = rolls.all.flatMap((roll) => {
      const seat = plan.seats.findIndex(({ turn, member }) => turn === roll.turn && !roll.present[member]);
      return isRecorders(instance, roll) || seat < 0 ? [] : [demandOf(this.terms, { round: roll.round, seat })];
    });
    return [...[...twice, ...many].flatMap((call) => this.ofRecorder(call)), ...unsigned];
  }

  /** What rolls show that owners have read by, where the record says something else. */
  ofShownRolls(rolls: readonly Roll[]): Finding[] {
    const { posted } = this;
    return rolls.flatMap((roll) => this.ofRecorder(calledOtherwise(posted, this.terms, roll)));
  }

  private ofRecorder(call: RollCall | undefined): Finding[] {
    if (!call) return [];
    const { functionName, args } = call;
    return [{ kind: functionName, round: this.record.plan.rounds, seat: 0, against: this.recorder, call: manager(functionName, args) }]; // prettier-ignore
  }

  /** A leaf that was computed from what others have signed, and the record has something else. */
  private async unlisted(statement: Statement, posted: PostedRecord): Promise<Finding[]> {
    const { record, terms } = this;
    const shown = await shownReads(record, statement);
    const calls = (shown?.rolls ?? []).flatMap((roll) => this.ofRecorder(calledOtherwise(posted, terms, roll)));
    if (calls.length > 0) return calls.slice(0, 1);
    const listed = record.sources(statement);
    return (shown?.statements ?? []).flatMap((each, i) => {
      if (sameClaim(record.plan, each, each, listed[i])) return [];
      return isOwners(record.plan, record.instance, listed[i]) ? this.equivocated(each, listed[i]) : [demandOf(terms, listed[i])]; // prettier-ignore
    });
  }

  /**
   * Executes a leaf of the posted record again.
   * @returns a challenge, if it claims other states; nothing if it is right
   * @throws {RoundsError} when what it reads is not at hand
   */
  async ofComputation(statement: Statement, runner: LeafRunner): Promise<Finding | undefined> {
    const { record } = this;
    const { plan } = record;
    const right = await runner.run(plan, statement, await statesRead(record, statement));
    if (sameClaim(plan, statement, right, statement) || !bytesEqual(right.job, statement.job)) return undefined;
    // An owner answers only for what it has signed: of anything else `ofForm` demands the signature.
    if (!isOwners(plan, record.instance, statement)) return undefined;
    const { start, end } = shownClaim(templateOf(plan, statement), right);
    const args = [this.terms, this.posted.evidence(statement), start, end, bytesToHex(statement.signature)];
    const call: ContractCall = { contract: "roundGame", functionName: "challenge", args };
    return { kind: "challenge", ...PLACE(statement), against: plan.seats[statement.seat].participant, call };
  }

  /** It hashes all leaves, so it is made once. @throws {RoundsError} when the record is not whole */
  private get posted(): PostedRecord {
    return (this.shown ??= new PostedRecord(this.record));
  }

  private get recorder(): number {
    return this.terms.participants.length;
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const keyed = items.map((item) => [random(), item] as const);
  return keyed.sort(([a], [b]) => a - b).map(([, item]) => item);
}

const manager = (functionName: string, args: readonly unknown[]): ContractCall => ({ contract: "roundManager", functionName, args }); // prettier-ignore

/** Two run roots of one place, each with the owner's signature. */
export function equivocationOf(
  terms: RoundTerms,
  place: LeafPlace,
  against: number,
  signed: readonly (readonly [run: Hex, signature: Hex])[],
): Finding {
  const args = [terms, PLACE(place), signed.map(([run]) => run), signed.map(([, signature]) => signature)];
  return { kind: "equivocate", ...PLACE(place), against, call: manager("equivocate", args) };
}

/** A question to the recorder: it has to show that the owner has signed the leaf. */
export function demandOf(terms: RoundTerms, place: LeafPlace): Finding {
  return { kind: "demand", ...PLACE(place), against: terms.participants.length, call: manager("demand", [terms, PLACE(place)]) }; // prettier-ignore
}
