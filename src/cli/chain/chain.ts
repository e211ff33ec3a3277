/** `verde chain`: a chain for development, and the contracts on any chain. */
import type { Command } from "commander";
import { formatUnits } from "viem";
import { ETHER } from "../../settlement/amount.ts";
import { DEFAULT_GAS_BOND } from "../../settlement/game/bond.ts";
import { chainDeploy } from "./deploy.ts";
import { chainMint, chainSkip } from "./local.ts";
import { chainNode } from "./node.ts";
import { addKeyOptions, addRpcOption, addSendOptions } from "../session.ts";

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
  addKeyOptions(
    addRpcOption(chain.command("deploy").description("deploy the contracts, and write down where they are"))
      .option("--token <address>", "what stakes and rewards are in; a test token that anyone may mint unless given")
      .requiredOption("--committee <addresses>", "the referees, with commas between")
      .option("--threshold <n>", "how many of them make a verdict; more than half unless given")
      .option("--unbonding <time>", "from a request to unbond until stake may be drawn", "30d")
      .option("--clock <time>", "of the game: what a side has for all its moves together", "1d")
      .option("--response <time>", "what it has for any move, however little is left", "10m")
      .option("--recompute <time>", "what it has for a move that needs steps to be computed again", "1h")
      .option(
        "--gas-bond <amount>",
        "of the game, in the chain's currency: what each side's first move in a dispute brings for the winner's gas",
        formatUnits(DEFAULT_GAS_BOND, ETHER.decimals),
      )
      .option("--out <file>", "the deployment to write; an existing file is never overwritten", "deployment.json")
      .option("--dry-run", "show what would be deployed, and sign nothing")
      .option("--json", "one JSON object"),
  ).action(chainDeploy);
  addSendOptions(chain.command("mint").description("make test tokens; for deployments with the test token"))
    .argument("<tokens>", "how many")
    .option("--to <address>", "who gets them; the one who signs unless given")
    .action(chainMint);
  addRpcOption(chain.command("skip").description("move the clock of a development chain"))
    .argument("<time>", "such as 90s, 2h, 1d")
    .option("--json", "one JSON object")
    .action(chainSkip);
}
