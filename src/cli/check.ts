/** `verde check`: whether a verdict holds, without traces and without parties. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { fromHex, toHex } from "../encoding/bytes.ts";
import { parseJson } from "../encoding/json.ts";
import { unreadable } from "../errors/index.ts";
import { type CheckedVerdict, checkVerdict } from "../referee/check-verdict.ts";
import { SecondOpinion } from "../referee/second-opinion.ts";
import { PARTIES } from "../referee/verdict.ts";
import { placeLines } from "./dispute.ts";
import { colors, writeJson, writeLine } from "./output.ts";

interface Flags {
  a: string;
  b: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command("check")
    .description("check a verdict from its own evidence")
    .argument("<verdict>", "the file that `verde dispute --verdict` wrote")
    .requiredOption("--a <root>", "the run root of the first trace")
    .requiredOption("--b <root>", "the run root of the second trace")
    .option("--json", "one JSON object")
    .action(async (path: string, flags: Flags) => {
      const verdict = await readVerdict(path);
      const began = performance.now();
      const opinion = new SecondOpinion();
      const checked = checkVerdict(verdict, fromHex(flags.a, 32), fromHex(flags.b, 32), opinion.climb);
      const millis = performance.now() - began;
      if (flags.json) writeJson(checkJson(checked, opinion.paths, millis));
      else printChecked(path, checked, opinion.paths, millis);
    });
}

async function readVerdict(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw unreadable(`the verdict ${path}`, path, cause, "write one with `verde dispute A B --verdict FILE`");
  });
  return parseJson(text, `the verdict ${path}`);
}

function checkJson(checked: CheckedVerdict, paths: number, millis: number) {
  const { kind, restsOn, losers, step, operator, element, fold, claimed, recomputed } = checked;
  return {
    schemaVersion: 2,
    outcome: "holds",
    kind,
    restsOn,
    losers: losers.map((side) => PARTIES[side]),
    step,
    operator,
    element,
    fold,
    claimed: claimed ? Object.fromEntries(claimed.map((value, side) => [PARTIES[side], toHex(value)])) : {},
    recomputed: recomputed ? toHex(recomputed) : null,
    pathsVerifiedTwice: paths,
    millis: Number(millis.toFixed(3)),
  };
}

function printChecked(path: string, checked: CheckedVerdict, paths: number, millis: number): void {
  const { losers, step, restsOn, claimed, recomputed, reasons } = checked;
  writeLine(`${path} holds (${millis.toFixed(1)} ms).`);
  writeLine();
  if (step !== null) writeLine(`  ${"step".padEnd(12)} ${step}`);
  for (const [name, text] of placeLines(checked)) writeLine(`  ${name.padEnd(12)} ${text}`);
  claimed?.forEach((value, side) => writeLine(`  ${`${PARTIES[side]} claims`.padEnd(12)} ${toHex(value)}`));
  if (recomputed) writeLine(`  ${"recomputed".padEnd(12)} ${toHex(recomputed)}`);
  reasons.forEach((reason, side) => {
    if (reason !== null) writeLine(`  ${`${PARTIES[side]} forfeits`.padEnd(12)} ${reason}`);
  });
  writeLine(`  ${"Merkle paths".padEnd(12)} ${paths}, each verified by two implementations`);
  writeLine();
  const names = losers.map((side) => PARTIES[side]);
  writeLine(colors.bold(names.length === 2 ? "Both are wrong." : `${names[0]} is wrong.`));
  if (restsOn === "referee")
    writeLine(
      colors.yellow(
        "This rests on the referee's word: the file can't prove what the referee saw (a missing answer, or a whole recomputed operator).",
      ),
    );
}
