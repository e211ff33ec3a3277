/** `verde check` of a receipt: whether the auditor signed it, and with `--replay`, whether it is right. */
import { type Audit, expectSameFinding, inWords } from "../audit/audit.ts";
import { type CheckedReceipt, checkReceipt, type Receipt } from "../audit/receipt.ts";
import { formatAddress, parseClaim } from "../claims/claim.ts";
import { bytesEqual, toHex } from "../encoding/bytes.ts";
import { DisputeError, UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { expectComplete } from "../trace/open.ts";
import { execute } from "./audit.ts";
import { openAnyTrace } from "../trace/any-source.ts";
import { tokensOf } from "./token.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { colors, formatCount, writeJson, writeLine } from "./output.ts";

interface Flags {
  a: string;
  b?: string;
  replay?: string;
  transcript?: string;
  backend?: string;
  json?: boolean;
}

export async function checkReceiptFile(path: string, receipt: Receipt, flags: Flags): Promise<void> {
  for (const name of ["b", "transcript"] as const)
    if (flags[name] !== undefined)
      throw new UsageError("CONFLICT", `${path} is a receipt, which is about one run; leave out --${name}`, { path });
  const checked = checkReceipt(receipt);
  expectNamed(path, checked, flags.a);
  const replayed = flags.replay === undefined ? undefined : await replay(checked, flags.replay, flags.backend);
  if (flags.json) writeJson(receiptJson(checked, replayed));
  else print(path, checked, replayed);
  exitWith(replayed ? EXIT.agree : EXIT.word);
}

function expectNamed(path: string, { run }: CheckedReceipt, claim: string): void {
  const named = parseClaim(claim, "--a");
  if (bytesEqual(named.run, run)) return;
  throw new DisputeError(
    "OTHER_RUN",
    `${path} is about the run ${toHex(run)}, not about ${toHex(named.run)}; name the receipt of that run`,
    { expected: toHex(named.run), found: toHex(run) },
  );
}

/**
 * Executes the same steps here.
 * @throws {DisputeError} when they show something else than the receipt says
 */
async function replay({ run, scope, finding }: CheckedReceipt, path: string, backend?: string): Promise<Audit> {
  const trace = expectComplete(await openAnyTrace(path, await tokensOf({})));
  if (!bytesEqual(trace.runRoot, run))
    throw new DisputeError(
      "OTHER_RUN",
      `${path} is the run ${toHex(trace.runRoot)}, and the receipt is about ${toHex(run)}; name the trace of that run`,
      { expected: toHex(run), found: toHex(trace.runRoot) },
    );
  const { found } = await execute(trace, scope, backend);
  expectSameFinding(finding, found.finding);
  return found;
}

function receiptJson({ statement, auditor }: CheckedReceipt, replayed: Audit | undefined) {
  const { schemaVersion: _, outcome, ...rest } = statement;
  return {
    schemaVersion: 1,
    outcome: "holds",
    ...rest,
    audit: outcome,
    auditor: formatAddress(auditor),
    restsOn: replayed ? "replay" : "auditor",
  };
}

function print(path: string, { statement, auditor, finding }: CheckedReceipt, replayed: Audit | undefined): void {
  const { run, scope, covered, steps, compared, backend } = statement;
  const what = scope.kind === "sample" ? `${formatCount(scope.count)} drawn segments` : "steps";
  const rows: [string, string][] = [
    ["run root", run],
    ["scope", `${what}: ${formatCount(covered)} of ${formatCount(steps + 1)} steps with the initial state`],
    ["compared", `${formatCount(compared)} states, on ${quote(backend, 80)}`],
    ["auditor", formatAddress(auditor)],
  ];
  if (scope.kind === "sample") rows.push(["beacon", scope.beacon]);
  if (replayed)
    rows.push(["replayed", `${formatCount(replayed.executed)} steps, ${formatCount(replayed.compared)} states`]);
  writeLine(`${path} is what the auditor signed.`);
  for (const [name, text] of rows) writeLine(`  ${colors.dim(name.padEnd(9))} ${text}`);
  const sentence = finding
    ? `It says that the run does not hold: ${inWords(finding)}.`
    : "It says that these steps hold.";
  if (replayed) writeLine(colors.bold(`${sentence} They were executed here, with the same result.`));
  else
    writeLine(
      colors.yellow(
        `${sentence} This is the auditor's word: it proves nothing. Execute the same steps: --replay TRACE.`,
      ),
    );
}
