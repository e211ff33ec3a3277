/** What `verde dispute` tells people. */
import { quote } from "../errors/text.ts";
import type { Divergence, Undecision } from "../referee/dispute.ts";
import { colors, formatBytes, formatCount } from "./output.ts";
import { nameOf } from "./party.ts";
import { formatValue } from "./value.ts";

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
    ...wordLines(result),
    costLine(result),
    ...(result.replayed === undefined
      ? []
      : [
          `It also executed ${formatCount(result.replayed)} training steps, since a party has only the records in its file.`,
        ]),
  ];
}

/** The reason why each party that forfeits does so, by the party's id. */
export function forfeits({ parties, reasons }: Divergence): Record<string, string> {
  return Object.fromEntries(
    reasons.flatMap((reason, side) => (reason === undefined ? [] : [[parties[side].id, reason]])),
  );
}

/** Says which losers the verdict does not prove wrong. */
function wordLines({ parties, losers, proven }: Divergence): string[] {
  const unproven = losers.filter((id) => !proven.includes(id));
  if (unproven.length === 0) return [];
  const names = unproven.map((id) => nameOf(parties, id)).join(" and ");
  return [`This rests on this referee's word: ${names} signed nothing that proves it.`];
}

/** Which parties gave no answer, and why. */
export function describeUndecided({ parties, silent }: Undecision): string[] {
  return [
    `${parties.map(({ name }) => name).join(" and ")} differ, and nothing is decided:`,
    ...silent.map(({ name, reason }) => `  ${name} can't answer: ${reason}`),
    "A party that can't answer may be right. Restore its files, or rule that silence loses: --forfeit-silent.",
  ];
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
