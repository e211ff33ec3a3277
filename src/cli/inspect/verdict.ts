/** `verde inspect` of a verdict: what it says. Whether that holds is for `verde check` to find out. */
import { formatAddress, formatClaim } from "../../claims/claim.ts";
import { toHex } from "../../encoding/bytes.ts";
import { DisputeError, FormatError, VerdeError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import { jobIdOf } from "../../job/closed.ts";
import { PARTIES, type Refuted, type Verdict, VERDICT_VERSION } from "../../referee/verdict.ts";
import { invalid, readAddress, readClaim, readJob, readPair } from "../../referee/verdict-reader.ts";
import { isReceipt } from "../../audit/receipt.ts";
import { readVerdict } from "../check.ts";
import { colors, writeJson, writeLine } from "../output.ts";
import { inspectReceipt } from "./receipt.ts";

const GROUNDS: Readonly<Record<string, string>> = {
  root: "one step from its own trees shows that the run root is wrong",
  signature: "one step from trees that its key signed shows that its statement is wrong",
  equivocation: "its key signed two roots for one tree",
};

/** What a verdict says, without a check. */
interface Said {
  kind: "proof" | "ruling";
  /** What the verdict rests on: evidence in the file, or the word of a referee. */
  restsOn: "evidence" | "referee";
  job: string;
  steps: number;
  commitEvery: number;
  /** All claims that the file is about, and which of them lose. */
  claims: { claim: string; loses: boolean; because: string | null }[];
  step: number | null;
  operator: string | null;
  referee: string | null;
}

export async function inspectVerdict(path: string, json: boolean): Promise<void> {
  const file = await readVerdict(path);
  if (isReceipt(file)) return inspectReceipt(path, file, json);
  const said = saidBy(file, path);
  const check = `verde check ${asWord(path)} ${said.claims.map(({ claim }, i) => `--${PARTIES[i]} ${claim}`).join(" ")}`;
  if (json) {
    writeJson({ schemaVersion: 1, file: path, verified: false, ...said, check });
    return;
  }
  const rows: [string, string][] = [
    [
      "verdict",
      said.kind === "proof" ? "a proof, which needs nobody's word" : "a ruling, which rests on the word of its referee",
    ],
    ["job", `${said.job}, ${said.steps} training steps, a root every ${said.commitEvery}`],
    ...said.claims.map(({ claim, loses, because }): [string, string] => [
      loses ? "loses" : "claim",
      `${claim}${because === null ? "" : `: ${quote(because)}`}`,
    ]),
  ];
  if (said.step !== null) {
    const operator = said.operator === null ? "" : `, operator ${quote(said.operator)}`;
    rows.push(["differs at", `${said.step === 0 ? "the initial state" : `training step ${said.step}`}${operator}`]);
  }
  if (said.kind === "ruling") rows.push(["referee", said.referee ?? "has not signed"]);
  for (const [name, value] of rows) writeLine(`${colors.dim(name.padEnd(12))} ${value}`);
  writeLine(colors.yellow("Nothing of this is verified. Verify it with:"), `  ${check}`);
}

/** A path as one word of a shell. */
const asWord = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

/**
 * @throws {FormatError} when it is another kind of JSON
 * @throws {DisputeError} when it is a verdict of another version, or malformed
 */
function saidBy(json: unknown, path: string): Said {
  const { kind, schemaVersion } = (json ?? {}) as { kind?: unknown; schemaVersion?: unknown };
  if (kind !== "proof" && kind !== "ruling")
    throw new FormatError("KIND", `${path} is JSON, but no verdict; name a verdict, a trace or a checkpoint`, { path });
  if (schemaVersion !== VERDICT_VERSION)
    throw invalid(
      "VERDICT_VERSION",
      `${path} is a verdict of schema version ${quote(schemaVersion, 40)}; this reads version ${VERDICT_VERSION}`,
      { expected: VERDICT_VERSION, found: schemaVersion },
    );
  try {
    return read(json as Verdict);
  } catch (error) {
    if (error instanceof DisputeError) throw error;
    const why = error instanceof VerdeError ? `: ${error.message}` : ", or a field is missing or of another type";
    throw invalid("VERDICT_MALFORMED", `${path} is no verdict of version ${VERDICT_VERSION}${why}`);
  }
}

function read(verdict: Verdict): Said {
  const { parts, commitEvery } = readJob(verdict);
  const common = { job: toHex(jobIdOf(parts)), steps: parts.steps, commitEvery };
  if (verdict.kind === "proof") {
    if (verdict.refuted.length < 1 || verdict.refuted.length > 2)
      throw invalid("VERDICT_MALFORMED", `a proof refutes one claim or two, not ${verdict.refuted.length}`);
    const claims = verdict.refuted.map((refuted) => ({
      claim: formatClaim(readClaim(refuted)),
      loses: true,
      because: Object.hasOwn(GROUNDS, refuted.ground) ? GROUNDS[refuted.ground] : `for ${quote(refuted.ground)}`,
    }));
    return { kind: "proof", restsOn: "evidence", ...common, claims, ...placeIn(verdict.refuted[0]), referee: null };
  }
  const { losers, reasons, step, operator } = verdict.decision;
  const claims = readPair(verdict.claims, readClaim).map((claim, side) => ({
    claim: formatClaim(claim),
    loses: losers.includes(PARTIES[side]),
    because: reasons[side] === null ? null : quote(reasons[side]),
  }));
  const referee = verdict.referee === null ? null : formatAddress(readAddress(verdict.referee));
  return { kind: "ruling", restsOn: "referee", ...common, claims, ...location(step, operator), referee };
}

function placeIn(refuted: Refuted): Pick<Said, "step" | "operator"> {
  if (refuted.ground === "equivocation") return location(refuted.place.step, null);
  return location(refuted.decision.step, refuted.decision.operator);
}

/** The verdict's own words for people, which may be of any type. */
function location(step: unknown, operator: { label?: unknown } | null): Pick<Said, "step" | "operator"> {
  return {
    step: Number.isSafeInteger(step) ? (step as number) : null,
    operator: operator === null || operator.label === undefined ? null : quote(operator.label),
  };
}
