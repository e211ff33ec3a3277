/**
 * What the calls about a performance have shown on the chain: leaves with their owners' signatures, and what
 * the posted record lists. The contracts have checked both, so an event leads to its call.
 */
import { type Abi, bytesToHex, decodeFunctionData, type Hex, type PublicClient } from "viem";
import { type Bytes, fromHex } from "../../encoding/bytes.ts";
import { climb, hashLeaf } from "../../encoding/merkle.ts";
import { Tag } from "../../encoding/tags.ts";
import type { StateRoot } from "../../encoding/tensor.ts";
import type { JobId } from "../../job/closed.ts";
import type { LeafPlace, PlanId } from "../../rounds/plan.ts";
import { StoreSentences } from "../../rounds/receipt.ts";
import { isRecorders, type Roll } from "../../rounds/roll.ts";
import { recordRootOfTree } from "../../rounds/statement.ts";
import { type RunRoot, runRootOf } from "../../trace/commitments.ts";
import { roundGameAbi } from "../abi/round-game.ts";
import { roundManagerAbi } from "../abi/round-manager.ts";
import { ZERO } from "../game/facts.ts";
import { type LeafEvidence, OWN, type ShownClaim, type ShownLeaf } from "./evidence.ts";
import type { PerformanceEvents } from "./performance.ts";
import type { SignedLeaves } from "./signed-leaves.ts";
import { encodeTerms, type RoundTerms } from "./terms.ts";
import { rollOf, type ShownRoll } from "./rolls.ts";
import type { PostedRounds } from "./terms-file.ts";

/**
 * The calls that show leaves, and which argument is the signature of the leaf's owner, where there is one.
 * Each has the terms and the evidence of a leaf first.
 */
const SHOWING: ReadonlyMap<string, number | undefined> = new Map([["accuse", 2], ["answer", undefined], ["show", 2], ["challenge", 4]]); // prettier-ignore

/** The calls that show what stores have signed: the terms and the place first, the signatures last. */
const NOTING: ReadonlySet<string> = new Set(["showAbsence", "accuseCensor", "showNotes"]);

/** The contract's `LeafExcuse`: signatures of the leaves that were read, and the rolls that chose them. */
interface Excuse {
  readonly signatures: readonly Hex[];
  readonly rolls: readonly ShownRoll[];
}

/** A signature of a store, as a call has it. */
interface ShownSentence {
  readonly store: number;
  readonly signature: Hex;
}

/** Reads each call once. */
export class ShownOnChain {
  private readonly client: PublicClient;
  private readonly posted: PostedRounds;
  private readonly read = new Set<Hex>();
  /** Of the recorder, by which owners have read something else than the record says. */
  readonly rolls: Roll[] = [];
  /** What stores have signed. Nobody has checked it here. */
  readonly sentences = new StoreSentences();

  constructor(client: PublicClient, posted: PostedRounds) {
    this.client = client;
    this.posted = posted;
  }

  /**
   * Adds what the calls of these events have shown. A call inside of another contract's can't be read.
   * @param record the root of the posted record
   * @throws what a node says that does not have one of the transactions, after all others were read
   */
  async addTo(leaves: SignedLeaves, { shown }: PerformanceEvents, record: Hex): Promise<void> {
    const unread: unknown[] = [];
    for (const transaction of shown) {
      if (this.read.has(transaction)) continue;
      try {
        const { input } = await this.client.getTransaction({ hash: transaction });
        this.call(leaves, input, record);
        this.read.add(transaction);
      } catch (error) {
        unread.push(error);
      }
    }
    if (unread.length > 0) throw unread[0];
  }

