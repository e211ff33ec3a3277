/**
 * Computes roots of tensors on the device that holds them: first the leaves, then level by level for all
 * trees at once.
 */
import { chunkCount, elementCount, type TensorRoot, type TensorType } from "../../../encoding/tensor.ts";
import type { GpuBuffer, GpuPass, GpuPipeline } from "./api.ts";
import type { OpenDevice } from "./device.ts";
import { DIGEST_WORDS, rootFromWords } from "../device-roots.ts";
import { leafShader, nodeShader, planForest } from "./sha256.ts";
import { workgroupsFor } from "./shader.ts";

/** The parameters of the leaves of each tensor, at offsets that a binding may have. */
const FACT_WORDS = 64;

/** One dispatch of a hash's shader, with what it is bound to. */
export interface Launch {
  pipeline: GpuPipeline;
  group: unknown;
  invocations: number;
}

export async function hashPipelines(open: OpenDevice): Promise<{ leaf: GpuPipeline; node: GpuPipeline }> {
  const shaders = [leafShader(), nodeShader()];
  const [leaf, node] = await Promise.all(shaders.map((code) => open.pipeline(code, "SHA-256")));
  return { leaf, node };
}

/** @param resources what the shader's bindings 0, 1, … are bound to */
export function launchOf(
  { device }: OpenDevice,
  pipeline: GpuPipeline,
  resources: readonly object[],
  invocations: number,
): Launch {
  const entries = resources.map((resource, binding) => ({ binding, resource }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return { pipeline, group, invocations };
}

export function encodeLaunches(pass: GpuPass, launches: readonly Launch[]): void {
  for (const { pipeline, group, invocations } of launches) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...workgroupsFor(invocations));
  }
}

/** Computes the roots of a fixed set of tensors, any number of times. */
export class Hasher {
  private readonly open: OpenDevice;
  private readonly types: readonly TensorType[];
  private readonly digests: GpuBuffer;
  private readonly own: readonly GpuBuffer[];
  private readonly roots: readonly number[];
  private readonly launches: readonly Launch[];

  private constructor(
    open: OpenDevice,
    types: readonly TensorType[],
    roots: readonly number[],
    own: readonly GpuBuffer[],
    launches: readonly Launch[],
  ) {
    this.open = open;
    this.types = types;
    this.roots = roots;
    this.digests = own[0];
    this.own = own;
    this.launches = launches;
  }

  /** @param buffers the buffers of the tensors of these types */
  static async prepare(open: OpenDevice, types: readonly TensorType[], buffers: readonly GpuBuffer[]): Promise<Hasher> {
    const forest = planForest(types.map((type) => Math.max(chunkCount(type), 1)));
    const tables = forest.levels.map((level) => Uint32Array.from(level));
    const facts = new Uint32Array(types.length * FACT_WORDS);
    types.forEach((type, i) => facts.set([elementCount(type.shape), forest.leaves[i]], i * FACT_WORDS));
    const filled = [facts, ...tables];
    const own = await open.buffers([4 * DIGEST_WORDS * forest.size, ...filled.map(({ byteLength }) => byteLength)]);
    const [digests, tensors, ...levels] = own;
    filled.forEach((data, i) => open.device.queue.writeBuffer(own[i + 1], 0, data));
    const { leaf, node } = await hashPipelines(open);
    const launches = types.flatMap((type, i) => {
      const fact = { buffer: tensors, offset: 4 * FACT_WORDS * i, size: 8 };
      const bound = [{ buffer: buffers[i] }, { buffer: digests }, fact];
      return chunkCount(type) === 0 ? [] : [launchOf(open, leaf, bound, chunkCount(type))];
    });
    for (const [i, table] of tables.entries())
      launches.push(launchOf(open, node, [{ buffer: levels[i] }, { buffer: digests }], table.length / 3));
    return new Hasher(open, types, forest.roots, own, launches);
  }

  async hash(): Promise<TensorRoot[]> {
    const encoder = this.open.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encodeLaunches(pass, this.launches);
    pass.end();
    this.open.device.queue.submit([encoder.finish()]);
    const found = await this.open.download(
      this.roots.map((root) => ({ buffer: this.digests, offset: 4 * DIGEST_WORDS * root, bytes: 4 * DIGEST_WORDS })),
    );
    return this.types.map((type, i) => rootFromWords(type, new DataView(found[i])));
  }

  close(): void {
    for (const buffer of this.own) buffer.destroy();
  }
}
