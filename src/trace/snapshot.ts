/** A state that a run keeps. */
import { byteLength, type Tensor } from "../encoding/tensor.ts";
import type { UnreadTensor } from "../formats/safetensors-file.ts";
import type { NamedTensor } from "../job/closed.ts";
import { discard } from "../repops/backends/host.ts";
import { isSaturated } from "../repops/numbers/vf32.ts";
import type { AnyExecution } from "./execution.ts";

/**
 * A copy of a state, so that the next training step can begin; or a state that is read tensor by tensor while
 * it is written, so that no more than one of them is in memory twice.
 */
export class Snapshot {
  readonly tensors: readonly (NamedTensor | UnreadTensor)[];
  /** Of tensors with values at the end of the range; of what is unread, as far as it was read. */
  readonly saturated: string[] = [];

  private constructor(tensors: (saturated: string[]) => Snapshot["tensors"]) {
    this.tensors = tensors(this.saturated);
  }

  static async copied(execution: AnyExecution): Promise<Snapshot> {
    const state = await execution.state();
    return new Snapshot(() => state);
  }

  /** No training step may run before everything is read. */
  static unread(execution: AnyExecution): Snapshot {
    const { inputs, outputs } = execution.job.step;
    return new Snapshot((saturated) =>
      outputs.map(({ name }, entry) => ({
        ...inputs[entry],
        name,
        read: async () => {
          const tensor = await execution.entry(entry);
          if (hasSaturated(tensor)) saturated.push(name);
          return tensor;
        },
      })),
    );
  }

  /** Whether the execution has to wait until this is written. */
  get isUnread(): boolean {
    return this.tensors.some((tensor) => !("data" in tensor));
  }

  /** Looks for saturated values: now in a copy, before it is handed over. */
  look(): void {
    for (const tensor of this.tensors) if ("data" in tensor && hasSaturated(tensor)) this.saturated.push(tensor.name);
  }

  /** Reads what is unread, for its saturated values alone. */
  async pass(): Promise<void> {
    for (const tensor of this.tensors) if (!("data" in tensor)) discard(await tensor.read());
  }
}

/**
 * The present state. A large one at either end of a run, where waiting costs little, is never copied as a
 * whole; nor is one that nobody writes.
 * @param large the bytes of a large state; absent: it is not written
 */
export async function takeSnapshot(execution: AnyExecution, large: number | undefined): Promise<Snapshot> {
  const { at, job } = execution;
  const bytes = job.step.outputs.reduce((sum, _, entry) => sum + byteLength(job.step.inputs[entry]), 0);
  if (large !== undefined && (bytes < large || (at > 0 && at < job.steps))) return Snapshot.copied(execution);
  const snapshot = Snapshot.unread(execution);
  if (large === undefined) await snapshot.pass();
  return snapshot;
}

function hasSaturated({ dtype, data }: Tensor): boolean {
  if (dtype !== "f32") return false;
  // The state of a large model has many millions of numbers: this is the loop that is fast.
  for (let i = 0; i < data.length; i++) if (isSaturated(data[i])) return true;
  return false;
}
