/** The program with its commands. Each command has its own file. */
import { Console } from "node:console";
import { Command, type Help } from "commander";
import { resolveOwnPackage } from "../job/resolve.ts";
import { applyConfiguration } from "./config/apply.ts";
import { readConfiguration } from "./config/file.ts";
import { chainFailure, exitCodeOf, reportFailure, usageText } from "./exit.ts";
import { finish, reportWith } from "./guard.ts";
import { columnsOf, terminalText } from "./output.ts";
import { wrap } from "./table.ts";

type Load = () => Promise<{ register(program: Command): void }>;

/** The commands that the help page shows with their arguments, in its order. */
const CORE: readonly [string, Load][] = [
  ["demo", () => import("./demo/demo.ts")],
  ["run", () => import("./run.ts")],
  ["worker", () => import("./worker.ts")],
  ["job", () => import("./job.ts")],
  ["inspect", () => import("./inspect.ts")],
  ["validate", () => import("./validate.ts")],
  ["audit", () => import("./audit.ts")],
  ["diff", () => import("./diff.ts")],
  ["dispute", () => import("./dispute.ts")],
  ["check", () => import("./check.ts")],
  ["prove", () => import("./prove.ts")],
  ["serve", () => import("./serve.ts")],
  ["blob", () => import("./blob.ts")],
  ["trace", () => import("./trace.ts")],
  ["certify", () => import("./certify.ts")],
  ["bench", () => import("./bench.ts")],
  ["doctor", () => import("./doctor/doctor.ts")],
];

/** The code of rounds is seldom used, and that of a chain is large: the help page only names these. */
const LATER: readonly [string, string, Load][] = [
  [
    "rounds",
    "run plans of many participants, and find who is wrong in their records",
    () => import("./rounds/rounds.ts"),
  ],
  ["chain", "start a local chain, or deploy the contracts that settle tasks", () => import("./chain/chain.ts")],
  ["key", "make and read keystores: files with a key, sealed with a password", () => import("./key.ts")],
  ["stake", "deposit, withdraw and show the stake that secures an account's claims", () => import("./stake.ts")],
  ["task", "post a job with a reward, run one for pay, and settle it", () => import("./task.ts")],
  ["referee", "sign verdicts as a member of a committee, and submit them", () => import("./referee.ts")],
  ["defend", "defend your claim in the game on the chain, move by move, from its trace", () => import("./defend.ts")],
  ["simulate", "estimate what is too large to run", () => import("./simulate.ts")],
  ["provider", "run tasks for pay, from the offer to the payment", () => import("./provider.ts")],
  ["client", "submit jobs to a network of providers", () => import("./client.ts")],
  ["node", "a local chain, providers and referees in one process", () => import("./node.ts")],
  ["watch", "follow a task until it is final or refunded", () => import("./watch.ts")],
];

/** These describe the others, and build the whole program for it. */
const ABOUT: readonly [string, () => Promise<{ register(program: Command, build: typeof buildProgram): void }>][] = [
  ["completion", () => import("./completion.ts")],
  ["config", () => import("./config/config.ts")],
];

/** The fewest columns for descriptions beside the names that they describe. */
const DESCRIPTION = 30;

/** A row of a help page. On a narrow terminal the description stands below the name. */
function formatItem(term: string, termWidth: number, description: string, { helpWidth = 80 }: Help): string {
  const [margin, gap] = ["  ", "  "];
  if (description === "") return margin + term;
  const beside = helpWidth - margin.length - termWidth - gap.length;
  const lines = wrap(description, beside >= DESCRIPTION ? beside : helpWidth - 6);
  if (beside < DESCRIPTION) return [margin + term, ...lines.map((line) => `      ${line}`)].join("\n");
  const left = " ".repeat(margin.length + termWidth + gap.length);
  return margin + term.padEnd(termWidth) + gap + lines.join(`\n${left}`);
}

const withoutEnd = (text: string): string[] => text.replace(/\n$/, "").split("\n");

/**
 * The program, ready to parse a command line.
 * @param words of the command line: if they name a command, it alone is loaded. Without words all are
 */
export async function buildProgram(words?: readonly string[]): Promise<Command> {
  const program = new Command("verde")
    .description("Train, record, dispute: machine learning that can be checked bit by bit.")
    .exitOverride()
    // What it quotes of the command line is shown as everything else is.
    .configureOutput({
      writeOut: (text) => process.stdout.write(terminalText(withoutEnd(text))),
      writeErr: (text) => process.stderr.write(terminalText(withoutEnd(text))),
      outputError: (text, write) => write(`verde: ${usageText(text)} (VERDE_USAGE_SYNTAX)\n`),
      getOutHelpWidth: () => columnsOf(process.stdout) ?? 80,
      getErrHelpWidth: () => columnsOf(process.stderr) ?? 80,
    })
    .configureHelp({ formatItem })
    .showHelpAfterError("(`verde --help` lists the commands)");
  // The name is the first argument, or the second after `help`.
  const named = words?.[words[0] === "help" ? 1 : 0];
  const isKnown = [...CORE, ...LATER, ...ABOUT].some(([name]) => name === named);
  const isLoaded = (name: string): boolean => !isKnown || name === named;
  for (const [name, load] of CORE) if (isLoaded(name)) (await load()).register(program);
  if (!isKnown) (await import("./version.ts")).register(program, words);
  for (const [name, load] of ABOUT) if (isLoaded(name)) (await load()).register(program, buildProgram);
  for (const [name, description, load] of LATER) {
    if (words === undefined || name === named) (await load()).register(program);
    else program.command(name).description(description);
  }
  program
    .command("test")
    .description("run the project's checks and tests (through the launcher: ./verde test)")
    .allowUnknownOption()
    .action(() => program.error("start the tests with `./verde test`, or with `npm test`"));
  return program;
}

/** Runs the command line of this process. */
export async function start(): Promise<void> {
  const words = process.argv.slice(2);
  reportWith((error) => reportFailure(error, words.includes("--json")));
  resolveOwnPackage();
  // What a job or a backend says does not stand between the results on stdout.
  globalThis.console = new Console(process.stderr);
  finish(await runProgram(words));
}

/**
 * Runs one command.
 * @param words the command line, without the program's name
 * @returns the exit code of a failure, which was reported; nothing when the command has finished
 */
export async function runProgram(words: readonly string[]): Promise<number | undefined> {
  try {
    const program = await buildProgram(words);
    applyConfiguration(program, await readConfiguration());
    await program.parseAsync(words, { from: "user" });
    return undefined;
  } catch (thrown) {
    const error = await chainFailure(thrown);
    reportFailure(error, words.includes("--json"));
    return exitCodeOf(error);
  }
}
