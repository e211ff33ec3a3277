/** The contracts, under the names that a deployment gives them. */
import { canariesAbi } from "./abi/canaries.ts";
import { disputeGameAbi } from "./abi/dispute-game.ts";
import { exchangeAbi } from "./abi/exchange.ts";
import { refereeCommitteeAbi } from "./abi/referee-committee.ts";
import { rotatingCommitteeAbi } from "./abi/rotating-committee.ts";
import { roundGameAbi } from "./abi/round-game.ts";
import { roundManagerAbi } from "./abi/round-manager.ts";
import { seatDrawAbi } from "./abi/seat-draw.ts";
import { seatListAbi } from "./abi/seat-list.ts";
import { stakeVaultAbi } from "./abi/stake-vault.ts";
import { taskManagerAbi } from "./abi/task-manager.ts";
import { testTokenAbi } from "./abi/test-token.ts";

/** A call passes on the errors of the contracts that it calls, so every interface lists the errors of all. */
export const ABIS = {
  token: testTokenAbi,
  manager: taskManagerAbi,
  vault: stakeVaultAbi,
  committee: refereeCommitteeAbi,
  rotating: rotatingCommitteeAbi,
  game: disputeGameAbi,
  exchange: exchangeAbi,
  seatList: seatListAbi,
  seatDraw: seatDrawAbi,
  canaries: canariesAbi,
  roundManager: roundManagerAbi,
  roundVault: stakeVaultAbi,
  roundGame: roundGameAbi,
} as const;
/** The name of a contract in a deployment. */
export type Contract = keyof typeof ABIS;
