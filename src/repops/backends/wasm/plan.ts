/** What a kernel runs in the memory of a session. */
import type { Tensor } from "../../../encoding/tensor.ts";
import type { KernelPlan } from "../../schedule/kernel-plan.ts";
import { runDefinition } from "../definition.ts";
import type { Calls } from "./calls.ts";
import type { DealtPlan } from "./dealing.ts";
import type { Late, Team } from "./team.ts";

/** A kernel in its place. */
export interface Run {
  /** Computes it. A promise: it is finished later. */
  start(): Late;
  /** After it has run: the number of a gather's reads outside of the source, or the bits of `NOTED`. */
  count?(): number;
}

/**
 * @param output the tensor that the kernel writes
 * @param address of that tensor, in bytes
 */
export function placedRun(
  plan: KernelPlan,
  dealt: DealtPlan | undefined,
  { output, tensors, calls, team }: { output: number; tensors: readonly Tensor[]; calls: Calls; team: Team },
): Run {
  const out = tensors[output];
  if (dealt) {
    const first = calls.add(dealt.pieces, output);
    const { length } = dealt.pieces;
    const start = (): Late => team.run(first, length, dealt.dealt);
    const join = plan.kind === "gather" ? (a: number, b: number) => a + b : (a: number, b: number) => a | b;
    return { start, count: () => calls.results(first, length).reduce(join, 0) };
  }
  switch (plan.kind) {
    case "start": {
      const words = new Int32Array(out.data.buffer, out.data.byteOffset, out.data.length);
      return { start: () => void words.fill(plan.bits | 0) };
    }
    case "definition": {
      const { kernel } = plan;
      let noted = 0;
      return { start: () => void (noted = runDefinition(kernel, tensors, out)), count: () => noted };
    }
    default:
      return { start: () => undefined };
  }
}
