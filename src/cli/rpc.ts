/** The option that names nodes of a chain. */
import { type Command, Option } from "commander";
import { collected } from "./collected.ts";

/** An option for addresses of nodes, which may be given several times. The first one replaces the default. */
export function rpcOption(description: string, standard?: readonly string[]): Option {
  const option = new Option("--rpc <url>", description).argParser(collected((url) => url));
  return standard === undefined ? option : option.default(standard, standard.join(" "));
}

export function addRpcOption(command: Command): Command {
  const urls = (process.env.VERDE_RPC || "http://127.0.0.1:8545").trim().split(/\s+/);
  const description =
    "a node of the chain; if there are several, all have to agree; VERDE_RPC sets the default, with spaces between nodes";
  return command.addOption(rpcOption(description, urls));
}
