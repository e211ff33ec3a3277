/** `verde dispute A B --on-chain`: plays the dispute of two claims on a chain in this process. */
import { plainJson } from "../encoding/json.ts";
import { bytesEqual, toHex } from "../encoding/bytes.ts";
import { UsageError } from "../errors/index.ts";
import { openBackend } from "../certify/open-backend.ts";
import { checkComparable } from "../referee/comparable.ts";
import { type NamedParty, partiesOf } from "../referee/party.ts";
import { traceMemory } from "../referee/trace-memory.ts";
import { expectComplete, openTrace } from "../trace/index.ts";
import type { GameMove } from "../settlement/game/driver.ts";
import { disputeLocally } from "../settlement/local/dispute.ts";
import { hardforkFrom } from "./chain/hardfork.ts";
import { ETHER, formatAmount } from "../settlement/amount.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { colors, formatCount, writeJson, writeLine } from "./output.ts";
import { Progress } from "./progress.ts";
import { partyJson } from "./party.ts";
import { formatTable } from "./table.ts";

interface Flags {
  recompute?: string;
  verdict?: string;
  transcript?: string;
  forfeitSilent?: boolean;
  backend?: string;
  hardfork?: string;
  json?: boolean;
}

/** @throws {UsageError} for more than two traces, or for options that have no meaning on a chain */
export async function disputeTracesOnChain(
  traces: readonly [string, string],
  more: readonly string[],
  { recompute, verdict, transcript, forfeitSilent, backend: name, hardfork: fork, json }: Flags,
): Promise<void> {
  if (more.length > 0)
    throw new UsageError("CONFLICT", "--on-chain takes two traces; a task on a chain takes up to eight claims");
  if ([recompute, verdict, transcript, forfeitSilent].some((flag) => flag !== undefined))
    throw new UsageError(
      "CONFLICT",
      "--on-chain ends in a scalar step that the EVM executes, and the chain keeps all moves; omit --recompute, --verdict, --transcript and --forfeit-silent",
    );
  const hardfork = fork === undefined ? undefined : hardforkFrom(fork);
  const [a, b] = [expectComplete(await openTrace(traces[0])), expectComplete(await openTrace(traces[1]))];
  checkComparable(a, b);
  const parties = partiesOf(traces).map(({ id, name }, side) => ({ id, name, runRoot: [a, b][side].runRoot }));
  const roots = [a.runRoot, b.runRoot] as const;
  if (bytesEqual(...roots)) {
    if (json) writeJson({ schemaVersion: 2, outcome: "agree", parties: parties.map(partyJson), losers: [] });
    else writeLine(`${traces.join(" and ")} agree: both commit to the run root ${toHex(roots[0])}.`);
    exitWith(EXIT.agree);
    return;
  }
  const backend = name === undefined ? undefined : (await openBackend(name)).backend;
  const first = await traceMemory(a, backend);
  const second = await traceMemory(b, backend).catch(async (cause: unknown) => {
    await first.close();
    throw cause;
  });
  const memories = [first, second] as const;
  const progress = new Progress();
  try {
    const show = ({ what, at }: GameMove): void => progress.show(`${what}: ${at}`, true);
    const { moves, gas, losers, build } = await disputeLocally(memories, roots, show, hardfork);
    progress.clear();
    const wrong = losers.map((side) => parties[side]);
    if (json)
      writeJson({
        schemaVersion: 2,
        outcome: "divergence",
        parties: parties.map(partyJson),
        losers: wrong.map(({ id }) => id),
        hardfork: hardfork ?? "osaka",
        build,
        gas,
        transactions: plainJson(moves.map((move) => ({ ...move, by: parties[move.by].id }))),
      });
    else print(moves, gas, wrong, parties);
    exitWith(EXIT.divergence);
  } finally {
    progress.clear();
    await Promise.all(memories.map((memory) => memory.close()));
  }
}

function print(
  moves: readonly GameMove[],
  gas: number,
  wrong: readonly NamedParty[],
  parties: readonly NamedParty[],
): void {
  writeLine(
    ...formatTable(
      ["transaction", "by", "where they differ", "calldata", "gas"],
      moves.map(({ what, by, at, bytes, gas: own }) => [
        what,
        parties[by].name,
        at,
        `${formatCount(bytes)} B`,
        formatCount(own),
      ]),
    ),
  );
  writeLine();
  writeLine(
    colors.bold(
      wrong.length === 2 ? "The EVM has decided: both are wrong." : `The EVM has decided: ${wrong[0].name} is wrong.`,
    ),
  );
  writeLine(`${moves.length} transactions, ${formatCount(gas)} gas.`);
  const bonds = moves.reduce((sum, { value }) => sum + value, 0n);
  const winner = wrong.length === 2 ? undefined : parties.find((party) => party !== wrong[0])!.name;
  const shared = winner === undefined ? "nobody gets them back" : `${winner} gets its own back and half of the other`;
  writeLine(`Bonds of ${formatAmount(bonds, ETHER)} were posted: ${shared}.`);
}
