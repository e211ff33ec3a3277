/** A kernel list prepared for WASM: one memory, one generated module, and a list of calls. */
import { elementCount, type Tensor, tensorRootOf, type TensorRoot } from "../../../encoding/tensor.ts";
import { BackendError, messageOf } from "../../../errors/index.ts";
import type { ExecuteOptions, ExecuteReport, Session } from "../backend.ts";
import { type Kernel, type KernelList, operandsOf, typeOf } from "../../kernels/kernel.ts";
import { runFold, runMap } from "../reference.ts";
import { emptyReport, wantedOf } from "../wanted.ts";
import { layOut } from "./arena.ts";
import { ConstantPool } from "./constants.ts";
import type { CoreExports } from "./core.ts";
import { canLoop, isEmpty, type LoopCall, planLoops } from "./loop-plan.ts";
import { loopKey, parameterWords } from "./loops.ts";
import { compileCore, compileLoops, CORE_CAPACITY, CORE_CONSTANTS, corePool, PARAMETERS } from "./modules.ts";
import { matmul, MATMUL_SCRATCH_BYTES } from "./matmul.ts";
import { asProducts, asScatter } from "./products.ts";
import { treeRoot, treeScratchBytes } from "./sha256.ts";

const PAGE = 65_536;
const MAX_BYTES = 65_535 * PAGE;
/** Vectors may read a little past the last tensor. */
const SLACK = 256;

/** What runs for one kernel; a gather gives the number of reads outside its source. */
type Run = () => number | void;

export async function prepareWasm(list: KernelList, keep: readonly number[], always = false): Promise<Session> {
  return WasmSession.prepare(list, keep, always);
}

class WasmSession implements Session {
  private readonly list: KernelList;
  private readonly memory: WebAssembly.Memory;
  private readonly core: CoreExports;
  private readonly tensors: Tensor[];
  private readonly runs: Run[];
  private readonly scratch: number;

  private constructor(
    list: KernelList,
    memory: WebAssembly.Memory,
    core: CoreExports,
    tensors: Tensor[],
    runs: Run[],
    scratch: number,
  ) {
    this.list = list;
    this.memory = memory;
    this.core = core;
    this.tensors = tensors;
    this.runs = runs;
    this.scratch = scratch;
  }

  static async prepare(list: KernelList, keep: readonly number[], always: boolean): Promise<WasmSession> {
    const count = list.inputs.length + list.kernels.length;
    const types = Array.from({ length: count }, (_, i) => typeOf(list, i));
    const hashed = types.reduce((most, { shape }) => Math.max(most, 4 * elementCount(shape)), 0);
    const scratchBytes = Math.max(MATMUL_SCRATCH_BYTES, treeScratchBytes(hashed));
    // How long the parameters get depends on the plan, and the plan on addresses: planned once from 0 for the length.
    const fills = new ConstantPool(CORE_CONSTANTS, CORE_CAPACITY);
    const sizing = planAll(
      list,
      (i) => i,
      (bits) => fills.address(bits),
      always,
    );
    const words = sizing.flat().reduce((sum, call) => sum + parameterWords(call.parameters).length, 0);
    const scratch = Math.ceil((PARAMETERS + 4 * words) / 4096) * 4096;
    const arena = Math.ceil((scratch + scratchBytes) / 4096) * 4096;
    const { offsets, bytes } = layOut(list, keep, MAX_BYTES - arena - SLACK);
    const unique = new Map(sizing.flat().map((call) => [loopKey(call.shape), call]));
    const [coreCode, loops] = await Promise.all([compileCore(), compileLoops(unique)]);
    const memory = allocate(arena + bytes + SLACK);
    const address = (tensor: number): number => arena + offsets[tensor];
    const calls = planAll(list, address, (bits) => loops.pool.address(bits), always);
    corePool.write(memory);
    loops.pool.write(memory);
    const imports = { env: { memory } };
    const core = (await WebAssembly.instantiate(coreCode, imports)).exports as unknown as CoreExports;
    const functions = (await WebAssembly.instantiate(loops.module, imports)).exports as Record<
      string,
      (at: number) => void
    >;
    const named = new Map([...unique.keys()].map((key, i) => [key, functions[`loop${i}`]]));
    const tensors = types.map(({ dtype, shape }, i): Tensor => {
      const length = elementCount(shape);
      const data =
        dtype === "f32"
          ? new Float32Array(memory.buffer, address(i), length)
          : new Int32Array(memory.buffer, address(i), length);
      return { dtype, shape, data };
    });
    let parameterAt = PARAMETERS;
    const loopRuns = calls.map((kernelCalls) =>
      kernelCalls.map(({ shape, parameters }): (() => void) => {
        const values = parameterWords(parameters);
        const at = parameterAt;
        new Int32Array(memory.buffer, at, values.length).set(values);
        parameterAt += 4 * values.length;
        const call = named.get(loopKey(shape))!;
        return () => call(at);
      }),
    );
    const runs = list.kernels.map((kernel, i): Run => {
      const special = specialRun(kernel, i, { list, memory, core, tensors, address, scratch });
      if (special) return special;
      const own = loopRuns[i];
      return own.length === 1 ? own[0] : () => own.forEach((run) => run());
    });
    return new WasmSession(list, memory, core, tensors, runs, scratch);
  }

