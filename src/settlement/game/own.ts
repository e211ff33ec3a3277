/** What the account that is defended has in a task: a seat, or a challenge, or what has become of that. */
import { type Address, isAddressEqual } from "viem";
import { ChainError } from "../../errors/index.ts";
import { challengerDuties, type Duty, dutiesOf, type SeatMeans } from "../duties.ts";
import { type Challenger, type Seat, taskEvents, type TaskSource, type TaskView } from "../task.ts";
import type { Defended } from "./defence-options.ts";

/** A challenge that got no seat. */
interface Gone {
  readonly owner: Address;
  /** Whether its bond was lost. If not, it was turned away. */
  readonly isLost: boolean;
}

/** A seat, or a challenge that is not revealed, or one that is gone. */
export type Own = Seat | Challenger | Gone;

/** @throws {ChainError} when the account has never had a seat or a challenge in the task */
export async function ownIn(view: TaskView, source: TaskSource, address: Address): Promise<Own> {
  const found = [...view.seats, ...view.challengers].find(({ owner }) => isAddressEqual(owner, address));
  if (found) return found;
  for (const { eventName, args } of (await taskEvents(source, view.id)).reverse())
    if ((eventName === "TurnedAway" || eventName === "ChallengeLapsed") && isAddressEqual(args.owner, address))
      return { owner: address, isLost: eventName === "ChallengeLapsed" };
  throw new ChainError("NO_SEAT", `${address} has no seat in this task; use the account that has one`);
}

/** Whether it has lost its stake or bond. */
export const hasLost = (own: Own): boolean => ("out" in own ? own.out : "isLost" in own && own.isLost);

/** Whether it is a seat that has still to commit. */
export const isUncommitted = ({ state }: TaskView, own: Own): boolean =>
  (state === "Open" || state === "Accepted") && "seat" in own && !own.out && own.commitment === undefined;

/** What its owner should do. @param now the chain's time, in seconds */
export function dutiesIn(view: TaskView, own: Own, now: number, means: SeatMeans): Duty[] {
  if ("seat" in own) return dutiesOf(view, own, now, means);
  return "challenge" in own ? challengerDuties(view, own, now, means) : [];
}

/** How its defence ends. */
export function endOf(view: TaskView, own: Own): Defended {
  return { view, out: hasLost(own), ...("isLost" in own && { turnedAway: !own.isLost }) };
}
