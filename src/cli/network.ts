/** Opens the network of `--network`, with the key that this process has there. */
import { NetworkKey } from "../services/network/key.ts";
import { Networks } from "../services/network/open.ts";
import { placeOf } from "./listen.ts";
import type { NetworkFlags } from "./network-options.ts";
import type { NkeyFlags } from "./nkey.ts";
import { tokensOf } from "./token.ts";

/** @throws {KeyError} when the file holds no nkey */
export const networkKey = ({ nkey }: NkeyFlags): Promise<NetworkKey> => NetworkKey.open(nkey);

/** Opens networks with the key and the tokens of the command. */
export async function networksOf(flags: NetworkFlags): Promise<Networks> {
  return new Networks({
    key: () => networkKey(flags),
    tokenFor: await tokensOf(flags),
    ...(flags.listen !== undefined && { listen: placeOf(flags.listen, "--listen") }),
    ...(flags.reachedAt !== undefined && { reachedAt: flags.reachedAt }),
  });
}
