/** The check that the contracts that can take the stakes of a task are known ones. */
import { isAddressEqual, zeroAddress } from "viem";
import { ChainError } from "../../errors/index.ts";
import type { Deployment } from "../../settlement/deployment.ts";
import type { Terms } from "../../settlement/task.ts";
import { committeeFrom, gameFrom } from "./terms.ts";

/** Contracts that the user trusts instead of the deployment's. */
export interface Trusted {
  committee?: string;
  game?: string;
}

/**
 * The committee of a task can take every stake in it, and so can its game, which has the last word.
 * @throws {ChainError} unless each is absent, the deployment's, or the one that its flag names
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
          `it can take your stake. If you trust it, name it with --${name}`,
        { [name]: wanted, expected: trusted, found: wanted },
      );
}
