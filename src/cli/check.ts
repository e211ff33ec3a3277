/** `verde check`: whether a verdict holds, without parties, and for a proof without traces. */
import type { Command } from "commander";
import { formatClaim, parseClaim } from "../claims/claim.ts";
import { toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { parseJson } from "../encoding/json.ts";
import { isReceipt } from "../audit/receipt.ts";
import { DisputeError, FormatError, unreadable, UsageError } from "../errors/index.ts";
import { openFile } from "../formats/file.ts";
import { checkVerdict, type NamedRuling } from "../referee/check-verdict.ts";
import { concludeFrom } from "../referee/conclude.ts";
import { type Replayed, replayRuling } from "../referee/replay.ts";
import { SecondOpinion } from "../referee/second-opinion.ts";
import { PARTIES, type Verdict } from "../referee/verdict.ts";
import { openTrace } from "../trace/index.ts";
import { checkReceiptFile } from "./check-receipt.ts";
import { asNamed, printProof, printRuling, proofJson, rulingJson } from "./check-text.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { reportLine, writeJson } from "./output.ts";
import { rpcOption } from "./rpc.ts";
import { addThreadsOption } from "./threads.ts";
import { addProgressOption, meanwhile } from "./progress.ts";
import { Wallets } from "./wallets.ts";

interface Flags {
  a: string;
  b?: string;
  replay?: string;
  transcript?: string;
  backend?: string;
  rpc?: readonly string[];
  json?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command("check")
    .description("check a verdict or a receipt: a proof from its own evidence, the others by replaying them")
    .argument("<verdict>", "the file that `verde dispute --verdict` or `verde audit --receipt` wrote")
    .requiredOption("--a <claim>", "the first trace's claim, as `verde inspect` shows it: 0xROOT@0xADDRESS, or 0xROOT")
    .option("--b <claim>", "the second trace's claim; a proof needs only the claim that it refutes")
    .option(
      "--replay <trace>",
      "execute the disputed segment of a ruling, or the steps of a receipt, from the data of this trace",
    )
    .option("--transcript <file>", "derive the verdict again from the transcript, and compare")
    .option("--backend <name>", "executes --replay; default: wasm")
    .addOption(rpcOption("a node to ask about claims of wallet contracts (ERC-1271); several have to agree"))
    .option("--json", "one JSON object");
  addProgressOption(addThreadsOption(command)).action(check);
}

async function check(path: string, flags: Flags): Promise<void> {
  const verdict = await readVerdict(path);
  if (isReceipt(verdict)) return checkReceiptFile(path, verdict, flags);
  const claims = [parseClaim(flags.a, "--a"), ...(flags.b === undefined ? [] : [parseClaim(flags.b, "--b")])];
  if (claims.length === 2 && formatClaim(claims[0]) === formatClaim(claims[1]))
    throw new UsageError("CONFLICT", "--a and --b name one claim; name two, or only --a");
  const began = performance.now();
  const opinion = new SecondOpinion();
  const wallets = new Wallets(flags.rpc);
  const checked = checkVerdict(verdict, claims, { climb: opinion.climb, accept: wallets.accept });
  const block = await wallets.confirm();
  if (flags.transcript !== undefined) await compare(verdict as Verdict, flags.transcript);
  const head = { paths: opinion.paths, millis: performance.now() - began, block };
  if (checked.kind === "proof") {
    if (flags.replay !== undefined) reportLine(`${path} is a proof, which needs no replay: --replay has no effect.`);
    if (flags.json) writeJson(proofJson(checked, head));
    else printProof(path, checked, claims, head);
    return;
  }
  const replayed = flags.replay === undefined ? undefined : await replay(checked, flags.replay, flags.backend);
  const named = asNamed(checked, claims);
  if (flags.json) writeJson(rulingJson(named, replayed, head));
  else printRuling(path, named, replayed, head);
  exitWith(replayed ? EXIT.agree : EXIT.word);
}

/** The most bytes of a verdict or a transcript. Names in a graph's header are the largest part of them. */
const MOST_BYTES = 2 ** 26;

async function readText(path: string, what: string, remedy: string): Promise<string> {
  const file = await openFile(path).catch((cause: unknown) => {
    throw unreadable(`${what} ${path}`, path, cause, remedy);
  });
  try {
    if (file.size > MOST_BYTES)
      throw new FormatError("TOO_LARGE", `${path} has ${file.size} bytes; ${what} has at most ${MOST_BYTES}`, { path });
    return new TextDecoder().decode(await file.read(0, file.size));
  } finally {
    await file.close();
  }
}

/** The JSON of a verdict's file. */
export async function readVerdict(path: string): Promise<unknown> {
  const text = await readText(path, "the verdict", "write one with `verde dispute A B --verdict FILE`");
  if (text.startsWith("VERDETR"))
    throw new FormatError(
      "KIND",
      `${path} is a trace, not a verdict; write one with \`verde dispute A B --verdict FILE\``,
      {
        path,
      },
    );
  return parseJson(text, `the verdict ${path}`);
}

/** @throws {DisputeError} when the transcript leads to another verdict */
async function compare(verdict: Verdict, path: string): Promise<void> {
  const text = await readText(path, "the transcript", "write one with `verde dispute A B --transcript FILE`");
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
  const trace = await openTrace(path);
  const replayed = await meanwhile(`executing the disputed segment from the data of ${path}`, () =>
    replayRuling(ruling, trace, backend),
  );
  const names = (sides: readonly number[]): string => sides.map((side) => PARTIES[side]).join(" and ");
  if (!ruling.losingSides.every((side) => replayed.losers.includes(side)))
    throw new DisputeError(
      "VERDICT_ALTERED",
      `the ruling says that ${names(ruling.losingSides)} is wrong, but executing the segment shows that ${names(replayed.losers)} is; do not rely on the ruling`,
      { expected: ruling.losingSides, found: replayed.losers },
    );
  return replayed;
}
