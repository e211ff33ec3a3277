/** Certificates of accuracy: what they hold, where they are, and the sample that tests compute again. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { asBytes } from "../../src/encoding/bytes.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { PROGRAMS } from "../../src/repops/functions/index.ts";
import { encodeProgram, type Program } from "../../src/repops/programs/program.ts";
import { CANONICAL_COUNT } from "./inputs.ts";
import { BLOCK, outputsOf } from "./outputs.ts";
import { CLAIMS, type Claim, type UnaryName } from "./references.ts";
import { emptyTally, join, type Tally, tallyOf } from "./tally.ts";

/** How exact one function is, on every input. */
export interface AccuracyCertificate {
  schemaVersion: 1;
  function: string;
  program: { sha256: string; instructions: number };
  /** All canonical ones. */
  inputs: number;
  /** Of all outputs in the order of the inputs, little-endian. */
  sha256: string;
  /** In units of the last place of the exact value. `x` is the input of the largest, `bits` are its bits. */
  ulp: { largest: number; x: number; bits: string; mean: number };
  /** Below `below` the claim is about the absolute error. */
  absolute?: { below: number; largest: number; x: number; bits: string };
  /** Absent where the exact function neither rises nor falls everywhere. */
  monotonic?: { holds: boolean; disorders: number };
  /** Every `stride`-th input. */
  sample: { stride: number; inputs: number; sha256: string; largest: number };
}

export const SAMPLE_STRIDE = 65_537;
const folder = new URL("../../certificates/accuracy/", import.meta.url);

export const certificateFile = (name: string): URL => new URL(`${name}.json`, folder);

export function readCertificate(name: string): AccuracyCertificate {
  return JSON.parse(readFileSync(certificateFile(name), "utf8")) as AccuracyCertificate;
}

export const programHash = (program: Program): string =>
  createHash("sha256").update(encodeProgram(program)).digest("hex");

/** The programs of one float, by name. */
export const UNARY = Object.keys(PROGRAMS).filter(
  (name) => PROGRAMS[name as UnaryName].inputs.join() === "f",
) as UnaryName[];

/** The sample of a certificate, as a backend computes it. */
export async function sampleOf(name: UnaryName, backend: Backend): Promise<AccuracyCertificate["sample"]> {
  const claim: Claim = CLAIMS[name];
  const program = PROGRAMS[name];
  const outputs = await outputsOf(program, backend);
  const hash = createHash("sha256");
  const count = Math.ceil(CANONICAL_COUNT / SAMPLE_STRIDE);
  let tally: Tally = emptyTally();
  for (let at = 0; at < count; at += BLOCK) {
    const some = await outputs.of(at * SAMPLE_STRIDE, Math.min(BLOCK, count - at), SAMPLE_STRIDE);
    hash.update(asBytes(some.results));
    // Inputs of a sample are not neighbours, so only errors are measured.
    tally = join(tally, tallyOf(program, { ...claim, monotonic: undefined }, at * SAMPLE_STRIDE, some));
  }
  await outputs.close();
  return { stride: SAMPLE_STRIDE, inputs: count, sha256: hash.digest("hex"), largest: rounded(tally.largest) };
}

/** Five digits: the reference allows no more. */
export const rounded = (x: number): number => Number(x.toPrecision(5));
