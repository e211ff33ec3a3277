/** A provider of the development chain, in this process: with one of the accounts whose keys are public. */
import { join } from "node:path";
import type { LocalAccount } from "viem/accounts";
import { addressOf } from "../../claims/signature.ts";
import { ClaimStore } from "../../claims/store.ts";
import { fromHex } from "../../encoding/bytes.ts";
import { purposeOf } from "../../referee/opened-party.ts";
import { publicPrivateKey } from "../../settlement/local/chain.ts";
import { localAccount } from "../../settlement/local/settlement.ts";
import type { Session } from "../../settlement/session.ts";
import { Caller } from "../../settlement/transactions/caller.ts";
import { NetworkKey } from "../network/key.ts";
import type { ProviderAccount } from "./account.ts";

export interface LocalPerson {
  readonly account: LocalAccount;
  readonly caller: Caller;
  /** Its claims, and the key that signs about them. */
  readonly claims: ClaimStore;
  readonly key: NetworkKey;
}

/** @param folder where its claims are kept @param index of the account, from 0 to 11 */
export function localPerson(session: Session, folder: string, index: number): LocalPerson {
  const secret = fromHex(publicPrivateKey(index), 32);
  const account = localAccount(index);
  return {
    account,
    caller: Caller.shortLived(session, account),
    claims: new ClaimStore(join(folder, `state-${index}`), [{ secret, address: addressOf(secret) }]),
    key: NetworkKey.make(),
  };
}

export function localProvider({ account, caller, claims }: LocalPerson): ProviderAccount {
  return {
    address: account.address,
    send: (call) => caller.call(call),
    salt: (task) => caller.salt(task),
    claimRun: ({ runRoot, manifest }) => claims.record(runRoot, purposeOf({ manifest }), fromHex(account.address, 20)),
  };
}
