/**
 * A kernel list prepared for native code: one stretch of memory, and a table of calls that the core executes.
 */
import { elementsIn } from "../../../encoding/dtypes.ts";
import { os } from "../../../encoding/node.ts";
import { elementCount, type Tensor } from "../../../encoding/tensor.ts";
import { type KernelList, typeOf } from "../../kernels/kernel.ts";
import { layOut } from "../../schedule/arena.ts";
import { shareLoops } from "../../schedule/constants.ts";
import { GRAIN, type Grain } from "../../schedule/grain.ts";
import { type Group, groupKernels, joinSteps } from "../../schedule/groups.ts";
import { type KernelPlan, planKernels } from "../../schedule/kernel-plan.ts";
import { loopKey, type LoopShape } from "../../schedule/loop-shape.ts";
import { type Schedule, schedule } from "../../schedule/schedule.ts";
import type { Session } from "../backend.ts";
import { threads } from "../threads.ts";
import { type Library, PAGE, SLACK } from "./library.ts";
import { Parameters } from "./parameters.ts";
import { type Call, constantsIn, type Places } from "./plan.ts";
import { NativeSession, NOWHERE } from "./prepared.ts";
import { tableOf } from "./table.ts";

/**
 * Between large tensors. The sizes of tensors are often powers of two, and a cache has few places for
 * addresses that are apart by one: a group reads the same rows of several tensors.
 */
const STAGGER = 9280;

type Planned = ReturnType<typeof planNative>;

/** The plans of lists whose code was compiled and that were not prepared yet. */
const ahead = new WeakMap<KernelList, { key: string; planned: Planned }>();

const keyOf = (keep: readonly number[], always: boolean, grain: Grain): string => JSON.stringify([keep, always, grain]);

/** A plan for `prepareNative`, which need not make it again. */
export function planAhead(list: KernelList, keep: readonly number[], always = false, grain: Grain = GRAIN): Planned {
  const planned = planNative(list, keep, always, grain);
  ahead.set(list, { key: keyOf(keep, always, grain), planned });
  return planned;
}

function planOf(list: KernelList, keep: readonly number[], always: boolean, grain: Grain): Planned {
  const made = ahead.get(list);
  ahead.delete(list);
  return made?.key === keyOf(keep, always, grain) ? made.planned : planNative(list, keep, always, grain);
}

/** The schedule of a list, and how each kernel runs. */
export function planNative(
  list: KernelList,
  keep: readonly number[],
  always = false,
  grain: Grain = GRAIN,
): { planned: Schedule; plans: KernelPlan[]; groups: Group[] } {
  const single = schedule(list, keep);
  const plans = shareLoops(planKernels(single, always, { thin: true, views: true }));
  const groups = groupKernels(single, plans, grain);
  return { planned: joinSteps(single, groups), plans, groups };
}

/** The loops of kernels and of groups, each once, by their keys. */
export function shapesOf(plans: readonly KernelPlan[], groups: readonly Group[]): Map<string, LoopShape> {
  const alone = plans.flatMap((plan) => (plan.kind === "loops" ? plan.calls : []));
  const together = groups.flatMap(({ blocks }) => blocks?.calls.map(({ call }) => call) ?? []);
  const calls = [...alone, ...together];
  return new Map(calls.map(({ shape }) => [loopKey(shape), shape]));
}

export interface PrepareNative {
  /** No shortcuts: neither products nor scatter-adds, and `canon` after every instruction. */
  always?: boolean;
  /** Leave everything to other threads, however little it is. */
  beside?: boolean;
  /** Into which blocks work is cut. */
  grain?: Grain;
  /** Inputs that will be lent. */
  lent?: readonly number[];
}

/** @throws {BackendError} when the memory is not enough, or a loop can't be compiled */
export async function prepareNative(
  library: Library,
  list: KernelList,
  keep: readonly number[],
  { always = false, beside = false, grain = GRAIN, lent = [] }: PrepareNative = {},
): Promise<Session> {
  const { planned, plans, groups } = planOf(list, keep, always, grain);
  const count = threads();
  const loops = await library.functions(shapesOf(plans, groups));
  const constants = [...new Set(plans.flatMap(constantsIn))];
  const types = planned.lifetimes.map((_, i) => typeOf(list, i));
  const addressOf = (code: Call["code"]): number =>
    "core" in code ? library.kernel(code.core) : loops.get(code.loop)!;
  const { entries, alone, together, bufferBytes } = tableOf(list, plans, groups, grain, addressOf);
  const parameters = new Parameters(entries);

  // The stretch: the table of calls, their words, constants, counters, scratch memory, buffers of threads,
  // and the tensors.
  const words = PAGE + 16 * entries.length;
  const constantsAt = words + 8 * parameters.length;
  const counters = Math.ceil((constantsAt + 4 * constants.length) / 8) * 8;
  const scratch = pages(counters + 8 * plans.length);
  const buffers = pages(scratch + library.products.verde_product_scratch(count));
  const arena = pages(buffers + count * bufferBytes);
  const { offsets, bytes } = layOut(planned, availableBytes() - arena - SLACK, "native", STAGGER, lent);
  const memory = library.take(arena + bytes + SLACK);

  const { buffer, address } = memory;
  const places: Places = {
    tensor: (tensor) => addresses[tensor],
    constant: (bits) => address + constantsAt + 4 * constants.indexOf(bits),
    counter: (output) => address + counters + 8 * (output - list.inputs.length),
    scratch: address + scratch,
    buffer: address + buffers,
    threads: count,
  };
  new Int32Array(buffer, constantsAt, constants.length).set(constants.map((bits) => bits | 0));
  const table = new BigInt64Array(buffer, PAGE, 2 * entries.length);
  for (const [i, start] of parameters.starts().entries()) {
    table[2 * i] = BigInt(addressOf(entries[i].code));
    table[2 * i + 1] = BigInt(address + words + 8 * start);
  }
  const isLent = new Set(lent);
  const addresses = offsets.map((offset, i) => (isLent.has(i) ? NOWHERE : address + arena + offset));
  const tensors = types.map(
    ({ dtype, shape }, i): Tensor => ({
      dtype,
      shape,
      data: elementsIn(dtype, buffer, arena + offsets[i], isLent.has(i) ? 0 : elementCount(shape)),
    }),
  );
  const outputs = planned.lasting.filter((tensor) => tensor >= list.inputs.length);
  const placed = { memory, tensors, addresses, outputs, table: PAGE, counters, parameters, words, places };
  return new NativeSession(library, list, { ...placed, alone, together, threads: count, beside });
}

const pages = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;

/** The machine's memory, or what the process is limited to. */
function availableBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}
