/**
 * Roots of outputs whose memory is used again: each output is hashed right after its kernel, in the same
 * submission, and only its root's digest is kept. So all roots of an execution need one round trip.
 */
import { chunkCount, elementCount, type TensorRoot, type TensorType } from "../../../encoding/tensor.ts";
import type { GpuBuffer, GpuEncoder } from "./api.ts";
import type { OpenDevice } from "./device.ts";
import { DIGEST_WORDS, rootFromWords } from "../device-roots.ts";
import { encodeLaunches, hashPipelines, type Launch, launchOf } from "./hasher.ts";
import { planForest } from "./sha256.ts";

const DIGEST_BYTES = 4 * DIGEST_WORDS;

export interface Output {
  kernel: number;
  type: TensorType;
  /** The place of the output after its kernel has run. */
  buffer: GpuBuffer;
}

export class Trail {
  private readonly open: OpenDevice;
  private readonly outputs: readonly Output[];
  private readonly launches: ReadonlyMap<number, { slot: number; root: number; own: readonly Launch[] }>;
  /** The tree of the output that is being hashed. */
  private readonly digests: GpuBuffer;
  /** One digest for each output. */
  private readonly kept: GpuBuffer;
  private readonly tables: readonly GpuBuffer[];

  private constructor(
    open: OpenDevice,
    outputs: readonly Output[],
    launches: Trail["launches"],
    [digests, kept, ...tables]: readonly GpuBuffer[],
  ) {
    this.open = open;
    this.outputs = outputs;
    this.launches = launches;
    this.digests = digests;
    this.kept = kept;
    this.tables = tables;
  }

  /** @throws {BackendError} when the device has no room for the digests */
  static async prepare(open: OpenDevice, outputs: readonly Output[]): Promise<Trail> {
    const { leaf, node } = await hashPipelines(open);
    // Outputs of one size share their tables.
    const sizes = [...new Set(outputs.map(({ type }) => elementCount(type.shape)))].filter((count) => count > 0);
    const forests = sizes.map((count) => planForest([chunkCount({ dtype: "f32", shape: [count] })]));
    const filled = sizes.map((count, i) => [
      Uint32Array.of(count, 0),
      ...forests[i].levels.map((level) => Uint32Array.from(level)),
    ]);
    const largest = forests.reduce((most, { size }) => Math.max(most, size), 0);
    const buffers = await open.buffers([
      DIGEST_BYTES * largest,
      DIGEST_BYTES * outputs.length,
      ...filled.flat().map(({ byteLength }) => byteLength),
    ]);
    const [digests] = buffers;
    filled.flat().forEach((data, i) => open.device.queue.writeBuffer(buffers[i + 2], 0, data));
    let at = 2;
    const trees = new Map(
      sizes.map((count, i) => {
        const [fact, ...levels] = buffers.slice(at, (at += filled[i].length));
        const nodes = levels.map((table, level) =>
          launchOf(open, node, [{ buffer: table }, { buffer: digests }], forests[i].levels[level].length / 3),
        );
        return [count, { fact, nodes, root: forests[i].roots[0] }];
      }),
    );
    const launches = new Map(
      outputs.flatMap(({ kernel, type, buffer }, slot) => {
        const tree = trees.get(elementCount(type.shape));
        if (!tree) return [];
        const bound = [{ buffer }, { buffer: digests }, { buffer: tree.fact }];
        const own = [launchOf(open, leaf, bound, chunkCount(type)), ...tree.nodes];
        return [[kernel, { slot, root: tree.root, own }] as const];
      }),
    );
    return new Trail(open, outputs, launches, buffers);
  }

  /** Hashes a kernel's output at this place of the commands. Other outputs are not changed. */
  record(encoder: GpuEncoder, kernel: number): void {
    const launch = this.launches.get(kernel);
    if (!launch) return;
    const pass = encoder.beginComputePass();
    encodeLaunches(pass, launch.own);
    pass.end();
    const [from, to] = [launch.root, launch.slot].map((digest) => DIGEST_BYTES * digest);
    encoder.copyBufferToBuffer(this.digests, from, this.kept, to, DIGEST_BYTES);
  }

  /** What was recorded last, by kernel. */
  async roots(): Promise<Map<number, TensorRoot>> {
    const bytes = DIGEST_BYTES * this.outputs.length;
    const [digests] = await this.open.download([{ buffer: this.kept, offset: 0, bytes }]);
    return new Map(
      this.outputs.map(({ kernel, type }, slot) => [
        kernel,
        rootFromWords(type, new DataView(digests, DIGEST_BYTES * slot, DIGEST_BYTES)),
      ]),
    );
  }

  close(): void {
    for (const buffer of [this.digests, this.kept, ...this.tables]) buffer.destroy();
  }
}
