/** `verde dispute`: finds where two runs of one job first differ, and which of them is wrong. */
import type { Command } from "commander";
import { parseDuration } from "../settlement/duration.ts";
import { formatClaim } from "../claims/claim.ts";
import { toHex } from "../encoding/bytes.ts";
import { UsageError } from "../errors/index.ts";
import { writeResult } from "../files/replace.ts";
import { bracket } from "../referee/bracket.ts";
import { type Divergence, dispute, type DisputeOptions, type DisputeResult } from "../referee/dispute.ts";
import type { Reach } from "../referee/remote/present.ts";
import { BACKEND_NAMES } from "../repops/backends/index.ts";
import type { Networks } from "../services/network/open.ts";
import type { KeyFlags } from "./account.ts";
import { addKeyOptions, openClaims } from "./claims.ts";
import { describeDivergence, describeUndecided, forfeits } from "./dispute-text.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { colors, reportLine, writeJson, writeLine } from "./output.ts";
import { addThreadsOption } from "./threads.ts";
import { addTokenOption, type TokenFlags, tokensOf } from "./token.ts";
import { addProgressOption, meanwhile } from "./progress.ts";
import { nameOf, partyJson } from "./party.ts";
import { expectJsonResult } from "./result.ts";

interface Flags extends KeyFlags, TokenFlags {
  nkey?: string;
  recompute?: string;
  verdict?: string;
  transcript?: string;
  forfeitSilent?: boolean;
  patience?: string;
  backend?: string;
  onChain?: boolean;
  hardfork?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command("dispute")
    .description("find where two traces first differ, and which one is wrong")
    .argument("<a>", "a trace, or the address of a process that answers for one (`verde prove`), over HTTP or NATS")
    .argument("<b>", "another one, of the same job")
    .argument("[more...]", "further traces: the winner of each dispute meets the next one")
    .option(
      "--recompute <what>",
      "what the referee executes: scalar (one scalar step) or operator (the whole operator)",
    )
    .option("--verdict <file>", "write the decision with its evidence, for `verde check`")
    .option("--transcript <file>", "write every question and every answer; the verdict follows from them")
    .option("--forfeit-silent", "a party that gives no answer loses; without this, nothing is decided then")
    .option("--patience <time>", "how long a party has for one answer: 30s, 10m, 2h (default: 10m)")
    .option("--backend <name>", `${BACKEND_NAMES}, auto, or a module that exports one; replays and recomputes`)
    .option(
      "--on-chain",
      "play the dispute on a chain in this process: each move is a transaction, and the EVM is the referee",
    )
    .option("--nkey <file>", "the nkey of this process on NATS; default: one of your own")
    .option("--hardfork <name>", "with --on-chain: the chain's rules: cancun, prague or osaka (default: osaka)")
    .option("--json", "one JSON object");
  addProgressOption(addThreadsOption(addTokenOption(addKeyOptions(command)))).action(
    async (a: string, b: string, more: string[], flags: Flags, own: Command) => {
      if (flags.onChain) {
        // The code that talks to a chain is slow to load.
        const { disputeTracesOnChain } = await import("./dispute-on-chain.ts");
        return disputeTracesOnChain([a, b], more, flags);
      }
      if (flags.hardfork !== undefined)
        throw new UsageError("CONFLICT", "--hardfork chooses the rules of a chain; add --on-chain, or omit it");
      if (more.length > 0) return disputeMany([a, b, ...more], flags, own);
      await checkFiles(flags);
      const result = await withOptions(flags, own, (options) =>
        meanwhile(`the dispute of ${a} and ${b}: replaying, and asking both`, () => dispute(a, b, options)),
      );
      await writeFiles(result, flags);
      if (flags.json) writeJson(disputeJson(result));
      else printResult(result, flags);
      if (result.outcome !== "agree") for (const note of result.notes) reportLine(`verde: ${note}`);
      exitWith(EXITS[result.outcome]);
    },
  );
}

const EXITS = { agree: EXIT.agree, divergence: EXIT.divergence, undecided: EXIT.undecided } as const;

async function checkFiles({ verdict, transcript }: Flags): Promise<void> {
  if (verdict !== undefined && verdict === transcript)
    throw new UsageError("CONFLICT", `${verdict} can't be both the verdict and the transcript; name two files`);
  if (verdict !== undefined) await expectJsonResult(verdict, "--verdict");
  if (transcript !== undefined) await expectJsonResult(transcript, "--transcript");
}

async function writeFiles(result: DisputeResult, { verdict, transcript }: Flags): Promise<void> {
  if (verdict !== undefined && result.outcome === "divergence")
    await writeResult(verdict, `${JSON.stringify(result.verdict, null, 2)}\n`);
  if (transcript !== undefined && result.outcome !== "agree") await writeResult(transcript, result.transcript);
}

