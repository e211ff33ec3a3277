/**
 * A kernel list prepared for native code: one stretch of memory, and a table of calls that the core executes.
 */
import { elementsIn } from "../../../encoding/dtypes.ts";
import { merkleRoot, type TreeRoot } from "../../../encoding/merkle.ts";
import { os } from "../../../encoding/node.ts";
import { byteLength, elementCount, type Tensor, tensorRootOf, type TensorRoot } from "../../../encoding/tensor.ts";
import type { ExecuteOptions, ExecuteReport, Session } from "../backend.ts";
import { type FoldKernel, type KernelList, type MapKernel, typeOf } from "../../kernels/kernel.ts";
import { layOut } from "../../schedule/arena.ts";
import { type KernelPlan, planKernels } from "../../schedule/kernel-plan.ts";
import { loopKey, type LoopShape } from "../../schedule/loop-shape.ts";
import { type Schedule, schedule } from "../../schedule/schedule.ts";
import { runFold, runMap } from "../reference.ts";
import { copyOf, copyTensors } from "../host.ts";
import { threads } from "../threads.ts";
import { emptyReport, wantedOf } from "../wanted.ts";
import type { Library, Memory } from "./library.ts";
import { type Call, callsOf, constantsIn, type Places } from "./plan.ts";

/** Vectors may read a little past the last tensor. */
const SLACK = 512;
const PAGE = 4096;
const DIGEST = 32;
/** Of a root: where the data is, its bytes, where the root is written. */
const ROOT_WORDS = 3;

/** What runs for a kernel: calls of the table, or the definition on the same memory. */
type Run = { from: number; to: number } | { definition: MapKernel | FoldKernel };

/** The schedule of a list, and how each kernel runs. */
export function planNative(
  list: KernelList,
  keep: readonly number[],
  always: boolean,
): { planned: Schedule; plans: KernelPlan[] } {
  const planned = schedule(list, keep);
  return { planned, plans: planKernels(planned, always, true) };
}

/** The loops of kernels, each once, by their keys. */
export function shapesOf(plans: readonly KernelPlan[]): Map<string, LoopShape> {
  const calls = plans.flatMap((plan) => (plan.kind === "loops" ? plan.calls : []));
  return new Map(calls.map(({ shape }) => [loopKey(shape), shape]));
}

/**
 * @param always no shortcuts: neither products nor scatter-adds, and `canon` after every instruction
 * @throws {BackendError} when the memory is not enough, or a loop can't be compiled
 */
