/** Who may take a provider's seat: the policy that terms name, and what it says of an account. */
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { ChainError } from "../errors/index.ts";
import { formatTime } from "./amount.ts";
import { ABIS } from "./contracts.ts";
import type { Deployment } from "./deployment.ts";
import { ifForeign } from "./foreign.ts";
import type { Session } from "./session.ts";
import type { TaskView, Terms } from "./task.ts";

/** What a deployment knows of the seat policy of terms. */
export type SeatKind = "anyone" | "list" | "draw" | "other";

/** What an account can do now to get a seat. */
export interface SeatChance {
  /** `take` a seat, `offer` to take one, `wait` for the draw or for its turn, or `none`. */
  readonly can: "take" | "offer" | "wait" | "none";
  /** Why it can't take one, as a clause. Empty if it can. */
  readonly why: string;
}

/** How far the draw of seats is. */
export interface SeatDraw {
  readonly offers: number;
  /** The block that decides. 0 as long as offers are taken. */
  readonly number: number;
  readonly drawn: boolean;
  /** The last second for offers. */
  readonly closes: number;
  /** The last second at which only the first ones may take seats. */
  readonly reserves: number;
}

/** Who decides about the seats of terms. */
export function seatKind({ seatList, seatDraw }: Deployment, { seatPolicy }: Pick<Terms, "seatPolicy">): SeatKind {
  if (seatPolicy === zeroAddress) return "anyone";
  if (seatList !== undefined && isAddressEqual(seatPolicy, seatList)) return "list";
  return seatDraw !== undefined && isAddressEqual(seatPolicy, seatDraw) ? "draw" : "other";
}

/**
 * The contract of a deployment that decides about seats.
 * @throws {ChainError} when the deployment has none
 */
export function policyOf(deployment: Deployment, name: "seatList" | "seatDraw"): Address {
  const address = deployment[name];
  if (address !== undefined) return address;
  throw new ChainError(
    "CONTRACT_MISSING",
    `this deployment has no ${name}; name a deployment that has one with --deployment`,
    { contract: name },
  );
}

/** How far the draw of an open task is. */
export async function readDraw({ client, deployment }: Session, { id, terms, deadline }: TaskView): Promise<SeatDraw> {
  const address = policyOf(deployment, "seatDraw");
  const call = { address, abi: ABIS.seatDraw, functionName: "drawOf", args: [id] } as const;
  const [offers, number, drawn] = await client.readContract(call);
  // The contract divides whole numbers.
  const [half, quarter] = [2, 4].map((part) => Math.floor(terms.periods.toAccept / part));
  const times = { closes: deadline - half, reserves: deadline - quarter };
  return { offers: Number(offers), number: Number(number), drawn, ...times };
}

/** What an account can do to get a seat in an open task. @param now the chain's time, in seconds */
export async function seatChance(session: Session, task: TaskView, owner: Address, now: number): Promise<SeatChance> {
  const { client, deployment } = session;
  const kind = seatKind(deployment, task.terms);
  const { seatPolicy: address } = task.terms;
  if (kind === "anyone") return { can: "take", why: "" };
  const asked = { address, abi: ABIS.seatList, functionName: "mayTakeSeat", args: [task.id, owner] } as const;
  if (await client.readContract(asked).catch(ifForeign(false))) return { can: "take", why: "" };
  if (kind === "list") return none(`its client has not named ${owner} for a seat`);
  if (kind === "other") return none(`its seat policy ${address} does not let ${owner} take a seat`);
  const [rank, draw] = await Promise.all([
    client.readContract({ address, abi: ABIS.seatDraw, functionName: "rankOf", args: [task.id, owner] }),
    readDraw(session, task),
  ]);
  const { number, drawn, closes, reserves } = draw;
  if (drawn && rank > 1n)
    return { can: "wait", why: `${owner} is a reserve: its turn is after ${formatTime(reserves)}` };
  if (drawn) return none("others were drawn for its seats");
  if (rank > 0n) return { can: "wait", why: `${owner} has offered, and the seats are not drawn yet` };
  if (number === 0 && now <= closes) return { can: "offer", why: `its seats are drawn among offers` };
  return none(`offers for its seats were taken until ${formatTime(closes)}`);
}

const none = (why: string): SeatChance => ({ can: "none", why });
