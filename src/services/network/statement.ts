/** What a wallet says about the key of a process. */
import type { Address } from "viem";
import type { LocalAccount } from "viem/accounts";
import { signIdentity, type Statement } from "../../settlement/identity.ts";
import type { Session } from "../../settlement/session.ts";
import type { NetworkKey } from "./key.ts";

/** How long a statement about a key holds. A process that runs for longer is started again before that. */
const STATEMENT_SECONDS = 90 * 86_400;

/**
 * What a wallet says about a key of this process.
 * @param operator who runs it. Default: the wallet
 */
export function statementBy(
  account: LocalAccount,
  { deployment }: Session,
  { publicKey: nkey }: NetworkKey,
  operator: Address = account.address,
): Promise<Statement> {
  const now = Date.now();
  const expiry = Math.floor(now / 1000) + STATEMENT_SECONDS;
  return signIdentity(account, deployment, { nkey, operator, nonce: now, expiry });
}
