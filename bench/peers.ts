/** `verde bench --peers`: Verde beside other libraries, on the same shapes and the same work. */
import { availableParallelism } from "node:os";
import type { Comparison } from "./peers/compare.ts";
import { groups } from "./peers/groups.ts";
import { describeMachine, type Machine, nothingNamed } from "./measure.ts";

/** All comparisons of one run on one machine, as they are kept in bench/results. */
export interface PeersResult {
  schemaVersion: 1;
  kind: "peers";
  machine: Machine;
  comparisons: Comparison[];
  skipped: { what: string; why: string; failed?: true }[];
}

export interface PeersOptions {
  /** Only groups whose names contain this. */
  only?: string;
  /** Receives what happens while it happens. */
  say(line: string): void;
  result(comparison: Comparison): void;
  skip(what: string, why: string, failed: boolean): void;
}

/** @throws {UsageError} when nothing that is wanted has that name */
export async function benchPeers({ only = "", say, result, skip }: PeersOptions): Promise<PeersResult> {
  const machine = await describeMachine();
  const comparisons: Comparison[] = [];
  const skipped: PeersResult["skipped"] = [];
  const report = {
    say,
    result: (comparison: Comparison) => {
      comparisons.push(comparison);
      result(comparison);
    },
    skip: (what: string, why: string, failed: boolean) => {
      skipped.push({ what, why, ...(failed && { failed }) });
      skip(what, why, failed);
    },
  };
  const all = groups(Math.min(availableParallelism(), 2));
  const wanted = all.filter(({ name }) => name.includes(only));
  if (wanted.length === 0)
    throw nothingNamed(
      only,
      all.map(({ name }) => name),
    );
  for (const group of wanted) {
    say(`comparing: ${group.name}`);
    await group.run(report);
  }
  return { schemaVersion: 1, kind: "peers", machine, comparisons, skipped };
}
