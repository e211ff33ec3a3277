/** `verde dispute`: finds where two runs of one job first differ, and which of them is wrong. */
import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { type Bytes, toHex } from "../encoding/bytes.ts";
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { bracket } from "../referee/bracket.ts";
import { type Divergence, dispute, type DisputeOptions, type DisputeResult } from "../referee/dispute.ts";
import type { Pair } from "../game/level.ts";
import { BACKEND_NAMES } from "../repops/backends/index.ts";
import { openBackend } from "../certify/open-backend.ts";
import { EXIT } from "./exit.ts";
import { colors, formatBytes, formatCount, writeJson, writeLine } from "./output.ts";
import { nameOf, partyJson } from "./party.ts";
import { formatValue } from "./value.ts";

interface Flags {
  recompute?: string;
  verdict?: string;
  backend?: string;
  onChain?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command("dispute")
    .description("find where two traces first differ, and which one is wrong")
    .argument("<a>", "a trace")
    .argument("<b>", "a trace of the same job")
    .argument("[more...]", "further traces: the winner of each dispute meets the next one")
    .option(
      "--recompute <what>",
      "what the referee executes: scalar (one scalar step) or operator (the whole operator)",
    )
    .option("--verdict <file>", "write the decision with its evidence, for `verde check`")
    .option("--backend <name>", `${BACKEND_NAMES}, auto, or a module that exports one; replays and recomputes`)
    .option(
      "--on-chain",
      "play the dispute on a chain in this process: each move is a transaction, and the EVM is the referee",
    )
    .option("--json", "one JSON object")
    .action(async (a: string, b: string, more: string[], flags: Flags) => {
      if (flags.onChain) {
        // The code that talks to a chain is slow to load.
        const { disputeTracesOnChain } = await import("./dispute-on-chain.ts");
        return disputeTracesOnChain([a, b], more, flags);
      }
      if (more.length > 0) return disputeMany([a, b, ...more], flags);
      const result = await dispute(a, b, await optionsOf(flags));
      if (flags.verdict !== undefined && result.outcome === "divergence")
        await writeFile(flags.verdict, `${JSON.stringify(result.verdict, null, 2)}\n`);
      if (flags.json) writeJson(disputeJson(result));
      else printResult(result, flags.verdict);
      process.exitCode = result.outcome === "agree" ? EXIT.agree : EXIT.divergence;
    });
}

/** A bracket: one dispute after the other, then which parties stand. */
async function disputeMany(paths: readonly string[], flags: Flags): Promise<void> {
  if (flags.verdict !== undefined)
    throw new UsageError("CONFLICT", "a verdict is about two traces; name only two, or omit --verdict");
  const { outcome, parties, losers, standing, disputes } = await bracket(paths, await optionsOf(flags));
  if (flags.json)
    writeJson({
      schemaVersion: 2,
      outcome,
      parties: parties.map(partyJson),
      losers,
      standing,
      disputes: disputes.map(disputeJson),
    });
  else {
    for (const divergence of disputes) writeLine(...describeDivergence(divergence), "");
    const [stand, lose] = [standing, losers].map((list) =>
      list.length > 0 ? list.map((id) => nameOf(parties, id)).join(", ") : "none",
    );
    writeLine(colors.bold(outcome === "agree" ? "All agree." : `Standing: ${stand}. Wrong: ${lose}.`));
  }
  process.exitCode = outcome === "agree" ? EXIT.agree : EXIT.divergence;
}

async function optionsOf({ recompute, backend: name }: Flags): Promise<DisputeOptions> {
  if (recompute !== undefined && recompute !== "scalar" && recompute !== "operator")
    throw new UsageError("VALUE", `--recompute ${recompute} is neither scalar nor operator; write one of the two`, {
      expected: ["scalar", "operator"],
      found: recompute,
    });
  const choice = name === undefined ? undefined : await openBackend(name);
  return { ...(recompute !== undefined && { recompute }), ...(choice && { backend: choice.backend }) };
}

