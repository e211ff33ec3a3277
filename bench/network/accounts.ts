/**
 * The books of a sweep, made from the chain: who was paid, who was slashed, and that nothing is lost. They are
 * compared with what the rules say (docs/settlement.md), which is computed here anew.
 */
import { type Address, isAddressEqual, parseUnits } from "viem";
import { ABIS } from "../../src/settlement/contracts.ts";
import { localAccount } from "../../src/settlement/local/settlement.ts";
import { taskEvents } from "../../src/settlement/task.ts";
import { type Arena, CLIENT, pause } from "./arena.ts";
import type { Followed } from "./followed.ts";

const BURNED: Address = "0x000000000000000000000000000000000000dEaD";
/** How long credits are waited for that providers collect by themselves. */
const LOOKS = 300;

export interface Books {
  readonly final: number;
  readonly refunded: number;
  /** Seats with the right result, how many of them were paid, seats with a wrong one, and how many of these were slashed. */
  readonly honest: number;
  readonly paid: number;
  readonly lies: number;
  readonly slashed: number;
  /** What does not agree with the rules. Empty if all does. */
  readonly wrong: readonly string[];
}

/** What an account has, in its wallet and in the vault. */
async function heldBy({ session: { client, deployment } }: Arena, address: Address): Promise<bigint> {
  const [balance, { active, unbonding, credit }] = await Promise.all([
    client.readContract({ address: deployment.token, abi: ABIS.token, functionName: "balanceOf", args: [address] }),
    client.readContract({ address: deployment.vault, abi: ABIS.vault, functionName: "accountOf", args: [address] }),
  ]);
  return balance + active + unbonding + credit;
}

/** @param root of an honest run @param tokens that everybody started with */
export async function booksOf(arena: Arena, tasks: readonly Followed[], root: string, tokens: number): Promise<Books> {
  const { session, providers } = arena;
  const { client, deployment, token } = session;
  const wrong: string[] = [];
  const [count, expected] = [
    { final: 0, refunded: 0, honest: 0, paid: 0, lies: 0, slashed: 0 },
    new Map<Address, bigint>(),
  ];
  const unit = 10n ** BigInt(token.decimals);
  const [reward, stake] = [10n * unit, 100n * unit];
  const earn = (owner: Address, amount: bigint): void => void expected.set(owner, (expected.get(owner) ?? 0n) + amount);
  const events = Map.groupBy(await taskEvents(session.source, null), ({ args }) => args.task);
  let committee = 0n;
  for (const { id, state } of tasks) {
    const own = events.get(id) ?? [];
    const seats = own.flatMap((event) => (event.eventName === "SeatTaken" ? [event.args] : []));
    const roots = new Map(own.flatMap((event) => (event.eventName === "ClaimRevealed" ? [[event.args.seat, event.args.root]] : []))); // prettier-ignore
    const out = own.flatMap((event) => (event.eventName === "SeatSlashed" ? [event.args.seat] : []));
    if (state !== "Final" && state !== "Refunded") wrong.push(`${id} is ${state}`);
    count[state === "Final" ? "final" : "refunded"]++;
    const winners = seats.filter(({ seat }) => roots.get(seat) === root && !out.includes(seat));
    const lost = BigInt(out.length) * stake;
    for (const { seat, owner } of seats) {
      const isHonest = providers.some(({ index, fault }) => fault === undefined && isAddressEqual(localAccount(index).address, owner)); // prettier-ignore
      if (roots.get(seat) === undefined) wrong.push(`${id}: seat ${seat} has revealed nothing`);
      else if ((roots.get(seat) === root) !== isHonest)
        wrong.push(`${id}: seat ${seat} claims what its owner would not`);
      count[isHonest ? "honest" : "lies"]++;
      const times = out.filter((one) => one === seat).length;
      count.slashed += times;
      if (times !== (isHonest ? 0 : 1)) wrong.push(`${id}: seat ${seat} was slashed ${times} times`);
      earn(owner, -BigInt(times) * stake);
    }
    committee += lost / 10n;
    if (state !== "Final") continue;
    const paid = own.find((event) => event.eventName === "TaskFinal");
    if (paid?.eventName === "TaskFinal" && paid.args.root !== root) wrong.push(`${id}: a wrong result was paid`);
    count.paid += winners.length;
    for (const { owner } of winners) {
      // Half of what was slashed is burned, a tenth is the committee's, and the winners share the rest.
      earn(owner, reward + (lost - lost / 2n - lost / 10n) / BigInt(winners.length));
      earn(localAccount(CLIENT).address, -reward);
    }
  }
  const start = parseUnits(`${tokens}`, token.decimals);
  const addresses = [CLIENT, ...providers.map(({ index }) => index)].map((index) => localAccount(index).address);
  let together = 0n;
  for (const address of addresses) {
    const wanted = start + (expected.get(address) ?? 0n);
    let has = await heldBy(arena, address);
    for (let looks = 0; has !== wanted && looks < LOOKS; looks++) {
      await pause(200);
      has = await heldBy(arena, address);
    }
    if (has !== wanted) wrong.push(`${address} has ${has}, and should have ${wanted}`);
    together += has;
  }
  const earned = await heldBy(arena, deployment.committee);
  if (earned !== committee) wrong.push(`the committee has ${earned}, and should have ${committee}`);
  const vault = { address: deployment.vault, abi: ABIS.vault } as const;
  const escrow = await client.readContract({ ...vault, functionName: "escrow" });
  if (escrow !== 0n) wrong.push(`${escrow} are left in escrow`);
  const burned = (await heldBy(arena, BURNED)) + (await client.readContract({ ...vault, functionName: "condemned" }));
  const minted = start * BigInt(addresses.length);
  if (together + earned + escrow + burned !== minted)
    wrong.push(`${minted} were minted, and ${together + earned + escrow + burned} are there`);
  return { ...count, wrong };
}
