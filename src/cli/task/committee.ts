/** What a committee that is drawn for each dispute needs of the terms. */
import { isAddressEqual, zeroAddress } from "viem";
import { UsageError } from "../../errors/index.ts";
import type { Deployment } from "../../settlement/deployment.ts";
import type { Terms } from "../../settlement/task.ts";

/**
 * Whether the deployment's committee judges the task, and is a rotating one.
 * @throws {UsageError} when it would judge nothing, because the terms name another game
 */
export function isRotating({ rotating, game }: Deployment, terms: Terms): boolean {
  if (rotating === undefined || !isAddressEqual(terms.committee, rotating)) return false;
  if (terms.game !== zeroAddress && (game === undefined || !isAddressEqual(terms.game, game)))
    throw new UsageError(
      "CONFLICT",
      `the members of this committee would lose stakes by the word of the game ${terms.game}, so it judges nothing in such a task; omit --game, or name the deployment's`,
      { game: terms.game, expected: game ?? null },
    );
  return true;
}
