/** All codes: each family with its sub-codes. */
import { BACKEND, DEVICE } from "./backend.ts";
import { CHAIN } from "./chain.ts";
import { GRAPH, PROGRAM, SHAPE, VALUE } from "./computation.ts";
import { DISPUTE, SECOND_OPINION } from "./dispute.ts";
import { FILE } from "./file.ts";
import { FORMAT } from "./format.ts";
import { JOB } from "./job.ts";
import { KEY } from "./key.ts";
import { ROUNDS } from "./rounds.ts";
import { RUN } from "./run.ts";
import { TRANSPORT } from "./transport.ts";
import { USAGE } from "./usage.ts";
import type { SubCodes } from "./verde-error.ts";

/** Every family of failures with its sub-codes: what each means, and what a caller can do. */
export const CODES = {
  VERDE_USAGE: USAGE,
  VERDE_FORMAT: FORMAT,
  VERDE_FILE: FILE,
  VERDE_JOB: JOB,
  VERDE_RUN: RUN,
  VERDE_PROGRAM: PROGRAM,
  VERDE_SHAPE: SHAPE,
  VERDE_GRAPH: GRAPH,
  VERDE_VALUE: VALUE,
  VERDE_BACKEND: BACKEND,
  VERDE_DEVICE: DEVICE,
  VERDE_DISPUTE: DISPUTE,
  VERDE_SECOND_OPINION: SECOND_OPINION,
  VERDE_KEY: KEY,
  VERDE_CHAIN: CHAIN,
  VERDE_TRANSPORT: TRANSPORT,
  VERDE_ROUNDS: ROUNDS,
} as const satisfies Record<`VERDE_${string}`, SubCodes>;

/** One family for each class of errors. */
export type Family = keyof typeof CODES;
