/**
 * What contenders are timed on. A task is data, so that each contender's process can be told it in one line,
 * and every contender fills its operands by the same formula.
 */

/** C = A·B, `batch` times: [m, k]·[k, n]. `transpose` names the operand that is stored transposed. */
export interface ProductTask {
  kind: "product";
  batch: number;
  m: number;
  n: number;
  k: number;
  transpose: "" | "a" | "b";
}

/**
 * Operators that are compared alone, over [rows, columns]; `gradient`: with the gradients of its operands.
 */
export interface OperatorTask {
  kind: "operator";
  operator: "softmax" | "layer norm" | "GELU" | "GELU, erf form" | "cross-entropy";
  rows: number;
  columns: number;
  gradient: boolean;
}

/** One AdamW update of a tensor, its moments included. */
export interface AdamWTask {
  kind: "adamw";
  elements: number;
}

/** A copy of so many bytes: the machine's bandwidth. */
export interface CopyTask {
  kind: "copy";
  bytes: number;
}

/**
 * A training step: forward, backward, clipping, AdamW. The table of tokens is also the last layer's weight.
 */
export interface GptTask {
  kind: "gpt";
  layers: number;
  heads: number;
  dim: number;
  context: number;
  batch: number;
  vocabulary: number;
  /** What is recorded: nothing; a root after every step; or what the cadence `auto` chooses. */
  trace: "none" | "every" | "auto";
  /** The file of the weights that a peer begins with. */
  weights?: string;
}

/** Writes the weights that a GPT begins with to a safetensors file. */
export interface WeightsTask {
  kind: "weights";
  gpt: GptTask;
  file: string;
}

export type Task = ProductTask | OperatorTask | AdamWTask | CopyTask | GptTask | WeightsTask;

export function titleOf(task: Task): string {
  switch (task.kind) {
    case "product": {
      const { batch, m, n, k, transpose } = task;
      const stored = transpose === "" ? "" : `, ${transpose.toUpperCase()} transposed`;
      return `product ${batch > 1 ? `${batch} of ` : ""}${m}x${n}x${k}${stored}`;
    }
    case "operator":
      return `${task.operator}${task.gradient ? " with gradient" : ""} [${task.rows}, ${task.columns}]`;
    case "adamw":
      return `AdamW [${task.elements}]`;
    case "copy":
      return `copy of ${task.bytes / 2 ** 20} MiB`;
    case "gpt":
      return `GPT step ${sizeOf(task)}`;
    case "weights":
      return `weights of GPT ${sizeOf(task.gpt)}`;
  }
}

/** `4x256, 1,024 tokens` */
export function sizeOf({ layers, dim, batch, context }: GptTask): string {
  return `${layers}x${dim}, ${(batch * context).toLocaleString("en-US")} tokens`;
}

/** Element `i` of an operand: between -0.5 and 0.5, the same for every contender. */
export const element = (i: number, salt: number): number => ((i * 37 + salt) % 101) / 101 - 0.5;

/** Token `i` of the batch that a GPT is trained on. */
export const token = (i: number, vocabulary: number): number => (i * 7_919 + 13) % vocabulary;

/** How many operations, elements or tokens a task has, and in what unit its speed is given. */
export function workOf(task: Task): { amount: number; unit: string } {
  switch (task.kind) {
    case "product":
      return { amount: 2 * task.batch * task.m * task.n * task.k, unit: "GFLOP/s" };
    case "operator":
      return { amount: task.rows * task.columns, unit: "ns" };
    case "adamw":
      return { amount: task.elements, unit: "ns" };
    case "copy":
      return { amount: 2 * task.bytes, unit: "GB/s" };
    case "gpt":
    case "weights":
      return { amount: 1, unit: "ms" };
  }
}

/** What a contender shows of its results: the places that are compared. */
export function places(count: number, shown = 64): number[] {
  return Array.from({ length: Math.min(count, shown) }, (_, i) => Math.floor((i * count) / Math.min(count, shown)));
}
