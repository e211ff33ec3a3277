/** A kernel list prepared for WASM: one memory, generated modules, and a table of calls. */
import { elementsIn } from "../../../encoding/dtypes.ts";
import { byteLength, elementCount, type Tensor, tensorRootOf, type TensorRoot } from "../../../encoding/tensor.ts";
import { BackendError, messageOf } from "../../../errors/index.ts";
import type { ExecuteOptions, ExecuteReport, Session } from "../backend.ts";
import { type KernelList, typeOf } from "../../kernels/kernel.ts";
import { layOut } from "../../schedule/arena.ts";
import { planKernels } from "../../schedule/kernel-plan.ts";
import { constantsOf } from "../../schedule/loop-parameters.ts";
import { loopKey } from "../../schedule/loop-shape.ts";
import { schedule } from "../../schedule/schedule.ts";
import type { OperandView } from "../../schedule/view-product.ts";
import { copyOf, copyTensors } from "../host.ts";
import { Order } from "../in-order.ts";
import { addCount, countedKernels, emptyReport, wantedOf } from "../wanted.ts";
import { callBytes, Calls, functionNames } from "./calls.ts";
import { CONTROL_WORDS } from "./control.ts";
import { deal, type Dealing } from "./dealing.ts";
import { Hashing } from "./hashing.ts";
import { compileCore, compileLoops, corePool } from "./modules.ts";
import { MATMUL_SCRATCH_BYTES } from "./multiply.ts";
import { placedRun, type Run } from "./plan.ts";
import { type CallFunction, Team } from "./team.ts";
import { Views } from "./views.ts";

const PAGE = 65_536;
const MAX_BYTES = 65_535 * PAGE;
/** Vectors may read a little past the last tensor. */
const SLACK = 256;

export interface WasmOptions {
  /** `canon` after every instruction, and neither products nor scatter-adds. */
  always?: boolean;
  dealing?: Dealing;
}

/** Places one after the other in memory, before the tensors. */
class Places {
  end: number;
  constructor(from: number) {
    this.end = from;
  }
  take(bytes: number, alignment: number): number {
    const at = Math.ceil(this.end / alignment) * alignment;
    this.end = at + bytes;
    return at;
  }
}

/** @returns a session, and for tests the number of the calls that other threads have run */
export async function prepareWasm(
  list: KernelList,
  keep: readonly number[],
  { always = false, dealing = {} }: WasmOptions = {},
): Promise<Session & { readonly helped: number }> {
  const planned = schedule(list, keep);
  const plans = planKernels(planned, always, { views: true });
  const types = planned.lifetimes.map((_, i) => typeOf(list, i));
  const lastingBytes = planned.lasting.reduce((sum, tensor) => sum + byteLength(types[tensor]), 0);
  const dealt = deal(plans, lastingBytes, dealing);
  const shared = dealt.threads > 1;
  const pieces = dealt.plans.flatMap((plan) => plan?.pieces ?? []);
  const loopCalls = plans.flatMap((plan) => (plan.kind === "loops" ? plan.calls : []));
  const unique = new Map(loopCalls.map((call) => [loopKey(call.shape), call]));
  const [coreCode, loops] = await Promise.all([compileCore(shared), compileLoops(unique, shared)]);
  // Another session may add constants to the pool; those of this one are below the end that it has now.
  for (const bits of loopCalls.flatMap(({ parameters }) => constantsOf(parameters))) loops.pool.address(bits);
  const constantsEnd = loops.pool.end;

  const places = new Places(constantsEnd);
  const callsAt = places.take(callBytes(pieces), 4);
  const control = places.take(4 * CONTROL_WORDS, 64);
  const hashing = new Hashing(
    dealt.threads,
    dealing,
    types.reduce((most, type) => Math.max(most, byteLength(type)), 0),
  );
  hashing.place((bytes) => places.take(bytes, 64));
  const views = new Views(plans, (bytes) => places.take(bytes, 4));
  const products = pieces.some(({ kind }) => kind === "multiply");
  const scratches = Array.from({ length: dealt.threads }, () => places.take(products ? MATMUL_SCRATCH_BYTES : 0, 4096));
  const arena = places.take(0, 4096);
  const { offsets, bytes } = layOut(planned, MAX_BYTES - arena - SLACK, "wasm");
  const memory = allocate(arena + bytes + SLACK, shared);
  const address = (tensor: number): number => arena + offsets[tensor];

  const modules = [coreCode, loops.module];
  const exports: Record<string, CallFunction> = {};
  for (const module of modules)
    Object.assign(exports, (await WebAssembly.instantiate(module, { env: { memory } })).exports);
  const names = functionNames(unique.size);
  const functions = names.map((name) => exports[name]);
  const tensors = types.map(
    ({ dtype, shape }, i): Tensor => ({
      dtype,
      shape,
      data: elementsIn(dtype, memory.buffer, address(i), elementCount(shape)),
    }),
  );
  const addresses = {
    tensor: address,
    constant: (bits: number) => loops.pool.address(bits),
    view: (view: OperandView | undefined) => views.place(view),
  };
  const calls = new Calls(memory, callsAt, [...unique.keys()], addresses);
  const team = new Team({ memory, functions, control, scratches, idle: dealing.idle ?? false });
  const runs = plans.map((plan, i) =>
    placedRun(plan, dealt.plans[i], { output: list.inputs.length + i, tensors, calls, team }),
  );
  corePool.write(memory, corePool.end);
  loops.pool.write(memory, constantsEnd);
  views.write(memory);
  hashing.open(memory, calls, team);
  if (shared) await team.hire({ memory, modules, names, control }, scratches.slice(1));
  return new WasmSession(list, tensors, runs, team, hashing);
}

