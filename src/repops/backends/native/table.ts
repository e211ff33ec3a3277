/**
 * The table of calls that the core executes. It has two sections with the same results: the kernels one by
 * one, for those who look at each output, and the groups, block by block.
 */
import type { FoldKernel, KernelList, MapKernel } from "../../kernels/kernel.ts";
import type { Blocks, Grain } from "../../schedule/grain.ts";
import type { Group } from "../../schedule/groups.ts";
import type { KernelPlan } from "../../schedule/kernel-plan.ts";
import { Stretch } from "../../schedule/memory.ts";
import type { RowSplit } from "../../schedule/rows.ts";
import type { CoreKernel } from "./core.ts";
import { type Call, callsOf, loopOf, type Places } from "./plan.ts";

/** What runs for a kernel or a group: entries of the table, or the definition on the same memory. */
export type Run = { from: number; to: number } | { definition: MapKernel | FoldKernel; output: number };

/** The address of a function. */
export type AddressOf = (code: Call["code"]) => number;

/** A call of the table. */
export interface Entry {
  code: Call["code"];
  words(places: Places): number[];
}

export interface Table {
  entries: readonly Entry[];
  /** One for each kernel. */
  alone: readonly Run[];
  /** One for each group. */
  together: readonly Run[];
  /** The buffer of a thread, in bytes. */
  bufferBytes: number;
}

/** Vectors may read a little past what a thread keeps. */
const SLACK = 512;
const ALIGNMENT = 64;

export function tableOf(
  list: KernelList,
  plans: readonly KernelPlan[],
  groups: readonly Group[],
  grain: Grain,
  addressOf: AddressOf,
): Table {
  const entries: Entry[] = [];
  const add = (more: readonly Entry[]): Run => {
    entries.push(...more);
    return { from: entries.length - more.length, to: entries.length };
  };
  const single = plans.map((plan, kernel) =>
    callsOf(list, plan, kernel, grain)?.map((call) =>
      call.cut ? blocksEntry(call.cut, [{ call, split: call.cut.split }], new Map(), 0, addressOf) : call,
    ),
  );
  const runOf = (kernel: number): Run => {
    const some = single[kernel];
    if (some) return add(some);
    const { kernel: definition } = plans[kernel] as { kernel: MapKernel | FoldKernel };
    return { definition, output: list.inputs.length + kernel };
  };
  const buffers = groups.map((group) => buffersOf(group));
  const bufferBytes = buffers.reduce((most, { bytes }) => Math.max(most, bytes), 0);
  const alone = plans.map((_, kernel) => runOf(kernel));
  const together = groups.map(({ kernels, blocks }, i) => {
    if (!blocks) return runOf(kernels[0]);
    const members = blocks.calls.map(({ call, split }) => ({ call: loopOf(call), split }));
    return add([blocksEntry(blocks, members, buffers[i].offsets, bufferBytes, addressOf)]);
  });
  return { entries, alone, together, bufferBytes };
}

/** Where in a thread's buffer the rows of a block are that only the group reads. */
function buffersOf({ blocks }: Group): { offsets: Map<number, number>; bytes: number } {
  const offsets = new Map<number, number>();
  if (!blocks || blocks.interior.size === 0) return { offsets, bytes: 0 };
  const stretch = new Stretch(ALIGNMENT);
  const bytesOf = (tensor: number): number => blocks.interior.get(tensor)! * blocks.rows;
  // What a call reads and writes; fused maps write several tensors.
  const touchedBy = blocks.calls.map(({ call: { parameters } }) => [
    parameters.output.tensor,
    ...parameters.args.flatMap(({ origin }) => (origin?.kind === "tensor" ? [origin.tensor] : [])),
  ]);
  const lastCall = new Map<number, number>();
  for (const [i, tensors] of touchedBy.entries()) for (const tensor of tensors) lastCall.set(tensor, i);
  for (const [i, tensors] of touchedBy.entries()) {
    for (const tensor of tensors)
      if (blocks.interior.has(tensor) && !offsets.has(tensor)) offsets.set(tensor, stretch.take(bytesOf(tensor)));
    for (const [tensor, last] of lastCall)
      if (last === i && offsets.has(tensor)) stretch.give(offsets.get(tensor)!, bytesOf(tensor));
  }
  return { offsets, bytes: Math.ceil((stretch.bytes + SLACK) / ALIGNMENT) * ALIGNMENT };
}

const BLOCKS: { core: CoreKernel } = { core: "blocks" };

/** In the order in which core/blocks.h reads them. */
function blocksEntry(
  { axes, rows, dealt }: Blocks,
  members: readonly { call: Call; split: RowSplit }[],
  buffered: ReadonlyMap<number, number>,
  bufferBytes: number,
  addressOf: AddressOf,
): Entry {
  const words = (places: Places): number[] => {
    const tensor = (number: number): number => {
      const offset = buffered.get(number);
      return offset === undefined ? places.tensor(number) : places.buffer + offset;
    };
    return [
      dealt ? 1 : 0,
      members.length,
      rows,
      axes.length,
      ...axes,
      ...members.flatMap(({ call, split: { once, extent, shifts } }) => {
        const own = call.words({ ...places, tensor });
        for (const word of once) own[word] = 1;
        return [
          addressOf(call.code),
          own.length,
          shifts.length,
          extent.word,
          extent.passes,
          ...own,
          ...shifts.flatMap((shift) =>
            shift.tensor !== undefined && buffered.has(shift.tensor)
              ? [shift.word, bufferBytes, ...axes.map(() => 0)]
              : [shift.word, 0, ...shift.steps],
          ),
        ];
      }),
    ];
  };
  return { code: BLOCKS, words };
}