/** The object that `--json` prints. */
function disputeJson(result: DisputeResult) {
  const { outcome, parties, losers, figures } = result;
  const { scalarSteps, bytes, rounds, millis } = figures;
  const head = { schemaVersion: 2, outcome, parties: parties.map(partyJson), losers };
  const referee = { scalarSteps, bytes, rounds, millis: Number(millis.toFixed(3)) };
  if (result.outcome === "agree") return { ...head, referee };
  const { step, operator, element, fold, recomputed, claimed } = result;
  return {
    ...head,
    step,
    operator,
    element,
    fold,
    recomputed: recomputed ? toHex(recomputed) : null,
    claimed: claimed ? Object.fromEntries(claimed.map((value, side) => [parties[side].id, toHex(value)])) : {},
    ...(result.decision.kind === "forfeit" && { forfeit: forfeits(result) }),
    referee,
  };
}

/** The reason why each party that forfeits does so, by the party's id. */
function forfeits({ parties, reasons }: Divergence): Record<string, string> {
  return Object.fromEntries(
    reasons.flatMap((reason, side) => (reason === undefined ? [] : [[parties[side].id, reason]])),
  );
}

function printResult(result: DisputeResult, verdict: string | undefined): void {
  const [a, b] = result.parties.map(({ name }) => name);
  if (result.outcome === "agree") {
    writeLine(`${a} and ${b} agree: both commit to the run root ${toHex(result.runRoots[0])}.`);
    if (verdict !== undefined) writeLine(`There is nothing to decide, so ${verdict} was not written.`);
    return;
  }
  writeLine(...describeDivergence(result));
  if (verdict !== undefined)
    writeLine(`The evidence is in ${verdict}; check it with \`verde check ${verdict} ${rootFlags(result.runRoots)}\`.`);
}

/** Several lines: where two traces differ, what each claims, which is wrong, and what the dispute cost. */
export function describeDivergence(result: Divergence): string[] {
  const { parties, step, losers, decision } = result;
  const names = parties.map(({ name }) => name);
  const width = Math.max(12, ...names.map((name) => name.length));
  const reasons = decision.kind === "forfeit" ? Object.entries(forfeits(result)) : [];
  return [
    `${names.join(" and ")} differ${step === null ? "" : ` from training step ${step} on`}.`,
    "",
    ...placeLines(result).map(([name, text]) => `  ${name.padEnd(width)} ${text}`),
    ...claimLines(result, width).map((line) => `  ${line}`),
    "",
    ...reasons.map(([id, reason]) => `${nameOf(parties, id)} forfeits: ${reason}.`),
    colors.bold(losers.length === 2 ? "Both are wrong." : `${nameOf(parties, losers[0])} is wrong.`),
    costLine(result),
  ];
}

function rootFlags([a, b]: Pair<Bytes>): string {
  return `--a ${toHex(a)} --b ${toHex(b)}`;
}

/** Where they differ, as far down as the dispute went. */
export function placeLines({
  operator,
  element,
  fold,
}: Pick<Divergence, "operator" | "element" | "fold">): [string, string][] {
  const lines: [string, string][] = [];
  if (operator) lines.push(["operator", `${quote(operator.label)} (${operator.kind}, operator ${operator.number})`]);
  if (element) lines.push(["element", `[${element.join(", ")}]`]);
  if (fold !== null) lines.push(["fold index", `${fold}, the accumulator after it`]);
  return lines;
}

function claimLines({ parties, claimed, recomputed, decision, dtype }: Divergence, width: number): string[] {
  if (!claimed || !recomputed) return [];
  const lines = ([0, 1] as const).map((side) => {
    const line = `${parties[side].name.padEnd(width)} ${formatValue(claimed[side], dtype)}`;
    return decision.losers.includes(side) ? colors.red(`${line}  ✗`) : colors.green(`${line}  ✓`);
  });
  return [...lines, `${"recomputed".padEnd(width)} ${formatValue(recomputed, dtype)}`];
}

function costLine({ figures, runSteps }: Divergence): string {
  const { scalarSteps, bytes, rounds, millis } = figures;
  const steps = scalarSteps === 1 ? "1 scalar step" : `${formatCount(scalarSteps)} scalar steps`;
  return (
    `The referee executed ${steps} of the ${formatCount(runSteps)} of the run, asked ${rounds} questions, ` +
    `read ${formatBytes(bytes)}, and took ${millis.toFixed(1)} ms, without waiting for answers.`
  );
}