  async write(input: number, tensor: Tensor): Promise<void> {
    this.tensors[input].data.set(tensor.data);
  }

  async read(tensor: number): Promise<Tensor> {
    return this.copyOf(tensor);
  }

  private copyOf(tensor: number): Tensor {
    const { dtype, shape, data } = this.tensors[tensor];
    return { dtype, shape, data: data.slice() };
  }

  async copy(pairs: readonly { from: number; to: number }[]): Promise<void> {
    const targets = new Set(pairs.map(({ to }) => to));
    // Kernels' outputs never share memory with inputs; an input that is overwritten here is read first.
    const saved = new Map(
      pairs.filter(({ from }) => targets.has(from)).map(({ from }) => [from, this.tensors[from].data.slice()]),
    );
    for (const { from, to } of pairs) this.tensors[to].data.set(saved.get(from) ?? this.tensors[from].data);
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const wanted = wantedOf(options, this.runs.length);
    const report = emptyReport();
    for (let kernel = 0; kernel < this.runs.length; kernel++) {
      const outside = this.runs[kernel]();
      if (outside) report.outOfRange.push({ kernel, count: outside });
      const output = this.list.inputs.length + kernel;
      if (wanted.roots.has(kernel)) report.roots.set(kernel, this.rootOf(output));
      if (wanted.captured.has(kernel)) report.captured.set(kernel, this.copyOf(output));
    }
    return report;
  }

  async roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    return tensors.map((tensor) => this.rootOf(tensor));
  }

  private rootOf(tensor: number): TensorRoot {
    const type = this.tensors[tensor];
    const { byteOffset, byteLength } = type.data;
    return tensorRootOf(type, treeRoot(this.core, this.memory, byteOffset, byteLength, this.scratch));
  }

  async close(): Promise<void> {
    this.runs.length = 0;
    this.tensors.length = 0;
  }
}

function allocate(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw new BackendError(
      "MEMORY",
      `the wasm backend could not get ${Math.ceil(bytes / 2 ** 20)} MiB of memory (${messageOf(cause)}); take a smaller batch or model, or free memory`,
      { bytes },
    );
  }
}

/** The generated calls of every kernel; none for those that run otherwise. */
function planAll(
  list: KernelList,
  tensor: (number: number) => number,
  constant: (bits: number) => number,
  always: boolean,
): LoopCall[][] {
  return list.kernels.map((kernel, i) => {
    const output = tensor(list.inputs.length + i);
    if (kernel.kind === "gather" || isEmpty(kernel) || !canLoop(kernel)) return [];
    if (kernel.kind === "fold") {
      const special = asProducts(kernel, output, tensor) ?? asScatter(kernel, tensor);
      if ((special && !always) || elementCount(kernel.reduce) === 0) return [];
    }
    return planLoops(kernel, output, { tensor, constant }, always);
  });
}

interface Place {
  list: KernelList;
  memory: WebAssembly.Memory;
  core: CoreExports;
  tensors: readonly Tensor[];
  address(tensor: number): number;
  scratch: number;
}

/** What does not run as generated loops. */
function specialRun(kernel: Kernel, index: number, place: Place): Run | undefined {
  const { list, memory, core, tensors, address, scratch } = place;
  const number = list.inputs.length + index;
  const output = address(number);
  const out = tensors[number];
  if (kernel.kind === "gather") {
    const [source, rows] = operandsOf(kernel).map((tensor) => tensors[tensor]);
    const rowBytes = 4 * elementCount(source.shape.slice(1));
    if (rowBytes === 0) return () => undefined;
    const [from, at] = [address(kernel.source), address(kernel.index)];
    const { length } = rows.data;
    return () => core.gatherRows(from, at, output, length, rowBytes, source.shape[0], kernel.fill | 0);
  }
  if (isEmpty(kernel)) return () => undefined;
  if (kernel.kind === "fold" && elementCount(kernel.reduce) === 0)
    return () => void new Int32Array(memory.buffer, output, out.data.length).fill(kernel.start | 0);
  // Bounds on a fold's own axes are rare; the definition itself runs on the same memory.
  if (!canLoop(kernel))
    return kernel.kind === "fold" ? () => runFold(kernel, tensors, out) : () => runMap(kernel, tensors, out);
  if (kernel.kind !== "fold") return undefined;
  const products = asProducts(kernel, output, address);
  if (products) return () => products.forEach((product) => matmul(core, memory, scratch, product));
  const scatter = asScatter(kernel, address);
  if (!scatter) return undefined;
  const { x, index: at, count, rowBytes, rows, stride } = scatter;
  return () => core.scatterAdd(x, at, output, count, rowBytes, rows, stride);
}
