/** `verde audit`: executes steps of one trace again, without an opponent, and says whether they hold. */
import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { type Audit, audit, countSteps, inWords, rangesOf, type Scope, shapeOf } from "../audit/audit.ts";
import { encodeFinding, encodeScope, type Receipt, receiptOf } from "../audit/receipt.ts";
import { openBackend } from "../certify/open-backend.ts";
import { parseClaim } from "../claims/claim.ts";
import type { ClaimStore } from "../claims/store.ts";
import { bytesEqual, fromHex, toHex } from "../encoding/bytes.ts";
import { DisputeError, UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { writeResult } from "../files/replace.ts";
import { BACKEND_NAMES } from "../repops/backends/index.ts";
import { type RunRoot, segmentCount } from "../trace/commitments.ts";
import { expectComplete, loadClosedJob, type Trace } from "../trace/open.ts";
import { isUrl, type TokenFor } from "../formats/http.ts";
import { openAnyTrace } from "../trace/any-source.ts";
import { openTraceAt } from "../trace/url-source.ts";
import type { KeyFlags } from "./account.ts";
import { addKeyOptions, openClaims } from "./claims.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { colors, formatCount, formatSeconds, reportLine, writeJson, writeLine } from "./output.ts";
import { addProgressOption, Progress } from "./progress.ts";
import { expectJsonResult } from "./result.ts";
import { addThreadsOption } from "./threads.ts";
import { addTokenOption, type TokenFlags, tokensOf } from "./token.ts";

interface Flags extends KeyFlags, TokenFlags {
  steps?: string;
  sample?: string;
  beacon?: string;
  against?: string;
  receipt?: string;
  backend?: string;
  json?: boolean;
}

/** The bytes of a beacon that nobody gave. */
const OWN_BEACON = 32;

type Finished = Trace & { runRoot: RunRoot };

export function register(program: Command): void {
  const command = program
    .command("audit")
    .description("execute steps of a trace again from the nearest checkpoint, and say whether they hold")
    .argument("<trace>", "the trace of a finished run, or the address of a server that serves one")
    .option("--steps <range>", "training steps, such as 40..42 or 7; 0 is the initial state (default: all)")
    .option("--sample <share>", "segments drawn at random: a share such as 5%, or their number")
    .option(
      "--beacon <hex>",
      "public random bytes that the drawing follows from; default: random bytes of this machine",
    )
    .option("--against <claim>", "the run that it has to be: 0xROOT, 0xROOT@0xADDRESS, or a server's address")
    .option("--receipt <file>", "write what was found, signed with your key, for `verde check`")
    .option("--backend <name>", `${BACKEND_NAMES}, auto, or a module that exports one (default: auto)`)
    .option("--json", "one JSON object");
  addProgressOption(addThreadsOption(addTokenOption(addKeyOptions(command)))).action(auditTrace);
}

async function auditTrace(path: string, flags: Flags, command: Command): Promise<void> {
  if (flags.receipt !== undefined) await expectJsonResult(flags.receipt, "--receipt");
  checkScopeFlags(flags);
  const tokenFor = await tokensOf(flags);
  const trace = expectComplete(await openAnyTrace(path, tokenFor));
  const scope = scopeOf(trace, flags);
  if (flags.against !== undefined) await expectRun(trace, flags.against, tokenFor);
  const { found, backend, seconds } = await execute(trace, scope, flags.backend);
  const receipt =
    flags.receipt === undefined
      ? undefined
      : await writeReceipt(trace, found, backend, await openClaims(flags, command), flags.receipt);
  if (flags.json) writeJson(auditJson(trace, found, backend, seconds, receipt));
  else print(trace, found, { backend, seconds, flags, receipt });
  exitWith(found.finding ? EXIT.divergence : EXIT.agree);
}

/** Executes a scope, and shows where it is. */
export async function execute(
  trace: Finished,
  scope: Scope,
  name: string | undefined,
): Promise<{ found: Audit; backend: string; seconds: number }> {
  const began = performance.now();
  const ranges = rangesOf(shapeOf(trace), scope);
  const job = await loadClosedJob(trace);
  const load = { list: job.step, times: countSteps(ranges) };
  const { backend } = await openBackend(name, { load });
  const progress = new Progress();
  progress.show(`auditing ${trace.path}: from the nearest checkpoint`, true);
  try {
    const last = ranges.at(-1)!.to;
    const onStep = ({ step }: { step: number }): void =>
      progress.show(`auditing ${trace.path}: step ${step} of ${last}`);
    const found = await audit(trace, job, { scope, backend, onStep });
    return { found, backend: backend.name, seconds: (performance.now() - began) / 1000 };
  } finally {
    progress.clear();
  }
}

function checkScopeFlags({ steps, sample, beacon }: Flags): void {
  if (steps !== undefined && sample !== undefined)
    throw new UsageError("CONFLICT", "--steps and --sample name two different scopes; give one of them");
  if (beacon !== undefined && sample === undefined)
    throw new UsageError("CONFLICT", "--beacon decides which segments are drawn; give --sample too");
}

function scopeOf({ manifest }: Finished, { steps, sample, beacon }: Flags): Scope {
  if (steps !== undefined) return stepsFrom(steps);
  if (sample === undefined) return { kind: "all" };
  const count = countFrom(sample, segmentCount(manifest.outline.steps, manifest.commitEvery));
  return { kind: "sample", count, beacon: beacon === undefined ? randomBytes(OWN_BEACON) : beaconFrom(beacon) };
}

function stepsFrom(text: string): Scope {
  const [, from, to = from] = /^(\d{1,10})(?:\.\.(\d{1,10}))?$/.exec(text) ?? [];
  if (from === undefined)
    throw new UsageError("VALUE", `--steps ${quote(text)} is no range of steps; write 40..42, or 7 for one`, {
      found: text,
    });
  return { kind: "steps", from: Number(from), to: Number(to) };
}

/** @param leaves how many segments there are, with the initial state */
function countFrom(text: string, leaves: number): number {
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  if (share !== undefined && Number(share) > 0 && Number(share) <= 100)
    return Math.max(Math.ceil((leaves * Number(share)) / 100), 1);
  if (/^[1-9]\d{0,9}$/.test(text)) return Math.min(Number(text), leaves);
  throw new UsageError("VALUE", `--sample ${quote(text)} is no share; write 5%, or a number of segments such as 20`, {
    found: text,
  });
}

function beaconFrom(text: string): Uint8Array {
  const digits = text.replace(/^0x/, "");
  if (/^([0-9a-fA-F]{2})+$/.test(digits)) return fromHex(`0x${digits}`);
  throw new UsageError("VALUE", `--beacon ${quote(text, 40)} is not hexadecimal; write two digits for each byte`);
}

/** @throws {DisputeError} when the trace is not the run that somebody claims */
async function expectRun(trace: Finished, against: string, tokenFor: TokenFor): Promise<void> {
  const run = isUrl(against)
    ? expectComplete(await openTraceAt(against, tokenFor)).runRoot
    : parseClaim(against, "--against").run;
  if (bytesEqual(run, trace.runRoot)) return;
  throw new DisputeError(
    "OTHER_RUN",
    `${trace.path} is not the run that ${against} claims: its run root is ${toHex(trace.runRoot)}, and the claimed one ${toHex(run)}; get the trace of that run`,
    { expected: toHex(run), found: toHex(trace.runRoot) },
  );
}

async function writeReceipt(
  trace: Finished,
  found: Audit,
  backend: string,
  claims: ClaimStore,
  file: string,
): Promise<Receipt> {
  const receipt = receiptOf(trace, found, backend, claims.extra[0] ?? (await claims.keyFor("own")));
  await writeResult(file, `${JSON.stringify(receipt, null, 2)}\n`);
  return receipt;
}

/** The share of all segments that was drawn, which is the chance to find a single wrong one. */
function chanceOf({ manifest }: Finished, { scope }: Audit): number | undefined {
  if (scope.kind !== "sample") return undefined;
  return scope.count / segmentCount(manifest.outline.steps, manifest.commitEvery);
}

function auditJson(trace: Finished, found: Audit, backend: string, seconds: number, receipt?: Receipt) {
  const { scope, ranges, covered, executed, compared, finding } = found;
  return {
    schemaVersion: 1,
    outcome: finding ? "differs" : "holds",
    trace: trace.path,
    runRoot: toHex(trace.runRoot),
    scope: encodeScope(scope),
    ranges,
    covered,
    executed,
    compared,
    chance: chanceOf(trace, found) ?? null,
    finding: finding
      ? {
          ...encodeFinding(finding),
          operator: finding.operator ? { number: finding.operator.kernel, label: finding.operator.label } : null,
        }
      : null,
    backend,
    seconds: Number(seconds.toFixed(3)),
    auditor: receipt?.auditor ?? null,
  };
}

function print(
  trace: Finished,
  found: Audit,
  { backend, seconds, flags, receipt }: { backend: string; seconds: number; flags: Flags; receipt?: Receipt },
): void {
  const { scope, ranges, covered, executed, compared, finding } = found;
  const leaves = segmentCount(trace.manifest.outline.steps, trace.manifest.commitEvery);
  const scopes: Record<Scope["kind"], string> = {
    all: "all steps and the initial state",
    steps: `steps ${ranges[0].from} to ${ranges[0].to}`,
    sample: scope.kind === "sample" ? `${formatCount(scope.count)} of ${formatCount(leaves)} segments, ${formatCount(covered)} steps` : "", // prettier-ignore
  };
  const rows: [string, string][] = [
    ["run root", toHex(trace.runRoot)],
    ["scope", scopes[scope.kind]],
    ["executed", `${formatCount(executed)} steps, ${formatCount(compared)} states compared, on ${backend}, in ${formatSeconds(seconds)}`], // prettier-ignore
  ];
  if (scope.kind === "sample") rows.push(["beacon", toHex(scope.beacon)]);
  if (finding?.operator)
    rows.push(["operator", `${quote(finding.operator.label)} (operator ${finding.operator.kernel})`]);
  if (receipt) rows.push(["receipt", `${flags.receipt}, signed by ${receipt.auditor}`]);
  writeLine(trace.path);
  for (const [name, text] of rows) writeLine(`  ${colors.dim(name.padEnd(9))} ${text}`);
  if (finding) writeLine(colors.red(`It does not hold: ${inWords(finding)}.`));
  else writeLine(colors.bold(scope.kind === "all" ? "It holds." : "These steps hold."));
  const chance = chanceOf(trace, found);
  if (!finding && chance !== undefined && chance < 1)
    writeLine(`A single wrong segment would have been found with a probability of ${(100 * chance).toPrecision(3)} %.`);
  if (scope.kind === "sample" && flags.beacon === undefined && flags.receipt !== undefined)
    reportLine("verde: this machine made the beacon, so others can't know that it was not chosen; give a public one with --beacon"); // prettier-ignore
}
