/**
 * A kernel list as dispatches over buffers: its steps, the buffers of their tensors, and one pipeline for
 * each step.
 */
import { byteLength, elementCount, formatType } from "../../../encoding/tensor.ts";
import { BackendError } from "../../../errors/index.ts";
import { type Kernel, type KernelList, typeOf } from "../../kernels/kernel.ts";
import { allocate, Slots } from "../../schedule/memory.ts";
import { schedule, type Step } from "../../schedule/schedule.ts";
import { isCounted } from "../wanted.ts";
import type { GpuBuffer, GpuPass, GpuPipeline } from "./api.ts";
import type { OpenDevice } from "./device.ts";
import type { Dialect } from "./dialect.ts";
import { type ProductGuard, productShader, type Tile } from "./product.ts";
import { type Shader, ShaderWriter } from "./shader.ts";
import { GUARDED } from "./wgsl.ts";

/** The options for turning a list into shaders. */
export interface Lowering {
  dialect: Dialect;
  guard: ProductGuard;
  /** Tiles that products may be cut into, from the largest to the smallest. */
  tiles: readonly Tile[];
}

/** Offsets of bindings into one buffer are multiples of this (WebGPU, 3.6.2). */
export const BINDING_ALIGNMENT = 256;
/** The largest number of instructions of one fused shader, because drivers need long for long shaders. */
const FUSED_INSTRUCTIONS = 160;

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
  /** Buffers that belong to this plan only. */
  own: readonly GpuBuffer[];
  /** In words: what has to be 0 before an execution. */
  counters: GpuBuffer;
  /** The kernels that count, in order, and the number of each one's word. */
  counted: readonly { kernel: number; word: number }[];
}

/** What every plan of a session shares. */
export interface Shared {
  list: KernelList;
  keep: readonly number[];
  /** Of the tensors that last, in the order of `lastingTensors`. */
  buffers: readonly GpuBuffer[];
}

/** The bytes of a tensor's buffer; bindings can't be empty. */
export function bufferBytes(list: KernelList, tensor: number): number {
  return Math.max(byteLength(typeOf(list, tensor)), 4);
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
  const { list, keep, buffers } = shared;
  const products = lowering.dialect === GUARDED;
  // The parameters, and a counter.
  const limits = { tensors: open.maxBuffers - 2, instructions: FUSED_INSTRUCTIONS, products };
  const planned = watched ? schedule(list, keep) : schedule(list, keep, limits);
  const shaders = planned.steps
    .filter(({ kernels }) => elementCount(list.kernels[kernels[0]].type.shape) > 0)
    .map((step) => ({ step, shader: shaderOf(list, step, lowering) }));
  const slots = new Slots();
  const places = allocate(planned, (tensor) => bufferBytes(list, tensor), slots);
  // The first slots belong to the lasting tensors, which have their buffers already.
  const bindings = BINDING_ALIGNMENT * shaders.length;
  const own = await open.buffers([...slots.sizes.slice(buffers.length), bindings, bindings]);
  const [parameters, counters] = own.slice(-2);
  const all = [...buffers, ...own];
  const counted: { kernel: number; word: number }[] = [];
  const bufferOf = (tensor: number): GpuBuffer => all[places[tensor]!];
  const dispatches = await Promise.all(
    shaders.map(async ({ step: { kernels }, shader }, i) => {
      const [kernel] = kernels;
      const words = Uint32Array.from(shader.parameters);
      const offset = i * BINDING_ALIGNMENT;
      open.device.queue.writeBuffer(parameters, offset, words);
      const resources: object[] = [
        { buffer: parameters, offset, size: words.byteLength },
        ...[...shader.reads, ...shader.writes].map((tensor) => ({ buffer: bufferOf(tensor) })),
      ];
      const counting = kernels.filter((one) => isCounted(list.kernels[one]));
      for (const [place, one] of counting.entries()) counted.push({ kernel: one, word: offset / 4 + place });
      if (counting.length > 0) resources.push({ buffer: counters, offset, size: 4 * counting.length });
      checkBindings(open, list.kernels[kernel], kernel, resources.length);
      const pipeline = await open.pipeline(shader.code, `kernel ${kernel}`);
      const entries = resources.map((resource, binding) => ({ binding, resource }));
      const group = open.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
      return { kernels, pipeline, group, workgroups: shader.workgroups };
    }),
  );
  counted.sort((a, b) => a.kernel - b.kernel);
  return { dispatches, bufferOf, own, counters, counted };
}

/** A step as its shader: a tiled product, a gather, or loops. */
export function shaderOf(list: KernelList, step: Step, lowering: Lowering): Shader {
  const { dialect, guard, tiles } = lowering;
  const writer = new ShaderWriter(list, dialect);
  const [index] = step.kernels;
  const kernel = list.kernels[index];
  const output = list.inputs.length + index;
  if (kernel.kind === "gather") return writer.gather(kernel, output);
  const form = dialect === GUARDED ? (step.product ?? step.views) : undefined;
  return (form && productShader(form, output, guard, tiles)) ?? writer.step(step);
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