class WasmSession implements Session {
  private readonly list: KernelList;
  private readonly tensors: Tensor[];
  private readonly runs: Run[];
  private readonly team: Team;
  private readonly hashing: Hashing;
  private readonly order = new Order();
  private readonly counted: ReadonlySet<number>;

  constructor(list: KernelList, tensors: Tensor[], runs: Run[], team: Team, hashing: Hashing) {
    this.list = list;
    this.counted = new Set(countedKernels(list));
    this.tensors = tensors;
    this.runs = runs;
    this.team = team;
    this.hashing = hashing;
  }

  get helped(): number {
    return this.team.helped;
  }

  async write(input: number, { data }: Tensor): Promise<void> {
    if (this.order.isIdle) return this.tensors[input].data.set(data);
    const taken = data.slice();
    return this.order.run(async () => this.tensors[input].data.set(taken));
  }

  read(tensor: number): Promise<Tensor> {
    return this.order.run(async () => copyOf(this.tensors[tensor]));
  }

  move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    return this.order.run(async () => copyTensors(this.tensors, pairs));
  }

  execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    return this.order.run(async () => {
      const wanted = wantedOf(options, this.list);
      const report = emptyReport();
      for (let kernel = 0; kernel < this.runs.length; kernel++) {
        const run = this.runs[kernel];
        const late = run.start();
        if (late) await late;
        if (this.counted.has(kernel)) addCount(report, this.list, kernel, run.count?.() ?? 0);
        const output = this.list.inputs.length + kernel;
        if (wanted.roots.has(kernel)) report.roots.set(kernel, await this.rootOf(output));
        if (wanted.captured.has(kernel)) report.captured.set(kernel, copyOf(this.tensors[output]));
        wanted.audit.check(kernel, this.list, this.tensors);
      }
      return { ...report, ...wanted.audit.result() };
    });
  }

  roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    return this.order.run(async () => {
      const roots: TensorRoot[] = [];
      for (const tensor of tensors) roots.push(await this.rootOf(tensor));
      return roots;
    });
  }

  private async rootOf(tensor: number): Promise<TensorRoot> {
    const type = this.tensors[tensor];
    return tensorRootOf(type, await this.hashing.rootOf(type.data.byteOffset, type.data.byteLength));
  }

  close(): Promise<void> {
    return this.order.run(async () => {
      this.team.close();
      this.runs.length = 0;
      this.tensors.length = 0;
    });
  }
}

function allocate(bytes: number, shared: boolean): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (cause) {
    throw new BackendError(
      "MEMORY",
      `the wasm backend could not get ${Math.ceil(bytes / 2 ** 20)} MiB of memory (${messageOf(cause)}); take a smaller batch or model, or free memory`,
      { bytes },
    );
  }
}
