/** What a provider of the command line has: its account, and its presence on a network. */
import type { Address } from "viem";
import { ClaimStore } from "../claims/store.ts";
import { fromHex } from "../encoding/bytes.ts";
import { purposeOf } from "../referee/opened-party.ts";
import type { Networks } from "../services/network/open.ts";
import { statementBy } from "../services/network/statement.ts";
import type { ProviderAccount } from "../services/provider/account.ts";
import { Presence } from "../services/provider/presence.ts";
import { parseDuration } from "../settlement/duration.ts";
import type { Session } from "../settlement/session.ts";
import { type KeyFlags, signerOf } from "./account.ts";
import { openClaims } from "./claims.ts";
import { networkKey } from "./network.ts";
import { networkAddress, type NetworkFlags } from "./network-options.ts";
import type { Sender } from "./send.ts";

export interface PresenceFlags extends NetworkFlags, KeyFlags {
  every: string;
  backend?: string;
  operator?: Address;
  drawnOnly?: boolean;
}

/** The provider on the network that the command names, if it names one. */
export async function presenceOf(
  session: Session,
  networks: Networks,
  flags: PresenceFlags,
  say: (sentence: string) => void,
): Promise<Presence | undefined> {
  const address = networkAddress(flags);
  if (address === undefined) return undefined;
  const key = await networkKey(flags);
  const statement = await statementBy(await signerOf(flags), session, key, flags.operator);
  say(`provider ${statement.owner} is on ${address} as ${key.publicKey}`);
  return new Presence({
    open: () => networks.at(address),
    key,
    statement,
    session,
    claims: await openClaims(flags),
    ...(flags.backend !== undefined && { backend: flags.backend }),
    everyMillis: 1000 * Math.max(parseDuration(flags.every), 1),
    drawnOnly: flags.drawnOnly ?? false,
    say,
  });
}

/** @param onSent is told of each call that was sent */
export function accountOf(sender: Sender, onSent?: (functionName: string) => void): ProviderAccount {
  return {
    address: sender.address,
    send: async (call) => {
      const receipt = await sender.send(call);
      onSent?.(call.functionName);
      return receipt;
    },
    salt: async (task) => (await sender.salt(task))!,
    claimRun: ({ runRoot, manifest }) =>
      new ClaimStore().record(runRoot, purposeOf({ manifest }), fromHex(sender.address, 20)),
  };
}
