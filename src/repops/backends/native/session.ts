/**
 * A kernel list prepared for native code: one stretch of memory, and a table of calls that the core executes.
 */
import { elementsIn } from "../../../encoding/dtypes.ts";
import { merkleRoot, type TreeRoot } from "../../../encoding/merkle.ts";
import { os } from "../../../encoding/node.ts";
import { byteLength, elementCount, type Tensor, tensorRootOf, type TensorRoot } from "../../../encoding/tensor.ts";
import type { ExecuteOptions, ExecuteReport, Session } from "../backend.ts";
import { type KernelList, typeOf } from "../../kernels/kernel.ts";
import { layOut } from "../../schedule/arena.ts";
import { GRAIN, type Grain } from "../../schedule/grain.ts";
import { type Group, groupKernels, joinSteps } from "../../schedule/groups.ts";
import { type KernelPlan, planKernels } from "../../schedule/kernel-plan.ts";
import { loopKey, type LoopShape } from "../../schedule/loop-shape.ts";
import { type Schedule, schedule } from "../../schedule/schedule.ts";
import { runFold, runMap } from "../reference.ts";
import { copyOf, copyTensors } from "../host.ts";
import { threads } from "../threads.ts";
import { emptyReport, wantedOf } from "../wanted.ts";
import type { Library, Memory } from "./library.ts";
import { type Call, constantsIn, type Places } from "./plan.ts";
import { type Run, tableOf } from "./table.ts";

/** Vectors may read a little past the last tensor. */
const SLACK = 512;
/**
 * Between large tensors. The sizes of tensors are often powers of two, and a cache has few places for
 * addresses that are apart by one: a group reads the same rows of several tensors.
 */
const STAGGER = 9280;
const PAGE = 4096;
const DIGEST = 32;
/** Of a root: where the data is, its bytes, where the root is written. */
const ROOT_WORDS = 3;

/** The schedule of a list, and how each kernel runs. */
export function planNative(
  list: KernelList,
  keep: readonly number[],
  always: boolean,
  grain: Grain = GRAIN,
): { planned: Schedule; plans: KernelPlan[]; groups: Group[] } {
  const single = schedule(list, keep);
  const plans = planKernels(single, always);
  const groups = groupKernels(single, plans, grain);
  return { planned: joinSteps(single, groups), plans, groups };
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
  grain: Grain = GRAIN,
): Promise<Session> {
  const { planned, plans, groups } = planNative(list, keep, always, grain);
  const count = threads();
  const loops = await library.functions(shapesOf(plans));
  const constants = [...new Set(plans.flatMap(constantsIn))];
  const types = planned.lifetimes.map((_, i) => typeOf(list, i));
  // The stretch: the table of calls, their words, constants, counters, roots, scratch memory, buffers of
  // threads, and the tensors.
  const addressOf = (code: Call["code"]): number =>
    "core" in code ? library.kernel(code.core) : loops.get(code.loop)!;
  const { entries, alone, together, bufferBytes } = tableOf(list, plans, groups, grain, addressOf);
  const nowhere: Places = { tensor: () => 0, constant: () => 0, counter: () => 0, scratch: 0, buffer: 0 };
  const wordCounts = entries.map((entry) => entry.words(nowhere).length);
  const words = PAGE + 16 * entries.length;
  const constantsAt = words + 8 * wordCounts.reduce((sum, count) => sum + count, 0);
  const counters = Math.ceil((constantsAt + 4 * constants.length) / 8) * 8;
  const rootList = counters + 8 * plans.length;
  const digests = rootList + 8 * ROOT_WORDS * types.length;
  const { core } = library;
  const scratch = pages(digests + DIGEST * types.length);
  const treeScratch = pages(scratch + core.verde_product_scratch());
  const trees = types.reduce((sum, type) => sum + core.verde_tree_scratch(byteLength(type)), 0);
  const buffers = pages(treeScratch + trees);
  const arena = pages(buffers + count * bufferBytes);
  const { offsets, bytes } = layOut(planned, availableBytes() - arena - SLACK, "native", STAGGER);
  const memory = library.take(arena + bytes + SLACK);

  const { buffer, address } = memory;
  const places: Places = {
    tensor: (tensor) => address + arena + offsets[tensor],
    constant: (bits) => address + constantsAt + 4 * constants.indexOf(bits),
    counter: (kernel) => address + counters + 8 * kernel,
    scratch: address + scratch,
    buffer: address + buffers,
  };
  new Int32Array(buffer, constantsAt, constants.length).set(constants.map((bits) => bits | 0));
  const table = new BigInt64Array(buffer, PAGE, 2 * entries.length);
  let at = words;
  entries.forEach((entry, i) => {
    table[2 * i] = BigInt(addressOf(entry.code));
    table[2 * i + 1] = BigInt(address + at);
    new BigInt64Array(buffer, at, wordCounts[i]).set(entry.words(places).map(BigInt));
    at += 8 * wordCounts[i];
  });
  const tensors = types.map(
    ({ dtype, shape }, i): Tensor => ({
      dtype,
      shape,
      data: elementsIn(dtype, buffer, arena + offsets[i], elementCount(shape)),
    }),
  );
  const gathers = plans.flatMap(({ kind }, i) => (kind === "gather" ? [i] : []));
  return new NativeSession(library, list, {
    memory,
    tensors,
    alone,
    together,
    gathers,
    counters,
    rootList,
    digests,
    treeScratch: address + treeScratch,
    places,
    threads: count,
  });
}

