/** Speed and memory against the number of parameters: GPTs from 0.1M to 124M. */
import { freemem } from "node:os";
import { countParameters } from "../../src/job/parameters.ts";
import { median } from "../measure.ts";
import { Contender } from "../peers/contender.ts";
import { ours } from "../peers/contenders.ts";
import { gptJob } from "../peers/gpt.ts";
import type { GptTask } from "../peers/tasks.ts";
import type { Growth, Size } from "./series.ts";

type Shape = Omit<GptTask, "kind" | "trace">;

/** 1,024 tokens a step, and 256 where a row of logits is as long as GPT-2's. */
const SHAPES: readonly (Shape & { full?: true })[] = [
  { layers: 2, heads: 2, dim: 64, context: 64, batch: 16, vocabulary: 256 },
  { layers: 4, heads: 4, dim: 128, context: 128, batch: 8, vocabulary: 256 },
  { layers: 4, heads: 8, dim: 256, context: 128, batch: 8, vocabulary: 256 },
  { layers: 6, heads: 6, dim: 384, context: 128, batch: 8, vocabulary: 256 },
  { layers: 8, heads: 8, dim: 512, context: 128, batch: 8, vocabulary: 256, full: true },
  { layers: 12, heads: 12, dim: 768, context: 256, batch: 1, vocabulary: 50_257, full: true },
];
/** A run holds some tens of bytes for each parameter. */
const BYTES_A_PARAMETER = 40;
const THREADS = 2;

/** Each in a process of its own, traced with roots at every step. */
export async function growModels(size: Size, { say, point }: Growth): Promise<void> {
  for (const { full, ...shape } of SHAPES) {
    if (full && size === "small") continue;
    const parameters = countParameters(await gptJob(shape));
    if (freemem() < BYTES_A_PARAMETER * parameters) {
      say(`skipped a GPT of ${parameters} parameters: not enough memory is free`);
      continue;
    }
    say(`a GPT of ${parameters} parameters`);
    const contender = await Contender.start(ours("native", THREADS));
    try {
      await contender.prepare({ kind: "gpt", ...shape, trace: "every" });
      const first = await contender.time(1);
      const steps = Math.max(1, Math.min(20, Math.round(1_000 / first)));
      const times: number[] = [];
      for (let i = 0; i < 5; i++) times.push(await contender.time(steps));
      const tokens = shape.batch * shape.context;
      const { threads } = contender.hello;
      const memory = (await contender.peak()) / 2 ** 20;
      point("parameters", { parameters, tokensPerSecond: (1000 * tokens) / median(times), memoryMiB: memory, threads });
    } finally {
      await contender.close();
    }
  }
}
