/** `verde`: one file a command beside this one. */
import { createRequire } from "node:module";
import { Command } from "commander";
import { chainFailure, exitCodeOf, reportFailure } from "./exit.ts";
import { resolveOwnPackage } from "../job/resolve.ts";
import * as bench from "./bench.ts";
import * as certify from "./certify.ts";
import * as check from "./check.ts";
import * as demo from "./demo/demo.ts";
import * as dispute from "./dispute.ts";
import * as inspect from "./inspect.ts";
import * as run from "./run.ts";
import * as serve from "./serve.ts";

/** Loaded when they are meant: what talks to a chain would double the time that every other command takes to start. */
const SETTLEMENT: readonly [string, string, () => Promise<{ register(program: Command): void }>][] = [
  ["chain", "start a local chain, deploy the contracts that settle tasks", () => import("./chain/chain.ts")],
  ["key", "make and read keystores, files with a key behind a password", () => import("./key.ts")],
  ["stake", "put up, take back and show what secures an account's claims", () => import("./stake.ts")],
  ["task", "post a job with a reward, run it for pay, see that it is settled", () => import("./task.ts")],
  ["referee", "sign verdicts as a member of a committee, and submit them", () => import("./referee.ts")],
  ["defend", "defend your claim before the game, move by move, from its trace", () => import("./defend.ts")],
  ["simulate", "reckon with what is too large to be run", () => import("./simulate.ts")],
  ["watch", "follow a task until it is final or refunded", () => import("./watch.ts")],
];

const { version } = createRequire(import.meta.url)("@verde-ml/verde/package.json") as { version: string };
resolveOwnPackage();
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever read our output has stopped reading, as `head` does.
  if (error.code === "EPIPE") process.exit();
  throw error;
});

const program = new Command("verde")
  .description("Train, record, dispute: machine learning that can be checked to the bit.")
  .version(version, "-V, --version")
  .exitOverride()
  .showHelpAfterError("(`verde --help` lists the commands)");
for (const command of [demo, run, inspect, dispute, check, serve, certify, bench]) command.register(program);
for (const [name, description, load] of SETTLEMENT) {
  // A word before is `help`.
  if (process.argv.slice(2, 4).includes(name)) (await load()).register(program);
  else program.command(name).description(description);
}
program
  .command("test")
  .description("run the project's checks and tests (through the launcher: ./verde test)")
  .allowUnknownOption()
  .action(() => program.error("start the tests with the launcher, `./verde test`, or with `npm test`"));

try {
  await program.parseAsync();
} catch (thrown) {
  const error = chainFailure(thrown);
  reportFailure(error, process.argv.includes("--json"));
  process.exitCode = exitCodeOf(error);
}