export async function prepareNative(
  library: Library,
  list: KernelList,
  keep: readonly number[],
  always = false,
): Promise<Session> {
  const { planned, plans } = planNative(list, keep, always);
  const calls = plans.map((plan, i) => callsOf(list, plan, i));
  const loops = await library.functions(shapesOf(plans));
  const constants = [...new Set(plans.flatMap(constantsIn))];
  const types = planned.lifetimes.map((_, i) => typeOf(list, i));
  const largest = types.reduce((most, type) => Math.max(most, byteLength(type)), 0);

  // The stretch: the table of calls, their words, constants, counters, roots, scratch memory, and the
  // tensors.
  const all = calls.flatMap((some) => some ?? []);
  const nowhere: Places = { tensor: () => 0, constant: () => 0, counter: () => 0, scratch: 0, threads: 1 };
  const wordCounts = all.map((call) => call.words(nowhere).length);
  const words = PAGE + 16 * all.length;
  const constantsAt = words + 8 * wordCounts.reduce((sum, count) => sum + count, 0);
  const counters = Math.ceil((constantsAt + 4 * constants.length) / 8) * 8;
  const rootList = counters + 8 * plans.length;
  const digests = rootList + 8 * ROOT_WORDS * types.length;
  const scratch = pages(digests + DIGEST * types.length);
  const { core } = library;
  const arena = pages(scratch + Math.max(core.verde_product_scratch(threads()), core.verde_tree_scratch(largest)));
  const { offsets, bytes } = layOut(planned, availableBytes() - arena - SLACK, "native");
  const memory = library.take(arena + bytes + SLACK);

  const { buffer, address } = memory;
  const places: Places = {
    tensor: (tensor) => address + arena + offsets[tensor],
    constant: (bits) => address + constantsAt + 4 * constants.indexOf(bits),
    counter: (kernel) => address + counters + 8 * kernel,
    scratch: address + scratch,
    threads: threads(),
  };
  new Int32Array(buffer, constantsAt, constants.length).set(constants.map((bits) => bits | 0));
  const table = new BigInt64Array(buffer, PAGE, 2 * all.length);
  let at = words;
  all.forEach((call, i) => {
    table[2 * i] = BigInt(codeOf(call, library, loops));
    table[2 * i + 1] = BigInt(address + at);
    new BigInt64Array(buffer, at, wordCounts[i]).set(call.words(places).map(BigInt));
    at += 8 * wordCounts[i];
  });
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
  return new NativeSession(library, list, { memory, tensors, runs, gathers, counters, rootList, digests, places });
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

interface Prepared {
  memory: Memory;
  tensors: readonly Tensor[];
  runs: readonly Run[];
  /** The kernels that are gathers. */
  gathers: readonly number[];
  /** Offsets in memory. */
  counters: number;
  rootList: number;
  digests: number;
  places: Places;
}

class NativeSession implements Session {
  private readonly library: Library;
  private readonly list: KernelList;
  private readonly prepared: Prepared;

  constructor(library: Library, list: KernelList, prepared: Prepared) {
    this.library = library;
    this.list = list;
    this.prepared = prepared;
  }

  async write(input: number, tensor: Tensor): Promise<void> {
    this.prepared.tensors[input].data.set(tensor.data);
  }

  async read(tensor: number): Promise<Tensor> {
    return copyOf(this.prepared.tensors[tensor]);
  }

  async copy(pairs: readonly { from: number; to: number }[]): Promise<void> {
    copyTensors(this.prepared.tensors, pairs);
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const { runs, tensors, gathers, memory, counters, places } = this.prepared;
    const wanted = wantedOf(options, runs.length);
    const report = emptyReport();
    let [from, to] = [0, 0];
    const flush = (): void => {
      if (to > from) this.library.core.verde_run(memory.address + PAGE, from, to, places.threads);
      from = to;
    };
    for (const [kernel, run] of runs.entries()) {
      const output = this.list.inputs.length + kernel;
      if ("definition" in run) {
        flush();
        const { definition } = run;
        if (definition.kind === "fold") runFold(definition, tensors, tensors[output]);
        else runMap(definition, tensors, tensors[output]);
      } else to = run.to;
      if (!wanted.roots.has(kernel) && !wanted.captured.has(kernel)) continue;
      flush();
      if (wanted.roots.has(kernel)) report.roots.set(kernel, this.rootsOf([output])[0]);
      if (wanted.captured.has(kernel)) report.captured.set(kernel, copyOf(tensors[output]));
    }
    flush();
    const counts = new BigInt64Array(memory.buffer, counters, runs.length);
    for (const kernel of gathers)
      if (counts[kernel] > 0n) report.outOfRange.push({ kernel, count: Number(counts[kernel]) });
    return report;
  }

  async roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    return this.rootsOf(tensors);
  }

  /** One call for all of them. */
  private rootsOf(wanted: readonly number[]): TensorRoot[] {
    const { tensors, memory, rootList, digests, places } = this.prepared;
    const unique = [...new Set(wanted)].filter((tensor) => tensors[tensor].data.length > 0);
    const words = unique.flatMap((tensor, i) => [
      places.tensor(tensor),
      tensors[tensor].data.byteLength,
      memory.address + digests + DIGEST * i,
    ]);
    new BigInt64Array(memory.buffer, rootList, words.length).set(words.map(BigInt));
    this.library.core.verde_roots(memory.address + rootList, unique.length, places.scratch);
    const trees = new Map(
      unique.map((tensor, i) => [tensor, new Uint8Array(memory.buffer, digests + DIGEST * i, DIGEST).slice()]),
    );
    return wanted.map((tensor) =>
      tensorRootOf(tensors[tensor], (trees.get(tensor) as TreeRoot | undefined) ?? merkleRoot([])),
    );
  }

  async close(): Promise<void> {
    this.library.give(this.prepared.memory);
  }
}
