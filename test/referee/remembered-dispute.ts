/** Two remembered runs before the referee. */
import { type ClosedJob, outlineOf } from "../../src/job/closed.ts";
import { type TrainingProver, trainingProver } from "../../src/referee/claim.ts";
import { locate } from "../../src/referee/decision.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import type { Pair } from "../../src/game/level.ts";
import { arbitrate, type RefereeOptions } from "../../src/referee/referee.ts";
import { makeVerdict } from "../../src/referee/verdict.ts";
import { type Fault, rememberedRun } from "./remembered-run.ts";

export interface Setting {
  job: ClosedJob;
  commitEvery?: number;
  faults: Pair<readonly Fault[]>;
  options?: RefereeOptions;
  /** Stands in for the provers of the two runs. */
  replace?: (provers: Pair<TrainingProver>) => Pair<TrainingProver>;
}

export async function disputeRemembered({ job, commitEvery = 1, faults, options, replace }: Setting) {
  const runs = [await rememberedRun(job, commitEvery, faults[0]), await rememberedRun(job, commitEvery, faults[1])];
  const provers: Pair<TrainingProver> = [trainingProver(runs[0]), trainingProver(runs[1])];
  const runRoots = [runs[0].runRoot, runs[1].runRoot] as const;
  const facts = jobFacts(outlineOf(job), commitEvery);
  const { decision, figures } = await arbitrate(facts, replace ? replace(provers) : provers, runRoots, options);
  const verdict = makeVerdict(outlineOf(job), commitEvery, runRoots, decision);
  return { runs, runRoots, decision, figures, verdict, location: locate(facts, decision.path) };
}
