/** A participant: it derives the job of its leaf, executes it, and signs what it has computed. */
import { RoundsError } from "../errors/index.ts";
import { type LeafFault, misread, misseeded } from "./fault.ts";
import type { LeafRunner, SourceState } from "./leaf.ts";
import { type CheckpointOptions, checkpointsOf, removeTrace } from "./leaf-trace.ts";
import { type LeafPlace, leafRoot, seatName, templateOf } from "./plan.ts";
import type { StoreSentence } from "./receipt.ts";
import type { RoundsRecord } from "./record.ts";
import { hasQuorum, isRecorders, type Roll } from "./roll.ts";
import { originIn } from "./seeds.ts";
import type { Signer } from "./signer.ts";
import { isOwners, type Statement } from "./statement.ts";

/** A leaf that was performed. */
export interface Performed {
  readonly statement: Statement;
  /** The metrics of the last step. */
  readonly metrics: Record<string, number>;
  /** What stores have signed of it, where its owner has asked them. Default: none; the recorder asks. */
  readonly receipts?: readonly StoreSentence[];
}

/** @throws {RoundsError} when the recorder has not signed a roll, or had to wait for more members */
export function checkRoll({ plan, instance }: Pick<RoundsRecord, "plan" | "instance">, roll: Roll): void {
  const { round, turn } = roll;
  const what = `the roll of ${plan.turns[turn].name} in round ${round}`;
  if (!isRecorders(instance, roll))
    throw new RoundsError("RECORD", `${what} is not signed by the recorder, so it is not read`, { round, turn });
  if (!hasQuorum(plan, roll))
    throw new RoundsError("RECORD", `${what} has fewer members than the plan's quorum of ${plan.turns[turn].quorum}, so it is not read`, { round, turn }); // prettier-ignore
}

/**
 * Performs one leaf: reads what the plan says, and nothing else. The blobs and the leaf's file are written
 * before the signature is given away. The file keeps the signed statements that were read: by them the owner
 * shows later that it has built on what others had signed (spec 7.14). A leaf that was cut off continues from
 * its trace, which is removed when it is signed.
 * @param tools.stop whether the participant stops when training has diverged
 * @param fault of a drill
 * @throws {RoundsError} when a leaf, a roll or a mark that is read is not there, or not signed by its owner
 */
export async function perform(
  record: RoundsRecord,
  tools: { runner: LeafRunner; signer: Signer; stop: boolean; checkpoints?: CheckpointOptions | undefined },
  place: LeafPlace,
  fault?: LeafFault,
): Promise<Performed> {
  const { plan, instance, blobs } = record;
  const derived = record.reads(place);
  for (const roll of derived.asked) checkRoll(record, roll);
  const reads = fault ? misread(plan, { ...place, fault }, derived) : derived;
  const read = record.statements(reads.places.map((each) => record.standing(each)));
  const states: SourceState[] = [];
  for (const [i, statement] of read.entries()) {
    if (!isOwners(plan, instance, statement))
      throw new RoundsError("RECORD", `the leaf of ${seatName(plan, statement.seat)} in round ${statement.round} is not signed by its owner, so it is not read`, { round: statement.round }); // prettier-ignore
    states.push({ ...(await record.state(statement)), absent: reads.present[i] === 0 });
  }
  const { runner, signer, stop } = tools;
  const checkpoints = checkpointsOf(record.folder, plan, place, tools.checkpoints);
  const { job, start, end, roots, state, metrics } = await runner.run(plan, place, states, {
    origin: misseeded(plan, originIn(record, place.round), fault),
    fault,
    stop,
    checkpoints,
  });
  await blobs.put(state, roots);
  const { round, seat } = place;
  const run = leafRoot(templateOf(plan, place), { job, start, end });
  // A second root is refused before the file is replaced, so what was read for the first one stays.
  const signature = await signer.leaf(instance, place, run);
  await record.writeNote(place, { roots, metrics, read, ...(fault && { fault }) });
  await removeTrace(checkpoints.file);
  return { statement: { round, seat, job, start, end, signature }, metrics: metrics.at(-1) ?? {} };
}
