/** Whom a task puts into a position to take stakes, and whether that is known. */
import { isAddressEqual, zeroAddress } from "viem";
import { ChainError } from "../../errors/index.ts";
import type { Deployment } from "../../settlement/deployment.ts";
import type { Terms } from "../../settlement/task.ts";
import { committeeFrom, gameFrom } from "./terms.ts";

/** Those that somebody trusts beside the deployment's. */
export interface Trusted {
  committee?: string;
  game?: string;
}

/**
 * A committee, and a game that has the last word, can take every stake of a task.
 * @throws {ChainError} unless both are the deployment's, or those that the flags name, or none
 */
export function expectTrusted(terms: Terms, deployment: Deployment, flags: Trusted): void {
  const committee = flags.committee === undefined ? deployment.committee : committeeFrom(flags.committee);
  const game = gameFrom(flags.game ?? (deployment.game && "deployed"), deployment.game);
  for (const [name, wanted, trusted] of [
    ["committee", terms.committee, committee],
    ["game", terms.game, game],
  ] as const)
    if (wanted !== zeroAddress && !isAddressEqual(wanted, trusted))
      throw new ChainError(
        "UNTRUSTED",
        `disputes of this task are decided by ${wanted}, not by ${trusted === zeroAddress ? `a ${name} of the deployment` : trusted}; ` +
          `whoever that is can take your stake. If you trust it, name it with --${name}`,
        { [name]: wanted, expected: trusted, found: wanted },
      );
}
