/** Two remembered runs before the referee. */
import type { RunClaim } from "../../src/claims/claim.ts";
import { signOpening } from "../../src/claims/opening.ts";
import { addressOf } from "../../src/claims/signature.ts";
import type { Speaker } from "../../src/claims/store.ts";
import type { Bytes } from "../../src/encoding/bytes.ts";
import { type ClosedJob, outlineOf } from "../../src/job/closed.ts";
import { type TrainingProver, trainingProver } from "../../src/referee/claim.ts";
import { conclude } from "../../src/referee/conclude.ts";
import { type Decision, locate } from "../../src/referee/decision.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import { bothSides, type Pair, positionOf } from "../../src/game/level.ts";
import { arbitrate, type Heard, type RefereeOptions } from "../../src/referee/referee.ts";
import { shownGraph } from "../../src/referee/shown-graph.ts";
import { type Fault, rememberedRun } from "./remembered-run.ts";

export interface Setting {
  job: ClosedJob;
  commitEvery?: number;
  faults: Pair<readonly Fault[]>;
  options?: RefereeOptions;
  /** Which sides have a key and sign; default: both. */
  signs?: Pair<boolean>;
  /** Stands in for the provers of the two runs. */
  replace?: (provers: Pair<TrainingProver>) => Pair<TrainingProver>;
}

/** The secret keys of the two sides, and of the referee. */
export const KEYS: readonly [Bytes, Bytes, Bytes] = [key(11), key(12), key(13)];

function key(last: number): Bytes {
  const bytes = new Uint8Array(32).fill(7);
  bytes[31] = last;
  return bytes;
}

/** Signs whatever it is told to. */
export function speakerOf(secret: Bytes): Speaker {
  return { address: addressOf(secret), sign: async (opening) => signOpening(opening, secret) };
}

export async function hearRemembered({
  job,
  commitEvery = 1,
  faults,
  options,
  replace,
  signs = [true, true],
}: Setting) {
  const runs = [await rememberedRun(job, commitEvery, faults[0]), await rememberedRun(job, commitEvery, faults[1])];
  const speakers = bothSides((side) => (signs[side] ? speakerOf(KEYS[side]) : undefined));
  const provers = bothSides((side) => trainingProver(runs[side], speakers[side]));
  const runRoots = [runs[0].runRoot, runs[1].runRoot] as const;
  const claims = bothSides((side): RunClaim => ({ run: runRoots[side], address: speakers[side]?.address }));
  const facts = jobFacts(outlineOf(job), commitEvery);
  const heard: Heard = await arbitrate(facts, replace ? replace(provers) : provers, claims, options);
  return { runs, runRoots, claims, provers, facts, ...heard };
}

export async function disputeRemembered(setting: Setting) {
  const { finding, ...heard } = await hearRemembered(setting);
  if (finding.kind === "undecided") throw new Error(`undecided: ${finding.reasons.join("; ")}`);
  const { facts, transcript } = heard;
  const decision: Decision = finding;
  const at = positionOf(decision.path);
  const graph = shownGraph(outlineOf(setting.job), facts, at);
  const { verdict, proven, transcript: text } = await conclude({ facts, graph, transcript, decision });
  return { ...heard, decision, verdict, proven, text, location: locate(facts, at) };
}
