/** What `verde check` tells: people in lines, and programs in one object. */
import { formatAddress, formatClaim, type RunClaim } from "../claims/claim.ts";
import { type Bytes, bytesEqual, toHex } from "../encoding/bytes.ts";
import type { RefutedClaim } from "../referee/check-proof.ts";
import type { CheckedProof, NamedRuling } from "../referee/check-verdict.ts";
import type { Replayed } from "../referee/replay.ts";
import { PARTIES } from "../referee/verdict.ts";
import { placeLines } from "./dispute-text.ts";
import { colors, writeLine } from "./output.ts";

export interface Head {
  /** Merkle paths that were followed by two implementations. */
  paths: number;
  millis: number;
  /** The block at which wallet contracts were asked. */
  block?: bigint;
}

const hexOrNull = (bytes: Bytes | undefined): string | null => (bytes ? toHex(bytes) : null);

function headJson({ paths, millis, block }: Head) {
  return {
    pathsVerifiedTwice: paths,
    ...(block !== undefined && { block: Number(block) }),
    millis: Number(millis.toFixed(3)),
  };
}

export function proofJson({ restsOn, losers, refuted }: CheckedProof, head: Head) {
  return {
    schemaVersion: 3,
    outcome: "holds",
    kind: "proof",
    restsOn,
    losers: losers.map((i) => PARTIES[i]),
    refuted: refuted.map(({ ground, kind, step, operator, element, fold, claimed, recomputed, ...claim }) => ({
      claim: formatClaim(claim),
      ground,
      decidedBy: kind ?? null,
      step,
      operator,
      element,
      fold,
      claimed: hexOrNull(claimed),
      recomputed: hexOrNull(recomputed),
    })),
    ...headJson(head),
  };
}

/** A ruling with a and b as the command line names them, not as the file does. */
interface RulingAsNamed extends NamedRuling {
  /** For each side of the file: the letter of its claim. */
  letters: readonly string[];
}

export function asNamed(ruling: NamedRuling, claims: readonly RunClaim[]): RulingAsNamed {
  const letters = ruling.claims.map(({ run }) => PARTIES[claims.findIndex((claim) => bytesEqual(claim.run, run))]);
  return { ...ruling, letters };
}

export function rulingJson(ruling: RulingAsNamed, replayed: Replayed | undefined, head: Head) {
  const { step, operator, element, fold, claims, reasons, referee, letters } = ruling;
  const losers = replayed ? replayed.losers : ruling.losingSides;
  return {
    schemaVersion: 3,
    outcome: "holds",
    kind: "ruling",
    restsOn: replayed ? "replay" : "referee",
    referee: referee ? formatAddress(referee) : null,
    losers: losers.map((side) => letters[side]).sort(),
    claims: Object.fromEntries(claims.map((claim, side) => [letters[side], formatClaim(claim)])),
    step,
    operator,
    element,
    fold,
    reasons: Object.fromEntries(reasons.map((reason, side) => [letters[side], reason])),
    recomputed: hexOrNull(replayed?.recomputed ?? ruling.recomputed),
    ...headJson(head),
  };
}

function row(name: string, text: string): void {
  writeLine(`  ${name.padEnd(12)} ${text}`);
}

function printHead(path: string, { millis }: Head): void {
  writeLine(`${path} holds (${millis.toFixed(1)} ms).`);
  writeLine();
}

function printTail({ paths, block }: Head): void {
  row("Merkle paths", `${paths}, each verified by two implementations`);
  if (block !== undefined) row("wallets", `asked at block ${block}`);
  writeLine();
}

export function printProof(
  path: string,
  { losers, refuted }: CheckedProof,
  claims: readonly RunClaim[],
  head: Head,
): void {
  printHead(path, head);
  for (const entry of refuted) printRefuted(entry);
  printTail(head);
  const names = losers.map((i) => PARTIES[i]);
  writeLine(colors.bold(names.length === 2 ? "Both are wrong." : `${names[0]} is wrong.`));
  const others = claims.length - losers.length;
  if (others > 0) writeLine("Nothing is shown about the other claim.");
}

function printRefuted(entry: RefutedClaim): void {
  const { step, ground, claimed, recomputed } = entry;
  row("claim", formatClaim(entry));
  row("rests on", GROUNDS[ground]);
  if (step !== null) row("step", `${step}`);
  for (const [name, text] of placeLines(entry)) row(name, text);
  if (claimed) row("claimed", toHex(claimed));
  if (recomputed) row("recomputed", toHex(recomputed));
}

const GROUNDS = {
  root: "the run root, so it holds against everybody who claims this root",
  signature: "the run root, and what this key has signed",
  equivocation: "two signatures of this key that contradict each other",
} as const satisfies Record<RefutedClaim["ground"], string>;

export function printRuling(path: string, ruling: RulingAsNamed, replayed: Replayed | undefined, head: Head): void {
  const { step, claims, claimed, recomputed, reasons, referee, letters } = ruling;
  printHead(path, head);
  claims.forEach((claim, side) => row(letters[side], formatClaim(claim)));
  if (step !== null) row("step", `${step}`);
  for (const [name, text] of placeLines(ruling)) row(name, text);
  claimed?.forEach((value, side) => row(`${letters[side]} claims`, toHex(value)));
  if (recomputed) row("recomputed", toHex(recomputed));
  reasons.forEach((reason, side) => {
    if (reason !== null) row(`${letters[side]} forfeits`, reason);
  });
  row("referee", referee ? formatAddress(referee) : "nobody has signed this ruling");
  if (replayed) row("replayed", `${replayed.steps} training steps, to the state root ${toHex(replayed.recomputed)}`);
  printTail(head);
  const names = (replayed ? replayed.losers : ruling.losingSides).map((side) => letters[side]).sort();
  const sentence = names.length === 2 ? "Both are wrong" : `${names[0]} is wrong`;
  if (replayed) writeLine(colors.bold(`${sentence}: the segment was executed here.`));
  else
    writeLine(
      colors.yellow(
        `${sentence}, says ${referee ? `the referee ${formatAddress(referee)}` : "somebody"}. This is a ruling: it proves nothing. ` +
          "Anyone who has the data can execute the disputed segment: --replay TRACE.",
      ),
    );
}
