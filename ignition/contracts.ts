import type { IgnitionModuleBuilder } from "@nomicfoundation/ignition-core";

type Token = Parameters<IgnitionModuleBuilder["call"]>[0] | ReturnType<IgnitionModuleBuilder["getParameter"]>;

const DAY = 86_400n;

/**
 * The settlement contracts over a token: a task manager, which makes its vault, a committee, the exchange, and the
 * contracts about seats and canaries.
 *
 * Parameters of the module: `unbondingPeriod` in seconds (30 days), `members` (addresses of the referees), `threshold`
 * (how many of them make a verdict; 2).
 */
export function settlement(m: IgnitionModuleBuilder, token: Token) {
  const manager = m.contract("TaskManager", [token, m.getParameter("unbondingPeriod", 30n * DAY)]);
  const vault = m.contractAt("StakeVault", m.staticCall(manager, "vault"));
  const members = m.getParameter<string[]>("members");
  const committee = m.contract("RefereeCommittee", [manager, members, m.getParameter("threshold", 2n)]);
  const exchange = m.contract("Exchange", [manager]);
  const [seatList, seatDraw, canaries] = ["SeatList", "SeatDraw", "Canaries"].map((name) =>
    m.contract(name, [manager]),
  );
  return { manager, vault, committee, exchange, seatList, seatDraw, canaries };
}
