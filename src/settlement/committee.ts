/**
 * Committees of both kinds as one task meets them: one whose members are fixed, and one whose members are
 * drawn for each dispute (docs/settlement.md).
 */
import { type Address, type Hex, isAddressEqual, type PublicClient, zeroAddress } from "viem";
import { ABIS } from "./contracts.ts";
import { ifForeign } from "./foreign.ts";
import type { TaskView, Terms } from "./task.ts";

/** How far a dispute is before a rotating committee. */
export interface Hearing {
  /** From 1; 0 if the committee was not convened yet. */
  readonly round: number;
  /** The block that decides the draw. */
  readonly number: number;
  /** When that block was, in seconds. */
  readonly convenedAt: number;
  /** Whether this round is drawn without the client's secret. */
  readonly plain: boolean;
  /** Members that have not spoken can be replaced after this second. 0 if they are not drawn yet. */
  readonly until: number;
  /** The members of this round. */
  readonly drawn: readonly Address[];
  /** Those of them that have shown a signature on the chain. */
  readonly spoken: readonly Address[];
}

/** A committee, and what it has done about a dispute. */
export interface Committee {
  readonly address: Address;
  readonly kind: "fixed" | "rotating";
  /** How many members judge a dispute. */
  readonly members: number;
  /** How many of them have to sign. */
  readonly threshold: number;
  /** How far the current dispute is. Absent for a fixed committee. */
  readonly hearing?: Hearing;
}

type Place = Pick<TaskView, "id" | "dispute"> & { readonly terms: Pick<Terms, "committee"> };

/**
 * The committee of a task.
 * @returns nothing if it has none, or its contract is of an unknown kind
 */
export async function readCommittee(client: PublicClient, task: Place): Promise<Committee | undefined> {
  const { committee: address } = task.terms;
  if (address === zeroAddress) return undefined;
  const contract = { address, abi: ABIS.committee } as const;
  const counts = await Promise.all([
    client.readContract({ ...contract, functionName: "members" }),
    client.readContract({ ...contract, functionName: "threshold" }),
  ]).catch(ifForeign(undefined));
  if (counts === undefined) return undefined;
  const [members, threshold] = counts.map(Number);
  const hearing = await readHearing(client, task);
  return { address, kind: hearing ? "rotating" : "fixed", members, threshold, ...(hearing && { hearing }) };
}

/** How far a task's current dispute is. `undefined` if its committee is not a rotating one. */
async function readHearing(client: PublicClient, { id, dispute, terms }: Place): Promise<Hearing | undefined> {
  const contract = { address: terms.committee, abi: ABIS.rotating } as const;
  const args = [id, BigInt(dispute)] as const;
  const found = await client.readContract({ ...contract, functionName: "hearingOf", args }).catch(ifForeign(undefined));
  if (found === undefined) return undefined;
  const { round, number, convenedAt, plain, until } = found;
  const drawn = await client.readContract({ ...contract, functionName: "drawnOf", args: [...args, BigInt(round)] });
  const stored = await Promise.all(
    drawn.map((member) => client.readContract({ ...contract, functionName: "memberOf", args: [...args, member] })),
  );
  const spoken = drawn.filter((_, i) => BigInt(stored[i].vote) !== 0n);
  return { round, number: Number(number), convenedAt, plain, until, drawn, spoken };
}

/** Whether an account may sign a verdict about a task now. The same for both kinds of committees. */
export function isMemberFor(client: PublicClient, committee: Address, task: Hex, account: Address): Promise<boolean> {
  return client.readContract({
    address: committee,
    abi: ABIS.committee,
    functionName: "isMemberFor",
    args: [task, account],
  });
}

/** Blocks after which a chain with EIP-2935 forgets a hash, less a few. */
const REMEMBERED = 8_000;

/**
 * What anyone may do next, so that members are drawn or replaced.
 * @param toJudge the committee's time, in seconds
 * @param now the chain's time, in seconds
 * @param block the number of its newest block
 * @returns `wait`, until the time that is given; `draw`, without a secret
 */
export function hearingDue(
  { round, number, convenedAt, plain, until, drawn }: Hearing,
  toJudge: number,
  now: number,
  block: number,
): { readonly what: "convene" | "draw" } | { readonly what: "wait"; readonly until: number } {
  if (round === 0) return { what: "convene" };
  if (drawn.length > 0) return now > until ? { what: "convene" } : { what: "wait", until };
  if (plain) return { what: block > number + REMEMBERED ? "convene" : "draw" };
  // The contract divides whole numbers.
  const secret = convenedAt + Math.floor(toJudge / 12);
  return now > secret ? { what: "convene" } : { what: "wait", until: secret };
}

/**
 * Whether a member that has signed should show its signature on the chain: a quarter of its time is left, and
 * it would count as silent.
 * @param toJudge the committee's time, in seconds
 * @param now the chain's time, in seconds
 */
export function mustSpeak({ drawn, spoken, until }: Hearing, member: Address, toJudge: number, now: number): boolean {
  const has = (list: readonly Address[]): boolean => list.some((one) => isAddressEqual(one, member));
  return has(drawn) && !has(spoken) && now > until - Math.floor(toJudge / 12);
}
