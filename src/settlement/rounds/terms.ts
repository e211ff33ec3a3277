/**
 * The terms of a performance on a chain (contracts/rounds/RoundTypes.sol). What does not follow from the plan
 * is the client's choice.
 */
import {
  type Address,
  bytesToHex,
  decodeAbiParameters,
  encodeAbiParameters,
  getAbiItem,
  type Hex,
  keccak256,
} from "viem";
import { type Bytes, fromHex } from "../../encoding/bytes.ts";
import { merkleRoot } from "../../encoding/merkle.ts";
import { RoundsError } from "../../errors/index.ts";
import { type Plan, planLeaves } from "../../rounds/plan.ts";
import { type Instance, instanceOf } from "../../rounds/statement.ts";
import { roundManagerAbi } from "../abi/round-manager.ts";

/** The contract's `RoundTerms`. Amounts are in the token's smallest units, times in seconds. */
export interface RoundTerms {
  readonly client: Address;
  readonly salt: Hex;
  readonly plan: Hex;
  readonly rounds: number;
  readonly templates: Hex;
  readonly seats: Hex;
  readonly templateCount: number;
  /** In their order. The quorum is 0 for a turn that misses nobody. */
  readonly turns: readonly { readonly members: number; readonly first: number; readonly quorum: number }[];
  /** The accounts of the plan's participants, in their order. They sign with their keys. */
  readonly participants: readonly Address[];
  readonly recorder: Address;
  readonly stake: bigint;
  readonly bond: bigint;
  readonly reward: bigint;
  readonly price: bigint;
  readonly periods: {
    readonly toJoin: number;
    readonly toRecord: number;
    readonly toChallenge: number;
    readonly toAnswer: number;
  };
}

/** The fields of the terms that follow from the plan. */
type PlanTerms = Pick<RoundTerms, "plan" | "rounds" | "templates" | "seats" | "templateCount" | "turns">;

const hex = (bytes: Bytes): Hex => bytesToHex(bytes);

/** @throws {RoundsError} for a plan with seeds of the record, which the contracts do not know */
export function expectOnChain({ name, seeds }: Plan): void {
  if (seeds)
    throw new RoundsError("PLAN", `the seeds of ${name} follow from its record, and the contracts derive jobs from the plan's seeds alone; take seeds: "plan", or perform the plan on no chain`, { seeds }); // prettier-ignore
}

/** What the terms have to say of a plan. */
function planTermsOf(plan: Plan): PlanTerms {
  expectOnChain(plan);
  const { templates, seats } = planLeaves(plan);
  return {
    plan: hex(plan.id),
    rounds: plan.rounds,
    templates: hex(merkleRoot(templates)),
    seats: hex(merkleRoot(seats)),
    templateCount: plan.templates.length,
    turns: plan.turns.map(({ by, members, quorum = 0 }) => ({
      members,
      first: plan.participants.findIndex(({ role }) => role === by),
      quorum,
    })),
  };
}

/** The terms of a performance of a plan. */
export function roundTermsOf(plan: Plan, choice: Omit<RoundTerms, keyof PlanTerms>): RoundTerms {
  return { ...choice, ...planTermsOf(plan) };
}

/** The contract's `PlanStores`: the storage part of a plan. A plan without one has no members. */
interface ShownStores {
  readonly role: Hex;
  readonly members: number;
  readonly copies: number;
}

const textHex = (text: string): Hex => bytesToHex(new TextEncoder().encode(text));

/** The name of a plan, the root of its turns and its storage part, which posting shows beside the terms. */
export function shownPlan(plan: Plan): [name: Hex, turns: Hex, stores: ShownStores] {
  const { by, members, copies } = plan.storage ?? { by: "", members: 0, copies: 0 };
  return [textHex(plan.name), hex(merkleRoot(planLeaves(plan).turns)), { role: textHex(by), members, copies }];
}

/** The contract that manages performances. */
export interface ManagerAt {
  readonly chainId: number;
  readonly manager: Address;
}

const [TERMS] = getAbiItem({ abi: roundManagerAbi, name: "instanceOf" }).inputs;

/**
 * The instance of terms, without the plan that they should be about. Its salt is the hash of all terms.
 */
export function instanceOfTerms(terms: RoundTerms, { chainId, manager }: ManagerAt): Instance {
  const bytes = (text: Hex): Bytes => fromHex(text.toLowerCase(), (text.length - 2) / 2);
  return instanceOf({
    plan: bytes(terms.plan) as Instance["plan"],
    salt: bytes(keccak256(encodeTerms(terms))),
    owners: terms.participants.map(bytes),
    recorder: bytes(terms.recorder),
    chain: { id: chainId, contract: bytes(manager) },
  });
}

/** Terms as the contract hashes them. */
export const encodeTerms = (terms: RoundTerms): Hex => encodeAbiParameters([TERMS], [terms]);

/** Terms from what `encodeTerms` has made. */
export const decodeTerms = (encoded: Hex): RoundTerms => decodeAbiParameters([TERMS], encoded)[0];

/**
 * The instance that participants sign for. Its salt is the hash of all terms.
 * @throws {RoundsError} when the terms are not about this plan: then do not join
 */
export function instanceOn(plan: Plan, terms: RoundTerms, at: ManagerAt): Instance {
  const fits = encodeTerms({ ...terms, ...planTermsOf(plan) }) === encodeTerms(terms);
  if (!fits || terms.participants.length !== plan.participants.length)
    throw new RoundsError("FOREIGN", `the terms are not about the plan ${hex(plan.id)}, so a signature in them would stand for something else; do not join`); // prettier-ignore
  return instanceOfTerms(terms, at);
}
