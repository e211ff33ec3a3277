/** A kernel list as dispatches over buffers: its groups, where their tensors lie, and one pipeline each. */
import { elementCount, formatType } from "../../../encoding/tensor.ts";
import { BackendError } from "../../../errors/index.ts";
import type { Kernel, KernelList } from "../../kernels/kernel.ts";
import { productForm } from "../../schedule/product-form.ts";
import type { GpuBuffer, GpuPass, GpuPipeline } from "./api.ts";
import type { OpenDevice } from "./device.ts";
import type { Dialect } from "./dialect.ts";
import { fuse, type Group, single } from "../../schedule/fuse.ts";
import { type ProductGuard, productShader, type Tile } from "./product.ts";
import { type Shader, ShaderWriter } from "./shader.ts";
import { assignSlots, type Slots } from "./slots.ts";
import { GUARDED } from "./wgsl.ts";

/** How a list becomes shaders. */
export interface Lowering {
  dialect: Dialect;
  guard: ProductGuard;
  /** Tiles that products may be cut into, from the largest to the smallest. */
  tiles: readonly Tile[];
}

/** Offsets of bindings into one buffer are multiples of this (WebGPU, 3.6.2). */
export const BINDING_ALIGNMENT = 256;
/** Instructions of one fused shader. */
const FUSED_STEPS = 160;

export interface Dispatch {
  /** The kernels it runs, in their order. */
  kernels: readonly number[];
  pipeline: GpuPipeline;
  group: unknown;
  workgroups: readonly [number, number, number];
}

export interface Plan {
  dispatches: readonly Dispatch[];
  /** The buffer of a tensor that is written. */
  bufferOf(tensor: number): GpuBuffer;
  /** Buffers that are this plan's alone. */
  own: readonly GpuBuffer[];
}

/** What every plan of a session shares. */
export interface Shared {
  list: KernelList;
  keep: readonly number[];
  /** Buffers of inputs and kept tensors. */
  lasting: Slots;
  buffers: readonly GpuBuffer[];
  /** One count of reads outside the source for each gather, `BINDING_ALIGNMENT` bytes apart. */
  counters: GpuBuffer;
}

/** The kernels that count reads outside their source, in order. */
export function gathersOf({ kernels }: KernelList): number[] {
  return kernels.flatMap(({ kind }, i) => (kind === "gather" ? [i] : []));
}

/**
 * @param watched every output is written to memory, each kernel a dispatch of its own
 * @throws {BackendError} when a kernel has more operands than the device binds, or a shader does not compile
 */
export async function planDispatches(
  open: OpenDevice,
  shared: Shared,
  lowering: Lowering,
  watched: boolean,
): Promise<Plan> {
  const { list, lasting, buffers } = shared;
  const native = lowering.dialect === GUARDED;
  const isProduct = (kernel: Kernel): boolean => native && kernel.kind === "fold" && productForm(kernel) !== undefined;
  const limits = { buffers: open.maxBuffers - 1, steps: FUSED_STEPS };
  const grows = (kernel: Kernel): boolean => kernel.kind !== "gather" && !isProduct(kernel);
  const groups = watched ? single(list) : fuse(list, shared.keep, limits, grows);
  const shaders = groups
    .filter(({ kernels }) => elementCount(list.kernels[kernels[0]].type.shape) > 0)
    .map((group) => ({ group, shader: shaderOf(list, group, lowering) }));
  const { sizes, slotOf } = assignSlots(list, groups, lasting);
  const own = await open.buffers([...sizes.slice(buffers.length), BINDING_ALIGNMENT * shaders.length]);
  const parameters = own.pop()!;
  const all = [...buffers, ...own];
  const bufferOf = (tensor: number): GpuBuffer => all[slotOf[tensor]!];
  const gathers = gathersOf(list);
  const dispatches = await Promise.all(
    shaders.map(async ({ group, shader }, i) => {
      const [kernel] = group.kernels;
      const words = Uint32Array.from(shader.parameters);
      const offset = i * BINDING_ALIGNMENT;
      open.device.queue.writeBuffer(parameters, offset, words);
      const resources: object[] = [
        { buffer: parameters, offset, size: words.byteLength },
        ...[...shader.reads, ...shader.writes].map((tensor) => ({ buffer: bufferOf(tensor) })),
      ];
      const gather = gathers.indexOf(kernel);
      if (gather >= 0) resources.push({ buffer: shared.counters, offset: gather * BINDING_ALIGNMENT, size: 4 });
      checkBindings(open, list.kernels[kernel], kernel, resources.length);
      const pipeline = await open.pipeline(shader.code, `kernel ${kernel}`);
      const entries = resources.map((resource, binding) => ({ binding, resource }));
      const bindings = open.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
      return { kernels: group.kernels, pipeline, group: bindings, workgroups: shader.workgroups };
    }),
  );
  return { dispatches, bufferOf, own: [...own, parameters] };
}

/** A group as its shader: a tiled product, a gather, or loops. */
export function shaderOf(list: KernelList, group: Group, lowering: Lowering): Shader {
  const { dialect, guard, tiles } = lowering;
  const writer = new ShaderWriter(list, dialect);
  const [index] = group.kernels;
  const kernel = list.kernels[index];
  const output = list.inputs.length + index;
  if (kernel.kind === "gather") return writer.gather(kernel, output);
  const form = kernel.kind === "fold" && dialect === GUARDED ? productForm(kernel) : undefined;
  return (form && productShader(form, output, guard, tiles)) ?? writer.group(group);
}

function checkBindings({ maxBuffers, name }: OpenDevice, { type }: Kernel, kernel: number, bindings: number): void {
  if (bindings > maxBuffers)
    throw new BackendError(
      "UNSUPPORTED",
      `kernel ${kernel}, ${formatType(type)}, needs ${bindings} buffers at once, and ${name} binds ${maxBuffers}; use the wasm backend`,
      { kernel, bindings, maxBuffers },
    );
}

export function encode(pass: GpuPass, { pipeline, group, workgroups }: Dispatch): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...workgroups);
}
