/**
 * `verde rounds dispute A B --on-chain`: A is posted on a chain in this process, and the holder of B disputes
 * it there.
 */
import { quote } from "../../errors/text.ts";
import { RoundsRecord } from "../../rounds/record.ts";
import { type ChainBlame, type ChainRecordDispute, disputeRecordOnChain } from "../../settlement/rounds/dispute.ts";
import { hardforkFrom } from "../chain/hardfork.ts";
import { EXIT } from "../exit.ts";
import { exitWith } from "../guard.ts";
import { colors, formatCount, writeJson, writeLine } from "../output.ts";
import { meanwhile } from "../progress.ts";
import { formatTable } from "../table.ts";

interface Flags {
  backend?: string;
  hardfork?: string;
  evidence?: string[];
  json?: boolean;
}

export async function disputeRoundsOnChain(
  a: string,
  b: string,
  { backend, hardfork: fork, evidence, json }: Flags,
): Promise<void> {
  const hardfork = fork === undefined ? undefined : hardforkFrom(fork);
  const [posted, other] = [await RoundsRecord.open(a, evidence), await RoundsRecord.open(b, evidence)];
  const options = { ...(backend !== undefined && { backend }), ...(hardfork && { hardfork }) };
  const result = await meanwhile(`the dispute of ${a} on a chain`, () => disputeRecordOnChain(posted, other, options));
  if (result.outcome === "agree") {
    if (json) writeJson({ schemaVersion: 1, outcome: "agree", rounds: result.rounds, losers: [] });
    else writeLine(`${a} and ${b} agree in ${result.rounds} rounds, round 0 included.`);
    exitWith(EXIT.agree);
    return;
  }
  const { round, name, blames, moves } = result;
  if (json)
    writeJson({
      schemaVersion: 1,
      outcome: blames.length > 0 ? "divergence" : "undecided",
      round,
      leaf: name,
      losers: blames.map(({ participant, reason, location }) => ({
        participant,
        reason,
        step: location?.step ?? null,
        operator: location?.operator ?? null,
      })),
      gas: moves.reduce((sum, { gas }) => sum + gas, 0),
      transactions: moves,
    });
  else print(result);
  exitWith(blames.length > 0 ? EXIT.divergence : EXIT.undecided);
}

const LOST: Readonly<Record<ChainBlame["reason"], string>> = {
  unsigned: "could not show a signature that it needs",
  inputs: "did not read what the plan says",
  equivocation: "signed two things for one place",
  operator: "computed another value",
  message: "handed on another state than it had computed",
  record: "signed another record",
  roll: "closed a turn by no roll that fits",
  receipts: "lacks what stores had to sign for it",
  silence: "could not answer in time",
};

function print({ round, name, blames, moves }: ChainRecordDispute): void {
  const rows = moves.map(({ what, by, bytes, gas }) => [what, by, `${formatCount(bytes)} B`, formatCount(gas)]);
  writeLine(...formatTable(["transaction", "by", "calldata", "gas"], rows), "");
  writeLine(`The records differ first in round ${round}, at ${name}.`);
  if (blames.length === 0) writeLine("Nobody has lost.");
  for (const { participant, reason, location } of blames) {
    const at = location?.operator ? ` in step ${location.step} at ${quote(location.operator.label)}` : "";
    writeLine(colors.bold(`${participant} has lost: it ${LOST[reason]}${at}.`));
  }
  writeLine(`${moves.length} transactions, ${formatCount(moves.reduce((sum, { gas }) => sum + gas, 0))} gas.`);
}
