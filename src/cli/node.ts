/** `verde node`: a local chain, providers and referees in one process, to submit jobs to. */
import { join } from "node:path";
import type { Command } from "commander";
import { UsageError } from "../errors/index.ts";
import { FUNDED_ACCOUNTS } from "../settlement/local/chain.ts";
import { startNode } from "../services/node.ts";
import { parseDuration } from "../settlement/duration.ts";
import { portFrom } from "./listen.ts";
import { colors, sayNow, writeJson, writeLine } from "./output.ts";
import { ownCommand } from "./own-command.ts";
import { endSignal } from "./stop.ts";
import { parseCount } from "./task/terms.ts";

interface Flags {
  jobs: string;
  folder: string;
  providers: string;
  referees: string;
  port: string;
  hubPort: string;
  every: string;
  backend?: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command("node")
    .description("a local chain, providers and referees in one process, to submit jobs to")
    .requiredOption("--jobs <folder>", "job files (`verde job export`) of the jobs that the providers may run")
    .option("--folder <folder>", "where traces and the deployment's file are", join("out", "node"))
    .option("--providers <n>", "how many providers", "3")
    .option("--referees <n>", "how many members the committee has", "1")
    .option("--port <number>", "the chain's port; 0 for any free one", "8545")
    .option("--hub-port <number>", "the hub's port; 0 for any free one", "8860")
    .option("--every <time>", "how often they look", "1s")
    .option("--backend <name>", "runs and replays the jobs; default: what `verde run` takes")
    .option("--json", "one JSON object a line")
    .action(runNode);
}

async function runNode(flags: Flags): Promise<void> {
  const [providers, referees] = [parseCount(flags.providers, "--providers"), parseCount(flags.referees, "--referees")];
  const most = FUNDED_ACCOUNTS - 2;
  if (providers < 1 || referees < 1 || providers + referees > most)
    throw new UsageError("VALUE", `${providers} providers and ${referees} referees are not from 2 to ${most} together, with one of each; the chain has ${FUNDED_ACCOUNTS} accounts`); // prettier-ignore
  const signal = endSignal();
  const say = (sentence: string): void => sayNow(sentence, flags.json);
  const node = await startNode({
    jobs: flags.jobs,
    folder: flags.folder,
    providers,
    referees,
    chainPort: portFrom(flags.port, "--port"),
    hubPort: portFrom(flags.hubPort, "--hub-port"),
    command: ownCommand(),
    ...(flags.backend !== undefined && { backend: flags.backend }),
    everyMillis: 1000 * Math.max(parseDuration(flags.every), 1),
    signal,
    say,
  });
  const { chain, hub, deployment, clientKey } = node;
  const variables = {
    VERDE_RPC: chain,
    VERDE_DEPLOYMENT: deployment,
    VERDE_NETWORK: hub,
    VERDE_PRIVATE_KEY: clientKey,
  };
  if (flags.json) writeJson({ schemaVersion: 1, ...variables });
  else
    writeLine(
      `A chain, ${providers} providers and ${referees} referees run. In another terminal:`,
      ...Object.entries(variables).map(([name, value]) => `  export ${name}=${value}`),
      `  ./verde client submit ${join(flags.jobs, "JOB.verde")} --providers ${Math.min(providers, 3)} --reward 10 --to-challenge 1m --wait`,
      colors.yellow("Everybody knows these keys: never use them on another chain."),
      colors.dim("Ctrl-C ends it, and deletes everything on the chain."),
    );
  await node.ended;
  // A defence that waits for its next look would keep the process alive.
  setImmediate(() => process.exit(0));
}
