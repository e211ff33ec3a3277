/**
 * What the contracts are shown of a record (contracts/rounds/RoundTypes.sol): a leaf with its way to the
 * record's root, and all from which its job follows.
 */
import { bytesToHex, type Hex } from "viem";
import type { Bytes } from "../../encoding/bytes.ts";
import { buildLevels, hashLeaf, type Levels, proveLeaf, rootOf } from "../../encoding/merkle.ts";
import { Tag } from "../../encoding/tags.ts";
import { wordOf } from "../../rounds/machine.ts";
import { type LeafClaim, type LeafPlace, type Plan, planLeaves, segmentOf, sourcesOf, templateOf } from "../../rounds/plan.ts"; // prettier-ignore
import type { RoundsRecord } from "../../rounds/record.ts";
import { recordRootOfTree, type Statement } from "../../rounds/statement.ts";
import type { JobTemplate } from "../../rounds/template.ts";
import { ZERO } from "../game/facts.ts";

/** The contract's `LeafClaim`. */
export interface ShownClaim {
  readonly job: Hex;
  readonly every: number;
  readonly start: Hex;
  readonly end: Hex;
}

/** The contract's `RecordedLeaf`. */
export interface ShownLeaf {
  readonly claim: ShownClaim;
  readonly inRound: readonly Hex[];
  readonly inRecord: readonly Hex[];
}

/** The contract's `TemplateJob`. */
interface ShownTemplateJob {
  readonly name: Hex;
  readonly steps: number;
  readonly step: Hex;
  readonly init: Hex;
  readonly lists: readonly number[];
}

/** The contract's `LeafEvidence`. */
export interface LeafEvidence {
  readonly place: LeafPlace;
  readonly leaf: ShownLeaf;
  readonly index: number;
  readonly template: {
    readonly turn: number;
    readonly sources: readonly { readonly turn: number; readonly back: number; readonly member: number }[];
    readonly genesis: ShownTemplateJob;
    readonly later: ShownTemplateJob;
  };
  readonly templatePath: readonly Hex[];
  readonly shard: readonly Hex[];
  readonly seatPath: readonly Hex[];
  readonly sources: readonly ShownLeaf[];
  readonly standing: readonly StandingLeaf[];
}

/** The contract's `StandingLeaf`: where the leaf was made that stands for an absent member. */
interface StandingLeaf extends Omit<ShownLeaf, "claim"> {
  readonly source: number;
  readonly round: number;
}

/** The reader's own number, as a member. */
export const OWN = 2 ** 32 - 1;

const hexes = (all: readonly Bytes[]): Hex[] => all.map((bytes) => bytesToHex(bytes));

function shownJob({ name, steps, stepRoot, initRoot, lists }: JobTemplate): ShownTemplateJob {
  const text = bytesToHex(new TextEncoder().encode(name));
  return { name: text, steps, step: bytesToHex(stepRoot), init: bytesToHex(initRoot), lists };
}

/** A leaf's states as the contracts are shown them: without steps there is no first one. */
export function shownClaim(template: JobTemplate, { job, start, end }: LeafClaim): ShownClaim {
  const first = template.steps > 0 ? bytesToHex(start) : ZERO;
  return { job: bytesToHex(job), every: segmentOf(template), start: first, end: bytesToHex(end) };
}

/** A whole record as its recorder posts it. */
export class PostedRecord {
  readonly record: RoundsRecord;
  private readonly rounds: readonly Levels[];
  private readonly tree: Levels;

  /** @throws {RoundsError} when a round lacks a leaf or a roll */
  constructor(record: RoundsRecord) {
    const { plan } = record;
    this.record = record;
    this.rounds = Array.from({ length: plan.rounds + 1 }, (_, round) => {
      const words = plan.seats.map((__, seat) => wordOf(record, { round, seat }));
      return buildLevels(words.map((word) => hashLeaf(Tag.turnLeaf, word)));
    });
    this.tree = buildLevels(this.rounds.map((levels) => hashLeaf(Tag.roundLeaf, rootOf(levels))));
  }

