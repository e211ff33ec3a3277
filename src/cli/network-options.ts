/** `--network`: how a command reaches others. What opens a network is in network.ts, which loads much. */
import type { Command } from "commander";
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { isAddress } from "../formats/http.ts";
import { addNkeyOption, type NkeyFlags } from "./nkey.ts";

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

/** @returns nothing if neither an option nor the environment names one */
export function networkAddress({ network = process.env.VERDE_NETWORK || undefined }: NetworkFlags): string | undefined {
  if (network === undefined || isAddress(network)) return network?.replace(/\/+$/, "");
  throw new UsageError("VALUE", `--network ${quote(network)} is no address; write nats://127.0.0.1:4222, or http://127.0.0.1:8860`, { found: network }); // prettier-ignore
}

/** @throws {UsageError} when neither an option nor the environment names a network */
export function expectNetwork(flags: NetworkFlags): string {
  const address = networkAddress(flags);
  if (address !== undefined) return address;
  throw new UsageError("SYNTAX", "no network is named; give its address with --network, or in VERDE_NETWORK");
}
