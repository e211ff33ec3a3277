/**
 * A committee that is drawn for each dispute, for a task manager that exists:
 *
 *     npx hardhat ignition deploy ignition/modules/RotatingCommittee.ts --network NAME --parameters FILE
 *
 * Parameters: `manager` and `game` (addresses; without a game verdicts are final), `stake` of each candidate
 * in the token's smallest units, `members` that are drawn (3), `threshold` (how many of them make a verdict;
 * 2).
 */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { zeroAddress } from "viem";

export default buildModule("RotatingCommittee", (m) => ({
  committee: m.contract("RotatingCommittee", [
    m.getParameter<string>("manager"),
    m.getParameter<string>("game", zeroAddress),
    m.getParameter<bigint>("stake"),
    m.getParameter("members", 3n),
    m.getParameter("threshold", 2n),
  ]),
}));