  /** What the recorder signs after the last round. */
  get root(): Bytes {
    return recordRootOfTree(this.record.plan.id, this.rounds.length, rootOf(this.tree));
  }

  /**
   * All from which the job of a leaf follows.
   * @param read the leaves that its owner has read, where they are others than the record's
   * @throws {RoundsError} when the record has no such leaf or roll
   */
  evidence(place: LeafPlace, read?: readonly Statement[]): LeafEvidence {
    const { plan } = this.record;
    const asked = sourcesOf(plan, place);
    const sources = read ? readLeaves(plan, asked, read) : this.listed(asked);
    return { ...placeEvidence(plan, place), leaf: this.leafAt(place), ...sources };
  }

  /**
   * A leaf as its demand is answered: the contract reads none of its sources then. With them an answer about
   * a leaf that reads very many would be larger than a node passes on, and would cost more than its price.
   */
  demanded(place: LeafPlace): LeafEvidence {
    return { ...placeEvidence(this.record.plan, place), leaf: this.leafAt(place), sources: [], standing: [] };
  }

  /** What the record has at a place: its leaf, or the one that stands there for an absent member. */
  leafAt(place: LeafPlace): ShownLeaf {
    const [statement] = this.record.statements([this.record.standing(place)]);
    return { claim: shownClaim(templateOf(this.record.plan, statement), statement), ...this.pathOf(place) };
  }

  private listed(asked: readonly LeafPlace[]): Pick<LeafEvidence, "sources" | "standing"> {
    const standing = asked.flatMap((place, source) => {
      const made = this.record.standing(place);
      return made.round === place.round ? [] : [{ source, round: made.round, ...this.pathOf(made) }];
    });
    return { sources: asked.map((place) => this.leafAt(place)), standing };
  }

  private pathOf({ round, seat }: LeafPlace): Omit<ShownLeaf, "claim"> {
    return { inRound: hexes(proveLeaf(this.rounds[round], seat)), inRecord: hexes(proveLeaf(this.tree, round)) };
  }
}

/** What the plan says of a leaf. */
function placeEvidence(plan: Plan, { round, seat }: LeafPlace): Omit<LeafEvidence, "leaf" | "sources" | "standing"> {
  const { template: index, shardRoots } = plan.seats[seat];
  const { turn, sources, genesis, round: later } = plan.templates[index];
  const { templates, seats } = planLeaves(plan);
  return {
    place: { round, seat },
    index,
    template: {
      turn,
      sources: sources.map((source) => ({
        turn: source.turn,
        back: source.before,
        member: source.member === "same" ? OWN : source.member,
      })),
      genesis: shownJob(genesis),
      later: shownJob(later),
    },
    templatePath: hexes(proveLeaf(buildLevels(templates), index)),
    shard: hexes(shardRoots),
    seatPath: hexes(proveLeaf(buildLevels(seats), seat)),
  };
}

/** Nothing leads to the record: what its reader shows need not be there. */
const NOWHERE = { inRound: [], inRecord: [] } as const;

/**
 * A leaf and what its owner has read, as it answers an accusation. The contract knows which leaf it is about.
 * @param read the leaves that it has read, in the order of its sources
 */
export function readEvidence(
  plan: Plan,
  place: LeafPlace,
  claim: ShownClaim,
  read: readonly Statement[],
): LeafEvidence {
  return { ...placeEvidence(plan, place), leaf: { claim, ...NOWHERE }, ...readLeaves(plan, sourcesOf(plan, place), read) }; // prettier-ignore
}

/** Leaves as their reader shows them: they need not be in the record, so nothing leads there. */
function readLeaves(
  plan: Plan,
  asked: readonly LeafPlace[],
  read: readonly Statement[],
): Pick<LeafEvidence, "sources" | "standing"> {
  return {
    sources: read.map((each) => ({ claim: shownClaim(templateOf(plan, each), each), ...NOWHERE })),
    standing: read.flatMap(({ round }, source) => (round < asked[source].round ? [{ source, round, ...NOWHERE }] : [])),
  };
}