  private call(leaves: SignedLeaves, input: Hex, record: Hex): void {
    const call = decoded(roundManagerAbi, input) ?? decoded(roundGameAbi, input);
    const { functionName = "", args = [] } = call ?? {};
    if (!SHOWING.has(functionName) && !NOTING.has(functionName)) return;
    const [terms, evidence] = args as [RoundTerms, LeafEvidence];
    if (encodeTerms(terms) !== encodeTerms(this.posted.terms)) return;
    if (NOTING.has(functionName)) return this.notes(leaves, functionName, args);
    const { place, leaf } = evidence;
    const list = (at: LeafPlace, one: ShownLeaf): void => {
      if (isListed(terms, record, at, one)) leaves.list(at, runOfClaim(one.claim));
    };
    list(place, leaf);
    // No contract has looked at the sources of a leaf that was demanded.
    const sources = functionName === "show" ? [] : sourcesOf(terms, evidence);
    for (const [i, from] of sources.entries()) {
      const { claim, ...path } = evidence.sources[i];
      const standing = evidence.standing.find(({ source }) => source === i);
      const at = { ...from, round: standing?.round ?? from.round };
      // What an owner answers with is signed, and need not be what the record lists.
      if (functionName === "answer") leaves.add(at, runOfClaim(claim), (args[2] as Excuse).signatures[i] ?? "0x");
      else list(at, { claim, ...(standing ?? path) });
    }
    if (functionName === "answer") this.addRolls((args[2] as Excuse).rolls);
    const signature = SHOWING.get(functionName);
    if (signature !== undefined) leaves.add(place, runOfClaim(leaf.claim), args[signature] as Hex);
    if (functionName === "show") this.addSentences(place, args[3] as readonly ShownSentence[], runOfClaim(leaf.claim));
  }

  /** Calls that show a place, and what stores have signed of it. */
  private notes(leaves: SignedLeaves, functionName: string, args: readonly unknown[]): void {
    const place = args[1] as LeafPlace;
    const signed = args.at(-1) as readonly ShownSentence[];
    if (functionName !== "accuseCensor") return this.addSentences(place, signed);
    const [run, signature] = args.slice(3) as [Hex, Hex];
    leaves.add(place, run, signature);
    this.addSentences(place, signed, run);
  }

  private addSentences({ round, seat }: LeafPlace, shown: readonly ShownSentence[], run?: Hex): void {
    const { rounds, turns } = this.posted.terms;
    if (round > rounds || seat >= turns.reduce((sum, { members }) => sum + members, 0)) return;
    for (const { store, signature } of shown)
      this.sentences.admit({ round, seat, store, ...(run && { run: fromHex(run, 32) as RunRoot }), signature: fromHex(signature) }); // prettier-ignore
  }

  /** A contract looks at no more rolls than it needs, so there may be any others among them. */
  private addRolls(shown: readonly ShownRoll[]): void {
    const rolls = shown.flatMap((roll) => rollOf(this.posted.terms, roll) ?? []);
    this.rolls.push(...rolls.filter((roll) => isRecorders(this.posted.instance, roll)));
  }
}

/** Whether a record has a leaf at a place. */
function isListed(
  { plan, rounds, turns }: RoundTerms,
  record: Hex,
  { round, seat }: LeafPlace,
  leaf: ShownLeaf,
): boolean {
  const [inRound, inRecord] = [leaf.inRound, leaf.inRecord].map((way) => way.map((hash) => fromHex(hash, 32)));
  const seats = turns.reduce((sum, { members }) => sum + members, 0);
  const run: Bytes = fromHex(runOfClaim(leaf.claim), 32);
  const inTurn = climb(hashLeaf(Tag.turnLeaf, run), seats, seat, inRound);
  const tree = inTurn && climb(hashLeaf(Tag.roundLeaf, inTurn), rounds + 1, round, inRecord);
  return tree !== undefined && bytesToHex(recordRootOfTree(fromHex(plan, 32) as PlanId, rounds + 1, tree)) === record;
}

/**
 * The places of the leaves that a leaf reads, as the contract finds them. Round 0 reads none. Calldata of
 * another contract's call may have the form of such a call: it need not fit together.
 */
function sourcesOf({ turns }: RoundTerms, { place, template, sources }: LeafEvidence): LeafPlace[] {
  const first = (turn: number): number => turns.slice(0, turn).reduce((sum, { members }) => sum + members, 0);
  const own = place.seat - first(turns.findIndex((_, turn) => place.seat < first(turn + 1)));
  return template.sources.slice(0, sources.length).map(({ turn, back, member }) => {
    return { round: Math.max(0, place.round - back), seat: first(turn) + (member === OWN ? own : member) };
  });
}

/** The run root of a leaf as a contract is shown it: without steps it has no first state. */
function runOfClaim({ job, every, start, end }: ShownClaim): Hex {
  const states = [...(start === ZERO ? [] : [start]), end].map((state) => fromHex(state, 32) as StateRoot);
  return bytesToHex(runRootOf(fromHex(job, 32) as JobId, every, states));
}

function decoded(abi: Abi, data: Hex): { functionName: string; args?: readonly unknown[] | undefined } | undefined {
  try {
    return decodeFunctionData({ abi, data });
  } catch {
    return undefined;
  }
}