const pages = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;

/** The machine's memory, or what the process is limited to. */
function availableBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}

interface Prepared {
  memory: Memory;
  tensors: readonly Tensor[];
  /** What runs for each kernel, and for each group. */
  alone: readonly Run[];
  together: readonly Run[];
  /** The kernels that are gathers. */
  gathers: readonly number[];
  /** Offsets in memory. */
  counters: number;
  rootList: number;
  digests: number;
  /** An address. */
  treeScratch: number;
  places: Places;
  threads: number;
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
    const { alone, together, tensors, gathers, memory, counters, threads: count } = this.prepared;
    const wanted = wantedOf(options, alone.length);
    const report = emptyReport();
    const counts = new BigInt64Array(memory.buffer, counters, alone.length).fill(0n);
    let [from, to] = [0, 0];
    const flush = (): void => {
      if (to > from) this.library.core.verde_run(memory.address + PAGE, from, to, count);
      from = to;
    };
    const watched = wanted.roots.size + wanted.captured.size > 0;
    for (const [kernel, run] of (watched ? alone : together).entries()) {
      if ("definition" in run) {
        flush();
        const { definition, output } = run;
        if (definition.kind === "fold") runFold(definition, tensors, tensors[output]);
        else runMap(definition, tensors, tensors[output]);
      } else {
        if (from === to) from = run.from;
        to = run.to;
      }
      if (!wanted.roots.has(kernel) && !wanted.captured.has(kernel)) continue;
      flush();
      const output = this.list.inputs.length + kernel;
      if (wanted.roots.has(kernel)) report.roots.set(kernel, this.rootsOf([output])[0]);
      if (wanted.captured.has(kernel)) report.captured.set(kernel, copyOf(tensors[output]));
    }
    flush();
    for (const kernel of gathers)
      if (counts[kernel] > 0n) report.outOfRange.push({ kernel, count: Number(counts[kernel]) });
    return report;
  }

  async roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    return this.rootsOf(tensors);
  }

  /** One call for all of them. */
  private rootsOf(wanted: readonly number[]): TensorRoot[] {
    const { tensors, memory, rootList, digests, places, treeScratch, threads: count } = this.prepared;
    const unique = [...new Set(wanted)].filter((tensor) => tensors[tensor].data.length > 0);
    const words = unique.flatMap((tensor, i) => [
      places.tensor(tensor),
      tensors[tensor].data.byteLength,
      memory.address + digests + DIGEST * i,
    ]);
    new BigInt64Array(memory.buffer, rootList, words.length).set(words.map(BigInt));
    this.library.core.verde_roots(memory.address + rootList, unique.length, treeScratch, count);
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
