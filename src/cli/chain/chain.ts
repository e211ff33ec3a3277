/** `verde chain`: starts a chain for development, and deploys the contracts on any chain. */
import type { Command } from "commander";
import { formatUnits } from "viem";
import { ETHER } from "../../settlement/amount.ts";
import { DEFAULT_GAS_BOND } from "../../settlement/game/bond.ts";
import { chainDeploy } from "./deploy.ts";
import { chainMint, chainSkip } from "./local.ts";
import { chainNode } from "./node.ts";
import { addRpcOption } from "../rpc.ts";
import { profileOption } from "../task/terms.ts";
import { addJournalOptions, addKeyOptions, addSendOptions } from "../session-options.ts";

export function register(program: Command): void {
  const chain = program.command("chain").description("start a local chain, or deploy the contracts that settle tasks");
  chain
    .command("node")
    .description("start a development chain that only this machine can reach")
    .option("--port <n>", "the port on 127.0.0.1; 0 for any free port", "8545")
    .option("--hardfork <name>", "the chain's rules: cancun, prague or osaka", "osaka")
    .option("--keys <folder>", "write keystores of the funded accounts, sealed with a password")
    .option("--password-file <file>", "a file with that password; without it VERDE_PASSWORD is used, or you are asked")
    .option("--json", "one JSON object")
    .action(chainNode);
  addJournalOptions(
    addKeyOptions(
      addRpcOption(chain.command("deploy").description("deploy the contracts, and write their addresses to a file")),
    )
      .option("--token <address>", "the token of stakes and rewards; default: a test token that anyone may mint")
      .requiredOption(
        "--committee <addresses>",
        "the referees, separated by commas; `rotating`: they are drawn for each dispute from a pool",
      )
      .option("--threshold <n>", "how many referees must sign a verdict; default: more than half")
      .option("--members <n>", "with --committee rotating: how many are drawn for a dispute; default: 3")
      .option("--candidate-stake <tokens>", "with --committee rotating: the stake of each place in the pool")
      .addOption(profileOption("the kind of chain, from which clocks and periods follow").default("l1"))
      .option("--unbonding <time>", "time until stake may be withdrawn; default: the profile's, 45d on l1")
      .option("--clock <time>", "game: the time of a side for all its moves; default: the profile's, 1d on l1")
      .option(
        "--response <time>",
        "game: the time that a side always has for one move; default: the profile's, 10m on l1",
      )
      .option("--recompute <time>", "game: the same where steps must be recomputed; default: the profile's, 1h on l1")
      .option(
        "--gas-bond <amount>",
        "game: what each player posts once for the gas of the others, in the chain's currency",
        formatUnits(DEFAULT_GAS_BOND, ETHER.decimals),
      )
      .option("--rounds", "deploy the contracts for plans of rounds too")
      .option("--out <file>", "the deployment to write; an existing file is never overwritten", "deployment.json")
      .option("--json", "one JSON object"),
  ).action(chainDeploy);
  addSendOptions(chain.command("mint").description("mint test tokens, if the deployment has the test token"))
    .argument("<tokens>", "how many")
    .option("--to <address>", "who gets them; default: the account that signs")
    .action(chainMint);
  addRpcOption(chain.command("skip").description("move the clock of a development chain"))
    .argument("<time>", "for example 90s, 2h, 1d")
    .option("--json", "one JSON object")
    .action(chainSkip);
}
