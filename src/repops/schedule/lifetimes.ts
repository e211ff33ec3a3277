/** Computes the steps between which each tensor of a kernel list has to be in memory. */
import type { KernelList } from "../kernels/kernel.ts";

/** A tensor needs its memory from the first of these steps to the last, both included. */
export interface Lifetime {
  /** The step that writes it; -1 for an input. */
  readonly from: number;
  /**
   * The last step that reads it, or its own step if none does; the number of steps for inputs and kept
   * tensors.
   */
  readonly to: number;
}

/**
 * The tensors that are in memory before the first step and after the last, each once: inputs, then kept
 * tensors.
 */
export function lastingTensors(list: KernelList, keep: readonly number[]): number[] {
  return [...new Set([...list.inputs.keys(), ...keep])];
}

/** The facts from which lifetimes are computed. */
interface Accesses {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
}

/**
 * The lifetimes by tensor number; `undefined` for a tensor that no step writes.
 * @param lasting inputs and kept tensors
 */
export function lifetimesOf(
  list: KernelList,
  steps: readonly Accesses[],
  lasting: readonly number[],
): (Lifetime | undefined)[] {
  const lifetimes = new Array<Lifetime | undefined>(list.inputs.length + list.kernels.length).fill(undefined);
  for (const input of list.inputs.keys()) lifetimes[input] = { from: -1, to: steps.length };
  const reach = (tensor: number, to: number): void => {
    const from = lifetimes[tensor]?.from ?? to;
    lifetimes[tensor] = { from, to: Math.max(to, lifetimes[tensor]?.to ?? to) };
  };
  for (const [i, { reads, writes }] of steps.entries()) for (const tensor of [...reads, ...writes]) reach(tensor, i);
  for (const tensor of lasting) if (lifetimes[tensor]) reach(tensor, steps.length);
  return lifetimes;
}

/** For each step: the tensors whose memory is free after it. */
export function endings(lifetimes: readonly (Lifetime | undefined)[], steps: number): number[][] {
  const ended = Array.from({ length: steps }, (): number[] => []);
  for (const [tensor, lifetime] of lifetimes.entries())
    if (lifetime && lifetime.to < steps) ended[lifetime.to].push(tensor);
  return ended;
}
