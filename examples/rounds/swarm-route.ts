/**
 * Who takes which microbatch in SWARM: at each stage the replica with the fewest so far, and of several by lot.
 * A replica that is away takes none. Integers alone decide.
 */
import * as job from "@verde-ml/verde/job";
import { type RandomSource, type Value } from "@verde-ml/verde/job";
import type { Port } from "@verde-ml/verde/rounds";

/** More than any load with any lot. Up to this float32 has all integers. */
const AWAY = 2 ** 24;
/** Lots are below this, so that the load counts first. */
const LOTS = 2 ** 16;

/**
 * The draw of one stage, for up to 255 microbatches. Slot c of replica r has the number r · capacity + c.
 * @param awake i32 [replicas], 1 or 0
 * @param lots i32 [microbatches, replicas], from 0 to 65,535
 * @returns the slot of each microbatch, i32 [microbatches], and the microbatch of each slot, i32 [replicas ·
 *   capacity], -1 where it is empty
 */
export function draw(awake: Value, lots: Value, capacity: number): { place: Value; held: Value } {
  const [microbatches, replicas] = lots.shape;
  const { builder } = awake;
  const away = job.mul(job.toFloat(job.sub(1, awake)), AWAY);
  let load = job.mul(away, 0);
  const places: Value[] = [];
  for (let m = 0; m < microbatches; m++) {
    const lot = job.toFloat(job.reshape(job.slice(lots, 0, m, m + 1), [-1]));
    const chosen = job.reshape(job.argmin(job.add(job.add(job.mul(load, LOTS), lot), away), 0), [1]);
    places.push(job.add(job.mul(chosen, capacity), job.toInt(job.gather(load, chosen))));
    load = job.add(load, job.toFloat(job.eq(job.arange(builder, 0, replicas), chosen)));
  }
  const place = job.concat(places, 0);
  const slots = job.reshape(job.arange(builder, 0, replicas * capacity), [replicas * capacity, 1]);
  const here = job.toFloat(job.eq(slots, job.reshape(place, [1, microbatches])));
  const numbers = job.toFloat(job.reshape(job.arange(builder, 1, microbatches + 1), [1, microbatches]));
  return { place, held: job.toInt(job.sub(job.sum(job.mul(here, numbers), [1]), 1)) };
}

/** The lots of a round: i32 [stages, microbatches, replicas]. */
export const lotsOf = (random: RandomSource, shape: readonly [number, number, number]): Value =>
  job.randomInt(random, shape, LOTS, "lots");

/**
 * Reads `1.2@3 0.0@4`: replica 2 of stage 1 is away from round 3 on, replica 0 of stage 0 from round 4 on.
 * @returns whether a replica is awake in a round: 1 or 0
 * @throws {RangeError} for another text, or when more than one replica of a stage is away
 */
export function awakeOf(
  text: string,
  stages: number,
  replicas: number,
): (stage: number, replica: number, round: number) => number {
  // prettier-ignore
  const gone = text.split(" ").flatMap((word) => {
    if (word === "") return [];
    const [, stage, replica, from] = (/^(\d+)\.(\d+)@(\d+)$/.exec(word) ?? []).map(Number);
    if (!(stage < stages && replica < replicas)) throw new RangeError(`${word} is no replica that is away; write such as 1.2@3: stage 1, replica 2, from round 3 on`); // prettier-ignore
    return [{ stage, replica, from }];
  });
  if (new Set(gone.map(({ stage }) => stage)).size < gone.length) throw new RangeError(`${text} has two replicas of a stage away; the others have room for one's microbatches`); // prettier-ignore
  return (stage, replica, round) => gone.some((each) => each.stage === stage && each.replica === replica && round >= each.from) ? 0 : 1; // prettier-ignore
}

/** What passes between stages: the capacity of a replica, the elements of a microbatch, and the model's width. */
export interface Slots {
  capacity: number;
  rows: number;
  dim: number;
}

/** What a replica has of a draw: its microbatches, and which of its slots have one. */
export function takenBy(drawn: Port, stage: number, member: Value, { capacity, rows, dim }: Slots) {
  const row = (of: string, at: number): Value => job.reshape(job.slice(drawn.entry(of), 0, at, at + 1), [-1]);
  const slots = job.add(job.mul(member, capacity), job.arange(member.builder, 0, capacity));
  const held = job.gather(row("held", stage), slots, "own-microbatches");
  const own = job.maximum(held, 0);
  const isHeld = job.reshape(job.toFloat(job.ge(held, 0)), [capacity, 1]);
  return {
    /** Rows of the microbatches, from what all replicas of a stage have made of theirs. */
    collect(ports: readonly Port[], entry: string, from: number): Value {
      const type = { dtype: "f32", shape: [capacity * rows, dim] } as const;
      const all = job.concat(ports.map((port) => port.entry(entry, type)), 0); // prettier-ignore
      const chosen = job.gather(job.reshape(all, [-1, rows * dim]), job.gather(row("place", from), own));
      return job.reshape(chosen, type.shape);
    },
    windows: (batch: number): Value => job.reshape(job.gather(drawn.entry("windows"), own), [capacity * batch, -1]),
    /** 0 in place of what stands in empty slots. */
    masked: (x: Value): Value => job.reshape(job.mul(job.reshape(x, [capacity, -1]), isHeld), x.shape),
  };
}
