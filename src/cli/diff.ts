/** `verde diff`: where two traces first differ, by what they hold. Nothing is executed. */
import type { Command } from "commander";
import { type Difference, diffTraces } from "../audit/diff.ts";
import { toHex } from "../encoding/bytes.ts";
import { openAnyTrace } from "../trace/any-source.ts";
import type { Trace } from "../trace/open.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { colors, formatCount, writeJson, writeLine } from "./output.ts";
import { addProgressOption, meanwhile } from "./progress.ts";
import { addTokenOption, type TokenFlags, tokensOf } from "./token.ts";

export function register(program: Command): void {
  const command = program
    .command("diff")
    .description("show where two traces first differ, without executing anything or asking who is right")
    .argument("<a>", "a trace file, or the address of a server that serves one")
    .argument("<b>", "another one")
    .option("--json", "one JSON object");
  addProgressOption(addTokenOption(command)).action(diff);
}

async function diff(a: string, b: string, flags: TokenFlags & { json?: boolean }): Promise<void> {
  const { json = false } = flags;
  const tokenFor = await tokensOf(flags);
  const found = await meanwhile(`comparing ${a} and ${b}`, async () =>
    diffTraces(...((await Promise.all([openAnyTrace(a, tokenFor), openAnyTrace(b, tokenFor)])) as [Trace, Trace])),
  );
  if (json) writeJson(differenceJson([a, b], found));
  else writeLine(...describe([a, b], found));
  exitWith(found.equal ? EXIT.agree : EXIT.divergence);
}

function differenceJson(
  names: [string, string],
  { equal, settings, job, state, metric, operator, recorded }: Difference,
) {
  return {
    schemaVersion: 1,
    outcome: equal ? "equal" : "different",
    traces: names,
    recordedSteps: recorded,
    settings,
    job,
    state: state ? { from: state.from, to: state.to, roots: state.roots.map(toHex) } : null,
    // As texts: JSON has no infinities.
    metric: metric ? { ...metric, values: metric.values.map(String) } : null,
    operator: operator ? { ...operator, roots: operator.roots.map(toHex) } : null,
  };
}

function describe([a, b]: [string, string], found: Difference): string[] {
  const { equal, settings, job, state, metric, operator, recorded } = found;
  const bold = colors.bold;
  if (equal) return [bold(`${a} and ${b} hold the same run, ${formatCount(recorded[0])} training steps.`)];
  const lines: string[] = [];
  if (settings.includes("job")) return [bold("They are runs of different jobs."), ...job.map((part) => `  ${part}`)];
  if (settings.includes("commitEvery"))
    lines.push("They commit to states at different steps, so their roots can't be compared; only what they report is.");
  if (recorded[0] !== recorded[1]) lines.push(`They have recorded ${recorded.map(formatCount).join(" and ")} steps.`);
  if (state) {
    const { from, to, roots } = state;
    const when =
      to === 0 ? "the initial state" : from === to ? `training step ${to}` : `training steps ${from} to ${to}`;
    lines.push(bold(`They differ from ${when} on.`), ...pair([a, b], roots.map(toHex)));
  } else if (settings.length === 0) lines.push("All state roots that both have are equal.");
  if (operator)
    lines.push(
      `The first operator with another output is ${operator.label} (operator ${operator.kernel}) in step ${operator.step}.`,
      ...pair([a, b], operator.roots.map(toHex)),
    );
  if (metric)
    lines.push(
      `The first number that differs is ${metric.name} in step ${metric.step}.`,
      ...pair([a, b], metric.values),
    );
  if (state) lines.push(`Find out who is right with \`verde dispute ${a} ${b}\`.`);
  return lines;
}

function pair(names: readonly string[], values: readonly unknown[]): string[] {
  const width = Math.max(...names.map(({ length }) => length));
  return names.map((name, i) => `  ${name.padEnd(width)}  ${String(values[i])}`);
}
