/** `verde check`: whether a verdict holds, without parties, and for a proof without traces. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { formatAddress, formatClaim, parseClaim, type RunClaim } from "../claims/claim.ts";
import { type Bytes, toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { parseJson } from "../encoding/json.ts";
import { DisputeError, unreadable, UsageError } from "../errors/index.ts";
import type { RefutedClaim } from "../referee/check-proof.ts";
import { type CheckedProof, checkVerdict, type NamedRuling } from "../referee/check-verdict.ts";
import { concludeFrom } from "../referee/conclude.ts";
import { type Replayed, replayRuling } from "../referee/replay.ts";
import { SecondOpinion } from "../referee/second-opinion.ts";
import { PARTIES, type Verdict } from "../referee/verdict.ts";
import { openTrace } from "../trace/index.ts";
import { placeLines } from "./dispute-text.ts";
import { EXIT } from "./exit.ts";
import { colors, writeJson, writeLine } from "./output.ts";
import { Wallets } from "./wallets.ts";

interface Flags {
  a: string;
  b?: string;
  replay?: string;
  transcript?: string;
  backend?: string;
  rpc?: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command("check")
    .description("check a verdict: a proof from its own evidence, a ruling by replaying it")
    .argument("<verdict>", "the file that `verde dispute --verdict` wrote")
    .requiredOption("--a <claim>", "the first trace's claim, as `verde inspect` shows it: 0xROOT@0xADDRESS, or 0xROOT")
    .option("--b <claim>", "the second trace's claim; a proof needs only the claim that it refutes")
    .option("--replay <trace>", "execute the disputed segment of a ruling, from the data of this trace")
    .option("--transcript <file>", "derive the verdict again from the transcript, and compare")
    .option("--backend <name>", "executes --replay; default: wasm")
    .option("--rpc <url>", "a node to ask about claims of wallet contracts (ERC-1271)")
    .option("--json", "one JSON object")
    .action(check);
}

async function check(path: string, flags: Flags): Promise<void> {
  const verdict = await readVerdict(path);
  const claims = [parseClaim(flags.a, "--a"), ...(flags.b === undefined ? [] : [parseClaim(flags.b, "--b")])];
  const began = performance.now();
  const opinion = new SecondOpinion();
  const wallets = new Wallets(flags.rpc);
  const checked = checkVerdict(verdict, claims, { climb: opinion.climb, accept: wallets.accept });
  const block = await wallets.confirm();
  if (flags.transcript !== undefined) await compare(verdict as Verdict, flags.transcript);
  const head = { paths: opinion.paths, millis: performance.now() - began, block };
  if (checked.kind === "proof") {
    if (flags.replay !== undefined) throw new UsageError("CONFLICT", "a proof needs no replay; omit --replay");
    if (flags.json) writeJson(proofJson(checked, head));
    else printProof(path, checked, claims, head);
    return;
  }
  const replayed = flags.replay === undefined ? undefined : await replay(checked, flags.replay, flags.backend);
  if (flags.json) writeJson(rulingJson(checked, replayed, head));
  else printRuling(path, checked, replayed, head);
  process.exitCode = replayed ? EXIT.agree : EXIT.word;
}

interface Head {
  /** Merkle paths that were followed by two implementations. */
  paths: number;
  millis: number;
  /** The block at which wallet contracts were asked. */
  block?: bigint;
}

async function readVerdict(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw unreadable(`the verdict ${path}`, path, cause, "write one with `verde dispute A B --verdict FILE`");
  });
  return parseJson(text, `the verdict ${path}`);
}

/** @throws {DisputeError} when the transcript leads to another verdict */
async function compare(verdict: Verdict, path: string): Promise<void> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw unreadable(`the transcript ${path}`, path, cause, "write one with `verde dispute A B --transcript FILE`");
  });
  const again = (await concludeFrom(text, path))?.verdict;
  const words = ({ ...file }: Verdict): string => {
    // The signature is the referee's. It is checked with the ruling.
    if (file.kind === "ruling") Object.assign(file, { referee: null, signature: null });
    return JSON.stringify(file);
  };
  const isOwn = verdict.kind !== "ruling" || verdict.transcript === toHex(sha256(new TextEncoder().encode(text)));
  if (!again || !isOwn || words(again) !== words(verdict))
    throw new DisputeError(
      "VERDICT_ALTERED",
      `the verdict does not follow from ${path}; get the transcript of this dispute`,
      {
        transcript: path,
      },
    );
}

/** @throws {DisputeError} when the replay does not show what the ruling says */
async function replay(ruling: NamedRuling, path: string, backend?: string): Promise<Replayed> {
  const replayed = await replayRuling(ruling, await openTrace(path), backend);
  const names = (sides: readonly number[]): string => sides.map((side) => PARTIES[side]).join(" and ");
  if (!ruling.losingSides.every((side) => replayed.losers.includes(side)))
    throw new DisputeError(
      "VERDICT_ALTERED",
      `the ruling says that ${names(ruling.losingSides)} is wrong, but executing the segment shows that ${names(replayed.losers)} is; do not rely on the ruling`,
      { expected: ruling.losingSides, found: replayed.losers },
    );
  return replayed;
}

const hexOrNull = (bytes: Bytes | undefined): string | null => (bytes ? toHex(bytes) : null);

function headJson({ paths, millis, block }: Head) {
  return {
    pathsVerifiedTwice: paths,
    ...(block !== undefined && { block: Number(block) }),
    millis: Number(millis.toFixed(3)),
  };
}

function proofJson({ restsOn, losers, refuted }: CheckedProof, head: Head) {
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

function rulingJson(ruling: NamedRuling, replayed: Replayed | undefined, head: Head) {
  const { step, operator, element, fold, claims, reasons, referee } = ruling;
  const losers = replayed ? replayed.losers : ruling.losingSides;
  return {
    schemaVersion: 3,
    outcome: "holds",
    kind: "ruling",
    restsOn: replayed ? "replay" : "referee",
    referee: referee ? formatAddress(referee) : null,
    losers: losers.map((side) => PARTIES[side]),
    claims: claims.map(formatClaim),
    step,
    operator,
    element,
    fold,
    reasons,
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

function printProof(path: string, { losers, refuted }: CheckedProof, claims: readonly RunClaim[], head: Head): void {
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

function printRuling(path: string, ruling: NamedRuling, replayed: Replayed | undefined, head: Head): void {
  const { step, claims, claimed, recomputed, reasons, referee } = ruling;
  printHead(path, head);
  claims.forEach((claim, side) => row(PARTIES[side], formatClaim(claim)));
  if (step !== null) row("step", `${step}`);
  for (const [name, text] of placeLines(ruling)) row(name, text);
  claimed?.forEach((value, side) => row(`${PARTIES[side]} claims`, toHex(value)));
  if (recomputed) row("recomputed", toHex(recomputed));
  reasons.forEach((reason, side) => {
    if (reason !== null) row(`${PARTIES[side]} forfeits`, reason);
  });
  row("referee", referee ? formatAddress(referee) : "nobody has signed this ruling");
  if (replayed) row("replayed", `${replayed.steps} training steps, to the state root ${toHex(replayed.recomputed)}`);
  printTail(head);
  const names = (replayed ? replayed.losers : ruling.losingSides).map((side) => PARTIES[side]);
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
