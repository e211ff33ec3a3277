/** `verde`: the program. Each command has its own file. */
import { createRequire } from "node:module";
import { Command } from "commander";
import { chainFailure, exitCodeOf, reportFailure } from "./exit.ts";
import { resolveOwnPackage } from "../job/resolve.ts";
import { terminalText } from "./output.ts";
import * as bench from "./bench.ts";
import * as certify from "./certify.ts";
import * as check from "./check.ts";
import * as demo from "./demo/demo.ts";
import * as dispute from "./dispute.ts";
import * as inspect from "./inspect.ts";
import * as run from "./run.ts";
import * as serve from "./serve.ts";
import * as trace from "./trace.ts";

/**
 * Loaded only when needed: the code that talks to a chain would double the start time of every other command.
 */
const SETTLEMENT: readonly [string, string, () => Promise<{ register(program: Command): void }>][] = [
  ["chain", "start a local chain, or deploy the contracts that settle tasks", () => import("./chain/chain.ts")],
  ["key", "make and read keystores: files with a key, sealed with a password", () => import("./key.ts")],
  ["stake", "deposit, withdraw and show the stake that secures an account's claims", () => import("./stake.ts")],
  ["task", "post a job with a reward, run one for pay, and settle it", () => import("./task.ts")],
  ["referee", "sign verdicts as a member of a committee, and submit them", () => import("./referee.ts")],
  ["defend", "defend your claim in the game on the chain, move by move, from its trace", () => import("./defend.ts")],
  ["simulate", "estimate what is too large to run", () => import("./simulate.ts")],
  ["watch", "follow a task until it is final or refunded", () => import("./watch.ts")],
];

const { version } = createRequire(import.meta.url)("@verde-ml/verde/package.json") as { version: string };
resolveOwnPackage();
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader of our output has stopped reading; `head` does that.
  if (error.code === "EPIPE") process.exit();
  throw error;
});

const program = new Command("verde")
  .description("Train, record, dispute: machine learning that can be checked bit by bit.")
  .version(version, "-V, --version")
  .exitOverride()
  // What it quotes of the command line is shown as everything else is.
  .configureOutput({
    writeOut: (text) => process.stdout.write(terminalText(text.replace(/\n$/, "").split("\n"))),
    writeErr: (text) => process.stderr.write(terminalText(text.replace(/\n$/, "").split("\n"))),
  })
  .showHelpAfterError("(`verde --help` lists the commands)");
for (const command of [demo, run, inspect, dispute, check, serve, trace, certify, bench]) command.register(program);
for (const [name, description, load] of SETTLEMENT) {
  // The name is the first argument, or the second after `help`.
  if (process.argv.slice(2, 4).includes(name)) (await load()).register(program);
  else program.command(name).description(description);
}
program
  .command("test")
  .description("run the project's checks and tests (through the launcher: ./verde test)")
  .allowUnknownOption()
  .action(() => program.error("start the tests with `./verde test`, or with `npm test`"));

try {
  await program.parseAsync();
} catch (thrown) {
  const error = chainFailure(thrown);
  reportFailure(error, process.argv.includes("--json"));
  process.exitCode = exitCodeOf(error);
}