/** A bracket: one dispute after the other, then which parties stand. */
async function disputeMany(paths: readonly string[], flags: Flags, own: Command): Promise<void> {
  if (flags.verdict !== undefined || flags.transcript !== undefined)
    throw new UsageError(
      "CONFLICT",
      "a verdict is about two traces; name only two, or omit --verdict and --transcript",
    );
  const { outcome, parties, losers, standing, silent, disputes, equivocations } = await withOptions(
    flags,
    own,
    (options) => meanwhile(`the disputes of ${paths.length} traces`, () => bracket(paths, options)),
  );
  if (flags.json)
    writeJson({
      schemaVersion: 3,
      outcome,
      parties: parties.map(partyJson),
      losers,
      standing,
      silent,
      disputes: disputes.map(disputeJson),
      equivocations,
    });
  else {
    for (const result of disputes)
      writeLine(...(result.outcome === "divergence" ? describeDivergence(result) : describeUndecided(result)), "");
    const [stand, lose, mute] = [standing, losers, silent].map((list) =>
      list.length > 0 ? list.map((id) => nameOf(parties, id)).join(", ") : "none",
    );
    const summary = `Standing: ${stand}. Wrong: ${lose}.${silent.length > 0 ? ` Without an answer: ${mute}.` : ""}`;
    writeLine(colors.bold(outcome === "agree" ? "All agree." : summary));
  }
  exitWith(EXITS[outcome]);
}

/** What an action does with the options, while the networks of the parties are open. */
async function withOptions<T>(flags: Flags, own: Command, action: (options: DisputeOptions) => Promise<T>): Promise<T> {
  // The code that talks to networks is loaded only when an address is one.
  let networks: Promise<Networks> | undefined;
  const reach: Reach = async (address, timeout) => {
    networks ??= import("./network.ts").then(({ networksOf }) => networksOf(flags));
    return (await networks).reach(address, timeout);
  };
  try {
    return await action({ ...(await optionsOf(flags, own)), reach });
  } finally {
    await (await networks)?.close();
  }
}

async function optionsOf(flags: Flags, own: Command): Promise<DisputeOptions> {
  const { recompute, backend: name, patience, forfeitSilent = false } = flags;
  if (recompute !== undefined && recompute !== "scalar" && recompute !== "operator")
    throw new UsageError("VALUE", `--recompute ${recompute} is neither scalar nor operator; write one of the two`, {
      expected: ["scalar", "operator"],
      found: recompute,
    });
  return {
    ...(recompute !== undefined && { recompute }),
    ...(name !== undefined && { backend: name }),
    // No file of a party can stop or block this process, and both compute at once.
    apart: {},
    ...(patience !== undefined && { timeout: 1000 * patienceFrom(patience) }),
    forfeitSilent,
    claims: await openClaims(flags, own),
    tokenFor: await tokensOf(flags),
  };
}

/** Clocks count at most 2^31 milliseconds. */
const MOST_PATIENCE = 14 * 86_400;

/** @returns seconds */
function patienceFrom(text: string): number {
  const seconds = parseDuration(text);
  if (seconds >= 1 && seconds <= MOST_PATIENCE) return seconds;
  throw new UsageError("VALUE", `--patience ${text} is not from 1s to 14d; take a time in between`, { found: text });
}

/** The object that `--json` prints. */
function disputeJson(result: DisputeResult) {
  const { outcome, parties, losers, figures } = result;
  const { scalarSteps, bytes, rounds, millis } = figures;
  const head = { schemaVersion: 3, outcome, parties: parties.map(partyJson), losers };
  const referee = { scalarSteps, bytes, rounds, millis: Number(millis.toFixed(3)) };
  if (result.outcome === "agree") return { ...head, referee };
  if (result.outcome === "undecided") return { ...head, silent: result.silent, referee };
  const { step, operator, element, fold, recomputed, claimed, proven, verdict } = result;
  return {
    ...head,
    verdict: verdict.kind,
    proven,
    step,
    operator,
    element,
    fold,
    recomputed: recomputed ? toHex(recomputed) : null,
    claimed: claimed ? Object.fromEntries(claimed.map((value, side) => [parties[side].id, toHex(value)])) : {},
    ...(result.decision.kind === "forfeit" && { forfeit: forfeits(result) }),
    ...(result.replayed !== undefined && { replayedSteps: result.replayed }),
    referee,
  };
}

function printResult(result: DisputeResult, { verdict, transcript }: Flags): void {
  const [a, b] = result.parties.map(({ name }) => name);
  if (result.outcome === "agree") {
    writeLine(`${a} and ${b} agree: both commit to the run root ${toHex(result.runRoots[0])}.`);
    const files = [verdict, transcript].filter((file) => file !== undefined).join(" and ");
    if (files) writeLine(`There is nothing to decide, so ${files} was not written.`);
    return;
  }
  writeLine(...(result.outcome === "divergence" ? describeDivergence(result) : describeUndecided(result)));
  if (verdict !== undefined && result.outcome === "undecided") writeLine(`So ${verdict} was not written.`);
  if (verdict !== undefined && result.outcome === "divergence") {
    const what = result.verdict.kind === "proof" ? "The proof" : "The ruling";
    writeLine(`${what} is in ${verdict}; check it with \`verde check ${verdict} ${claimFlags(result)}\`.`);
  }
  if (transcript !== undefined) writeLine(`All questions and answers are in ${transcript}.`);
}

/** The options of `verde check` that name both claims. */
export function claimFlags({ parties }: Pick<Divergence, "parties">): string {
  return parties
    .map(({ runRoot: run, address }, side) => `--${"ab"[side]} ${formatClaim({ run, ...(address && { address }) })}`)
    .join(" ");
}
