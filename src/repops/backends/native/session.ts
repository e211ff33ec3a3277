/**
 * A kernel list prepared for native code: one stretch of memory, and a table of calls that the core executes.
 */
import { elementsIn } from "../../../encoding/dtypes.ts";
import { os } from "../../../encoding/node.ts";
import { elementCount, type Tensor } from "../../../encoding/tensor.ts";
import type { Session } from "../backend.ts";
import { type FoldKernel, type KernelList, type MapKernel, typeOf } from "../../kernels/kernel.ts";
import { layOut } from "../../schedule/arena.ts";
import { type KernelPlan, planKernels } from "../../schedule/kernel-plan.ts";
import { loopKey, type LoopShape } from "../../schedule/loop-shape.ts";
import { type Schedule, schedule } from "../../schedule/schedule.ts";
import type { Library } from "./library.ts";
import { Parameters } from "./parameters.ts";
import { type Call, callsOf, constantsIn, type Places } from "./plan.ts";
import { NativeSession, type Run } from "./prepared.ts";

/** Vectors may read a little past the last tensor. */
const SLACK = 512;
const PAGE = 4096;

/** The schedule of a list, and how each kernel runs. */
export function planNative(
  list: KernelList,
  keep: readonly number[],
  always: boolean,
): { planned: Schedule; plans: KernelPlan[] } {
  const planned = schedule(list, keep);
  return { planned, plans: planKernels(planned, always) };
}

/** The loops of kernels, each once, by their keys. */
export function shapesOf(plans: readonly KernelPlan[]): Map<string, LoopShape> {
  const calls = plans.flatMap((plan) => (plan.kind === "loops" ? plan.calls : []));
  return new Map(calls.map(({ shape }) => [loopKey(shape), shape]));
}

/**
 * @param always no shortcuts: neither products nor scatter-adds, and `canon` after every instruction
 * @param beside leave everything to other threads, however little it is
 * @throws {BackendError} when the memory is not enough, or a loop can't be compiled
 */
export async function prepareNative(
  library: Library,
  list: KernelList,
  keep: readonly number[],
  { always = false, beside = false }: { always?: boolean; beside?: boolean } = {},
): Promise<Session> {
  const { planned, plans } = planNative(list, keep, always);
  const calls = plans.map((plan, i) => callsOf(list, plan, i));
  const loops = await library.functions(shapesOf(plans));
  const constants = [...new Set(plans.flatMap(constantsIn))];
  const types = planned.lifetimes.map((_, i) => typeOf(list, i));

  // The stretch: the table of calls, their words, constants, counters, scratch memory, and the tensors.
  const all = calls.flatMap((some) => some ?? []);
  const parameters = new Parameters(all);
  const words = PAGE + 16 * all.length;
  const constantsAt = words + 8 * parameters.length;
  const counters = Math.ceil((constantsAt + 4 * constants.length) / 8) * 8;
  const scratch = pages(counters + 8 * plans.length);
  const arena = pages(scratch + library.core.verde_product_scratch());
  const { offsets, bytes } = layOut(planned, availableBytes() - arena - SLACK, "native");
  const memory = library.take(arena + bytes + SLACK);

  const { buffer, address } = memory;
  const places: Places = {
    tensor: (tensor) => address + tensors[tensor].data.byteOffset,
    constant: (bits) => address + constantsAt + 4 * constants.indexOf(bits),
    counter: (kernel) => address + counters + 8 * kernel,
    scratch: address + scratch,
  };
  new Int32Array(buffer, constantsAt, constants.length).set(constants.map((bits) => bits | 0));
  const table = new BigInt64Array(buffer, PAGE, 2 * all.length);
  for (const [i, start] of parameters.starts().entries()) {
    table[2 * i] = BigInt(codeOf(all[i], library, loops));
    table[2 * i + 1] = BigInt(address + words + 8 * start);
  }
  let next = 0;
  const runs = calls.map((some, i): Run => {
    const plan = plans[i];
    if (!some) return { definition: (plan as { kernel: MapKernel | FoldKernel }).kernel };
    next += some.length;
    return { from: next - some.length, to: next };
  });
  const tensors = types.map(
    ({ dtype, shape }, i): Tensor => ({
      dtype,
      shape,
      data: elementsIn(dtype, buffer, arena + offsets[i], elementCount(shape)),
    }),
  );
  const gathers = plans.flatMap(({ kind }, i) => (kind === "gather" ? [i] : []));
  const outputs = planned.lasting.filter((tensor) => tensor >= list.inputs.length);
  const rest = { gathers, table: PAGE, counters, parameters, words, places, beside };
  return new NativeSession(library, list, { memory, tensors, outputs, runs, ...rest });
}

const pages = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;

function codeOf({ code }: Call, library: Library, loops: ReadonlyMap<string, number>): number {
  return "core" in code ? library.kernel(code.core) : loops.get(code.loop)!;
}

/** The machine's memory, or what the process is limited to. */
function availableBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}
