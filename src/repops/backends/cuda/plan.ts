/** A kernel list on the device: its launches, and where each tensor lies. */
import { byteLength } from "../../../encoding/tensor.ts";
import { type KernelList, typeOf } from "../../kernels/kernel.ts";
import { allocate, Stretch } from "../../schedule/memory.ts";
import { schedule } from "../../schedule/schedule.ts";
import { countedKernels } from "../wanted.ts";
import type { Argument } from "./launch.ts";
import type { Entry } from "./ptx.ts";
import { FUSE_LIMITS, launchesOf, type PlannedLaunch } from "./steps.ts";
import type { Tile } from "./tile.ts";

/** Places begin at multiples of this many bytes, as what the driver allocates does. */
const ALIGNMENT = 256;

/** Where memory begins: an address for each part. */
export interface Bases {
  /** Of inputs and kept tensors. */
  readonly lasting: number;
  /** Of all other tensors. */
  readonly passing: number;
  /** Of the counters: a word for each kernel that counts, in their order. */
  readonly counters: number;
}

/** `fused`: chains of kernels are one; `watched`: every output is in memory when its kernel has run. */
export type Mode = "fused" | "watched";

/** What does not depend on addresses. Both modes of a list place inputs and kept tensors alike. */
export class Plan {
  readonly launches: readonly PlannedLaunch[];
  /** The kernels that count, in order. */
  readonly counted: readonly number[];
  /** Distinct ones, which are named by their places. */
  readonly entries: readonly Entry[];
  readonly lastingBytes: number;
  readonly passingBytes: number;
  private readonly offsets: readonly (number | undefined)[];
  private readonly names: ReadonlyMap<string, number>;

  /** @param tiles for tests: those that products may be cut into */
  constructor(list: KernelList, keep: readonly number[], mode: Mode, tiles?: readonly Tile[]) {
    const planned = schedule(list, keep, mode === "fused" ? FUSE_LIMITS : undefined);
    const bytesOf = (tensor: number): number => byteLength(typeOf(list, tensor));
    const all = new Stretch(ALIGNMENT);
    this.offsets = allocate(planned, bytesOf, all);
    this.lastingBytes = planned.lasting.reduce(
      (end, tensor) => Math.max(end, this.offsets[tensor]! + aligned(bytesOf(tensor))),
      0,
    );
    this.passingBytes = all.bytes - this.lastingBytes;
    this.launches = launchesOf(planned, tiles);
    this.counted = countedKernels(list);
    const entries = new Map(this.launches.map(({ entry }) => [entry.code, entry]));
    this.entries = [...entries.values()];
    this.names = new Map([...entries.keys()].map((code, i) => [code, i]));
  }

  /** The place of a launch's entry among `entries`. */
  entryOf({ entry }: PlannedLaunch): number {
    return this.names.get(entry.code)!;
  }

  /** The address of a tensor that is in memory. */
  addressOf(tensor: number, { lasting, passing }: Bases): number {
    const offset = this.offsets[tensor]!;
    return offset < this.lastingBytes ? lasting + offset : passing + offset - this.lastingBytes;
  }

  /** The values of a launch's parameters. */
  valuesOf(launch: PlannedLaunch, bases: Bases): number[] {
    const valueOf = (argument: Argument): number => {
      if ("word" in argument) return argument.word;
      if ("tensor" in argument) return this.addressOf(argument.tensor, bases);
      return bases.counters + 4 * this.counted.indexOf(argument.counter);
    };
    return launch.arguments.map(valueOf);
  }
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
