/** What the faults of a drill have changed. */
import { openBackend } from "../../certify/open-backend.ts";
import { DEFAULT } from "../../repops/backends/index.ts";
import type { PlantedFault } from "../../rounds/fault.ts";
import { blameComputation, blameForm } from "../../rounds/judge.ts";
import { LeafRunner } from "../../rounds/leaf.ts";
import { seatName } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";

/** A fault as it was asked for. */
interface Asked {
  readonly text: string;
  readonly planted: PlantedFault;
}

/** A fault, and whether the record shows it. */
export interface Effect {
  readonly fault: string;
  readonly leaf: string;
  readonly round: number;
  /** Whether the leaf is wrong. Some flips change nothing that is handed on. */
  readonly changed: boolean;
}

/** Judges the leaves in which faults were planted, as an audit does. */
export async function effectsOf(record: RoundsRecord, faults: readonly Asked[], backend?: string): Promise<Effect[]> {
  const effects: Effect[] = [];
  if (faults.length === 0) return effects;
  const runner = new LeafRunner((await openBackend(backend ?? DEFAULT)).backend);
  try {
    for (const { text, planted } of faults) {
      const statement = record.at(planted);
      if (!statement) continue;
      const blame = (await blameForm(record, statement)) ?? (await blameComputation(record, statement, runner));
      const { round, seat } = planted;
      effects.push({ fault: text, leaf: seatName(record.plan, seat), round, changed: blame !== undefined });
    }
  } finally {
    await runner.close();
  }
  return effects;
}

/** An effect, for people. */
export function describeEffect({ fault, leaf, round, changed }: Effect): string {
  const what = changed
    ? `${leaf} of round ${round} is wrong (a drill: this record is not honest)`
    : `it has changed nothing that ${leaf} of round ${round} hands on; choose another place`;
  return `The fault ${fault}: ${what}.`;
}
