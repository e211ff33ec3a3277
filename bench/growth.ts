/** `verde bench --growth`: how speed, memory and disputes grow with the model and with the run. */
import { growAnswers } from "./growth/answers.ts";
import { growDisputes } from "./growth/disputes.ts";
import { growRuns } from "./growth/long-run.ts";
import { growModels } from "./growth/model.ts";
import type { Growth, Point, Size } from "./growth/series.ts";
import { describeMachine, type Machine, nothingNamed } from "./measure.ts";

/** All series of one run on one machine, as they are kept in bench/results. */
export interface GrowthResult {
  schemaVersion: 1;
  kind: "growth";
  machine: Machine;
  series: Record<string, Point[]>;
}

export interface GrowthOptions extends Growth {
  size: Size;
  /** Only measurements whose names contain this: models, answers, disputes, runs. */
  only?: string;
}

const MEASUREMENTS = { models: growModels, answers: growAnswers, disputes: growDisputes, runs: growRuns } as const;

/** @throws {UsageError} when nothing that is wanted has that name */
export async function benchGrowth({ size, only = "", say, point }: GrowthOptions): Promise<GrowthResult> {
  const machine = await describeMachine();
  const series: Record<string, Point[]> = {};
  const keep = (name: string, one: Point): void => {
    (series[name] ??= []).push(one);
    point(name, one);
  };
  const wanted = Object.entries(MEASUREMENTS).filter(([name]) => name.includes(only));
  if (wanted.length === 0) throw nothingNamed(only, Object.keys(MEASUREMENTS));
  for (const [, measure] of wanted) await measure(size, { say, point: keep });
  return { schemaVersion: 1, kind: "growth", machine, series };
}
