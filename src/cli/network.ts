/** `--network`: how a command reaches others, and the key that it has there. */
import type { Command } from "commander";
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { isAddress } from "../formats/http.ts";
import { NetworkKey } from "../services/network/key.ts";
import { Networks } from "../services/network/open.ts";
import { placeOf } from "./listen.ts";
import { addNkeyOption, type NkeyFlags } from "./nkey.ts";
import { tokensOf } from "./token.ts";

export interface NetworkFlags extends NkeyFlags {
  network?: string;
  listen?: string;
  reachedAt?: string;
}

/** The options of commands that use one network. */
export function addNetworkOptions(command: Command): Command {
  return addNkeyOption(command)
    .option(
      "--network <address>",
      "nats://HOST:PORT (several with commas), or http://HOST:PORT of a hub (`verde node`); default: VERDE_NETWORK",
    )
    .option(
      "--listen <address>",
      "over HTTP: address and port where this process is asked; default: any free port of 127.0.0.1",
    ) // prettier-ignore
    .option("--reached-at <url>", "over HTTP: how others reach --listen, if it is not that address");
}

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

/** @returns nothing if neither an option nor the environment names one */
export function networkAddress({ network = process.env.VERDE_NETWORK || undefined }: NetworkFlags): string | undefined {
  if (network === undefined || isAddress(network)) return network?.replace(/\/+$/, "");
  throw new UsageError("VALUE", `--network ${quote(network)} is no address; write nats://127.0.0.1:4222, or http://127.0.0.1:8860`, { found: network }); // prettier-ignore
}
