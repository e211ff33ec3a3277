/**
 * A receipt of an audit (spec 7.12): which steps of a run somebody executed again, and what was found, signed
 * with the auditor's key. It proves that the auditor said so. Whether it is right is found out by executing
 * the same steps.
 */
import { formatAddress, parseAddress } from "../claims/claim.ts";
import { isSignedBy, signDigest } from "../claims/signature.ts";
import type { AvailableKey } from "../claims/store.ts";
import { digestOf, type SentenceKind } from "../claims/typed-data.ts";
import { type Bytes, fromHex, toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { SPEC_VERSION } from "../encoding/tags.ts";
import type { StateRoot } from "../encoding/tensor.ts";
import { DisputeError, type DisputeSubCode, type Evidence, VerdeError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { Trace } from "../trace/open.ts";
import { type Audit, countSteps, type Finding, rangesOf, type Scope } from "./audit.ts";
import { LEAST_BEACON, MOST_BEACON } from "./sample.ts";

/** The version of the receipt's form. */
const RECEIPT_VERSION = 1;

/** What is signed. Its fields are in this order, and there are no others. */
export interface Statement {
  schemaVersion: number;
  kind: "audit";
  /** The version of the specification by which the steps were executed. */
  specification: number;
  run: string;
  job: string;
  /** Training steps of the run, and in one of its segments. */
  steps: number;
  commitEvery: number;
  scope:
    | { kind: "all" }
    | { kind: "steps"; from: number; to: number }
    | { kind: "sample"; count: number; beacon: string };
  /** Steps in the scope, steps that were executed for it, and states that were compared. */
  covered: number;
  executed: number;
  compared: number;
  outcome: "holds" | "differs";
  finding: {
    step: number;
    claimed: string | null;
    recomputed: string | null;
    /** A number that the trace reports, and the run root does not bind. */
    metric: { step: number; name: string; claimed: string; recomputed: string } | null;
  } | null;
  /** The backend that executed the steps. */
  backend: string;
}

/** A signed statement, as `verde audit --receipt` writes it. */
export interface Receipt extends Statement {
  /** The address of the key that signed. */
  auditor: string;
  signature: string;
}

/** A receipt that was read and whose signature is the auditor's. */
export interface CheckedReceipt {
  readonly statement: Statement;
  readonly run: Bytes;
  readonly scope: Scope;
  readonly finding?: Finding;
  /** 20 bytes. */
  readonly auditor: Bytes;
}

const AUDIT: SentenceKind = {
  domain: "Verde audit",
  type: "Audit(bytes32 run,bool holds,bytes32 statement)",
};

/** Signs what an audit found. */
export function receiptOf(trace: Trace, audit: Audit, backend: string, key: AvailableKey): Receipt {
  const { manifest, runRoot } = trace;
  const { scope, finding } = audit;
  const statement: Statement = {
    schemaVersion: RECEIPT_VERSION,
    kind: "audit",
    specification: SPEC_VERSION,
    run: toHex(runRoot!),
    job: toHex(manifest.jobId),
    steps: manifest.outline.steps,
    commitEvery: manifest.commitEvery,
    scope: encodeScope(scope),
    covered: audit.covered,
    executed: audit.executed,
    compared: audit.compared,
    outcome: finding ? "differs" : "holds",
    finding: finding ? encodeFinding(finding) : null,
    backend,
  };
  const signature = signDigest(digestFor(statement), key.secret);
  return { ...statement, auditor: formatAddress(key.address), signature: toHex(signature) };
}

/** A scope as JSON. */
export function encodeScope(scope: Scope): Statement["scope"] {
  return scope.kind === "sample" ? { ...scope, beacon: toHex(scope.beacon) } : { ...scope };
}

/** A finding as JSON. */
export function encodeFinding({ step, roots, metric }: Finding): NonNullable<Statement["finding"]> {
  return {
    step,
    claimed: roots ? toHex(roots.claimed) : null,
    recomputed: roots ? toHex(roots.recomputed) : null,
    // As texts: JSON has no infinities.
    metric: metric ? { ...metric, claimed: String(metric.claimed), recomputed: String(metric.recomputed) } : null,
  };
}

function digestFor(statement: Statement): Bytes {
  const text = new TextEncoder().encode(JSON.stringify(statement));
  return digestOf(AUDIT, [fromHex(statement.run, 32), statement.outcome === "holds" ? 1 : 0, sha256(text)]);
}

/** Whether a JSON value says that it is a receipt. */
export function isReceipt(json: unknown): json is Receipt {
  return typeof json === "object" && json !== null && (json as { kind?: unknown }).kind === "audit";
}

/**
 * Reads a receipt, and checks its form and its signature.
 * @throws {DisputeError} that names the first thing that does not hold
 */
export function checkReceipt(receipt: Receipt): CheckedReceipt {
  if (receipt.schemaVersion !== RECEIPT_VERSION)
    throw invalid(
      "VERDICT_VERSION",
      `the receipt has schema version ${quote(receipt.schemaVersion, 40)}; this reads version ${RECEIPT_VERSION}`,
    );
  try {
    return read(receipt);
  } catch (error) {
    if (error instanceof DisputeError) throw error;
    const why = error instanceof VerdeError ? error.message : "a field is missing or of another type";
    throw invalid("VERDICT_MALFORMED", `the receipt is malformed: ${why}`);
  }
}

function read(receipt: Receipt): CheckedReceipt {
  const { auditor: named, signature, ...rest } = receipt;
  const scope = readScope(rest.scope);
  const steps = whole(rest.steps, "steps");
  const finding = rest.finding && readFinding(rest.finding, steps);
  // Written again from what was read: it has these fields in this order, and no others.
  const statement: Statement = {
    schemaVersion: RECEIPT_VERSION,
    kind: "audit",
    specification: whole(rest.specification, "specification"),
    run: toHex(fromHex(rest.run, 32)),
    job: toHex(fromHex(rest.job, 32)),
    steps,
    commitEvery: whole(rest.commitEvery, "commitEvery"),
    scope: encodeScope(scope),
    covered: whole(rest.covered, "covered"),
    executed: whole(rest.executed, "executed"),
    compared: whole(rest.compared, "compared"),
    outcome: finding ? "differs" : "holds",
    finding: finding ? encodeFinding(finding) : null,
    backend: String(rest.backend),
  };
  if (JSON.stringify(statement) !== JSON.stringify(rest))
    throw invalid("VERDICT_MALFORMED", "the receipt has fields that no receipt has, or not in its form");
  // What the scope names follows from the run, so nobody has to be believed about it.
  const run = fromHex(statement.run, 32);
  const ranges = rangesOf({ run, steps, commitEvery: statement.commitEvery }, scope);
  if (statement.commitEvery === 0 || countSteps(ranges) !== statement.covered)
    throw invalid("VERDICT_MALFORMED", `the scope has ${countSteps(ranges)} steps, not ${statement.covered}`);
  const auditor = parseAddress(named, "the receipt");
  if (!isSignedBy(auditor, digestFor(statement), fromHex(signature)))
    throw invalid("VERDICT_ALTERED", `the receipt is not what ${named} signed: it was altered, so do not rely on it`);
  return { statement, run, scope, auditor, ...(finding && { finding }) };
}

function readScope(scope: Statement["scope"]): Scope {
  if (scope.kind === "all") return { kind: "all" };
  if (scope.kind === "steps")
    return { kind: "steps", from: whole(scope.from, "scope.from"), to: whole(scope.to, "scope.to") };
  const beacon = fromHex(scope.beacon);
  if (scope.kind !== "sample" || beacon.length < LEAST_BEACON || beacon.length > MOST_BEACON)
    throw invalid("VERDICT_MALFORMED", "the receipt names no scope: all, steps, or a sample with its beacon");
  return { kind: "sample", count: whole(scope.count, "scope.count"), beacon };
}

function readFinding(finding: NonNullable<Statement["finding"]>, steps: number): Finding {
  const { claimed, recomputed, metric } = finding;
  const step = whole(finding.step, "finding.step");
  if (step > steps || (claimed === null) !== (recomputed === null) || (claimed === null && metric === null))
    throw invalid("VERDICT_MALFORMED", "the receipt's finding is no difference: two roots, or two numbers, at a step");
  return {
    step,
    ...(claimed !== null && { roots: { claimed: root(claimed), recomputed: root(recomputed!) } }),
    ...(metric && {
      metric: {
        step: whole(metric.step, "finding.metric.step"),
        name: String(metric.name),
        claimed: Number(metric.claimed),
        recomputed: Number(metric.recomputed),
      },
    }),
  };
}

const root = (text: string): StateRoot => fromHex(text, 32) as StateRoot;

function whole(value: number, name: string): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw invalid("VERDICT_MALFORMED", `the receipt's ${name} is not a whole number below 2^32`, { name });
}

function invalid(subCode: DisputeSubCode, problem: string, evidence?: Evidence): DisputeError {
  return new DisputeError(subCode, `${problem}; make a new one with \`verde audit TRACE --receipt FILE\``, evidence);
}
