/** A kernel list prepared for WASM: one memory, one generated module, and a list of calls. */
import { elementsIn } from "../../../encoding/dtypes.ts";
import { byteLength, elementCount, type Tensor, tensorRootOf, type TensorRoot } from "../../../encoding/tensor.ts";
import { BackendError, messageOf } from "../../../errors/index.ts";
import type { ExecuteOptions, ExecuteReport, Session } from "../backend.ts";
import { type KernelList, typeOf } from "../../kernels/kernel.ts";
import { layOut } from "../../schedule/arena.ts";
import { planKernels } from "../../schedule/kernel-plan.ts";
import { type Addresses, constantsOf, parameterCount, parameterWords } from "../../schedule/loop-parameters.ts";
import type { LoopCall } from "../../schedule/loop-plan.ts";
import { loopKey } from "../../schedule/loop-shape.ts";
import { schedule } from "../../schedule/schedule.ts";
import { copyOf, copyTensors } from "../host.ts";
import { emptyReport, wantedOf } from "../wanted.ts";
import type { CoreExports } from "./core.ts";
import { compileCore, compileLoops, corePool } from "./modules.ts";
import { MATMUL_SCRATCH_BYTES } from "./matmul.ts";
import { bind, type Run } from "./plan.ts";
import { treeRoot, treeScratchBytes } from "./sha256.ts";

const PAGE = 65_536;
const MAX_BYTES = 65_535 * PAGE;
/** Vectors may read a little past the last tensor. */
const SLACK = 256;

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
    const planned = schedule(list, keep);
    const plans = planKernels(planned, always);
    const loopCalls = plans.flatMap((plan) => (plan.kind === "loops" ? plan.calls : []));
    const types = planned.lifetimes.map((_, i) => typeOf(list, i));
    const hashed = types.reduce((most, type) => Math.max(most, byteLength(type)), 0);
    const scratchBytes = Math.max(MATMUL_SCRATCH_BYTES, treeScratchBytes(hashed));
    const unique = new Map(loopCalls.map((call) => [loopKey(call.shape), call]));
    const [coreCode, loops] = await Promise.all([compileCore(), compileLoops(unique)]);
    // Another session may add constants to the pool; those of this one are below `constantsEnd`.
    for (const bits of loopCalls.flatMap(({ parameters }) => constantsOf(parameters))) loops.pool.address(bits);
    const constantsEnd = loops.pool.end;
    const parametersEnd = loopCalls.reduce((at, call) => at + 4 * parameterCount(call.parameters), constantsEnd);
    const scratch = Math.ceil(parametersEnd / 4096) * 4096;
    const arena = Math.ceil((scratch + scratchBytes) / 4096) * 4096;
    const { offsets, bytes } = layOut(planned, MAX_BYTES - arena - SLACK, "wasm");
    const memory = allocate(arena + bytes + SLACK);
    const address = (tensor: number): number => arena + offsets[tensor];
    const imports = { env: { memory } };
    const core = (await WebAssembly.instantiate(coreCode, imports)).exports as unknown as CoreExports;
    const functions = (await WebAssembly.instantiate(loops.module, imports)).exports as Record<
      string,
      (at: number) => void
    >;
    const named = new Map([...unique.keys()].map((key, i) => [key, functions[`loop${i}`]]));
    const tensors = types.map(
      ({ dtype, shape }, i): Tensor => ({
        dtype,
        shape,
        data: elementsIn(dtype, memory.buffer, address(i), elementCount(shape)),
      }),
    );
    const addresses: Addresses = { tensor: address, constant: (bits) => loops.pool.address(bits) };
    let parameterAt = constantsEnd;
    const bindLoop = ({ shape, parameters }: LoopCall): (() => void) => {
      const values = parameterWords(parameters, addresses);
      const at = parameterAt;
      new Int32Array(memory.buffer, at, values.length).set(values);
      parameterAt += 4 * values.length;
      const call = named.get(loopKey(shape))!;
      return () => call(at);
    };
    const placed = { memory, core, tensors, address, scratch, bindLoop };
    const runs = plans.map((plan, i) => bind(plan, list.inputs.length + i, placed));
    corePool.write(memory, corePool.end);
    loops.pool.write(memory, constantsEnd);
    return new WasmSession(list, memory, core, tensors, runs, scratch);
  }

  async write(input: number, tensor: Tensor): Promise<void> {
    this.tensors[input].data.set(tensor.data);
  }

  async read(tensor: number): Promise<Tensor> {
    return copyOf(this.tensors[tensor]);
  }

  async move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    copyTensors(this.tensors, pairs);
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const wanted = wantedOf(options, this.list);
    const report = emptyReport();
    for (let kernel = 0; kernel < this.runs.length; kernel++) {
      const outside = this.runs[kernel]();
      if (outside) report.outOfRange.push({ kernel, count: outside });
      const output = this.list.inputs.length + kernel;
      if (wanted.roots.has(kernel)) report.roots.set(kernel, this.rootOf(output));
      if (wanted.captured.has(kernel)) report.captured.set(kernel, copyOf(this.tensors[output]));
      wanted.audit.check(kernel, this.list, this.tensors);
    }
    return { ...report, ...wanted.audit.result() };
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
