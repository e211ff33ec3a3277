/** Records in which somebody lies, without running a plan again: statements are replaced or signed by others. */
import { signDigest } from "../../src/claims/signature.ts";
import { addressOf } from "../../src/claims/signature.ts";
import type { Bytes } from "../../src/encoding/bytes.ts";
import { sha256 } from "../../src/encoding/hash.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { misread, type PlantedFault } from "../../src/rounds/fault.ts";
import { LeafRunner } from "../../src/rounds/leaf.ts";
import { type LeafClaim, type LeafPlace, leafRoot, type Plan, sourcesOf, templateOf } from "../../src/rounds/plan.ts";
import { beginRecord, type RoundsRecord } from "../../src/rounds/record.ts";
import { type Instance, instanceOf, leafDigest, recordDigest, type Statement } from "../../src/rounds/statement.ts";
import { recordClaim } from "../../src/rounds/machine.ts";

const secretOf = (name: string): Bytes => sha256(new TextEncoder().encode(`rounds ${name}`));

export function testInstance(plan: Plan, salt = 1): Instance {
  const owners = plan.participants.map(({ name }) => addressOf(secretOf(name)));
  return instanceOf({
    plan: plan.id,
    salt: new Uint8Array(32).fill(salt),
    owners,
    recorder: addressOf(secretOf("recorder")),
  });
}

/** A statement of a leaf, signed by its owner or by somebody else. */
export function stated(plan: Plan, instance: Instance, place: LeafPlace, claim: LeafClaim, by?: string): Statement {
  const owner = plan.participants[plan.seats[place.seat].participant].name;
  const digest = leafDigest(instance, place, leafRoot(templateOf(plan, place), claim));
  const { job, start, end } = claim;
  return { ...place, job, start, end, signature: signDigest(digest, secretOf(by ?? owner)) };
}

/** Who copies, and from which seat. */
interface Copy extends LeafPlace {
  readonly of: number;
}

/** Who reads another leaf than the plan says: one of its sources, and the seat of this round instead. */
interface Misread extends LeafPlace {
  readonly source: number;
  readonly instead: number;
}

/**
 * A record that is kept in a folder, without journals: its participants sign whatever they compute. Leaves before the
 * first fault are taken `from` another record of the plan, where one is given. Who copies hands on what another seat has
 * handed on in that round. Who `reads` wrongly computes from another leaf of it.
 */
export async function performedRecord(
  plan: Plan,
  folder: string,
  faults: readonly PlantedFault[] = [],
  { salt = 1, backend = wasm, from, copy, reads }: { salt?: number; backend?: Backend; from?: RoundsRecord; copy?: Copy; reads?: Misread } = {}, // prettier-ignore
): Promise<RoundsRecord> {
  const instance = testInstance(plan, salt);
  const record = await beginRecord(folder, plan, instance);
  const runner = new LeafRunner(backend);
  let same = from;
  for (let round = 0; round <= plan.rounds; round++) {
    for (const seat of plan.seats.keys()) {
      const place = { round, seat };
      const planted = faults.find((each) => each.round === round && each.seat === seat);
      const copied = copy?.round === round && copy.seat === seat ? record.at({ round, seat: copy.of }) : undefined;
      const misled = reads?.round === round && reads.seat === seat ? reads : undefined;
      if (planted || copied || misled) same = undefined;
      if (same) {
        const claim = same.at(place)!;
        const { roots, tensors } = await same.state(claim);
        await record.blobs.put(tensors, roots);
        await record.writeNote(place, await same.note(place));
        record.admit(stated(plan, instance, place, claim));
        continue;
      }
      const places = planted ? misread(plan, planted, sourcesOf(plan, place)) : sourcesOf(plan, place);
      if (misled) places[misled.source] = { round, seat: misled.instead };
      const states = [];
      for (const statement of record.statements(places)) states.push(await record.state(statement));
      const made = await runner.run(plan, place, states, { fault: planted?.fault });
      if (copied) {
        const { roots: others, tensors } = await record.state(copied);
        Object.assign(made, { roots: others, state: tensors, end: copied.end });
      }
      const { roots, state, metrics, ...claim } = made;
      await record.blobs.put(state, roots);
      await record.writeNote(place, { roots, metrics, ...(planted && { fault: planted.fault }) });
      record.admit(stated(plan, instance, place, claim));
    }
    const root = recordClaim(record, round + 1);
    record.marks.push({ rounds: round + 1, root, signature: signDigest(recordDigest(instance, round + 1, root), secretOf("recorder")) }); // prettier-ignore
  }
  await runner.close();
  return record;
}
