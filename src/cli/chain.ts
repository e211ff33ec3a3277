/** `verde chain`: a chain for development. */
import type { Command } from "commander";
import { chainNode } from "./chain-node.ts";

export function register(program: Command): void {
  const chain = program.command("chain").description("start a local chain, deploy the contracts that settle tasks");
  chain
    .command("node")
    .description("start a development chain for this machine alone")
    .option("--port <n>", "where it listens on 127.0.0.1; 0 for any free port", "8545")
    .option("--keys <folder>", "write keystores of the funded accounts, behind a password")
    .option("--password-file <file>", "holds that password; else VERDE_PASSWORD has it, or you are asked")
    .option("--json", "one JSON object")
    .action(chainNode);
}
