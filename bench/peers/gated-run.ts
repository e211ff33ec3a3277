/** A run that waits between repetitions: `run` as users call it, with a gate before each training step. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeSafetensors } from "../../src/formats/safetensors-file.ts";
import { parametersOf } from "../../src/job/parameters.ts";
import { type Backend, executeOnce, type Session } from "../../src/repops/backends/backend.ts";
import { run, type RunOptions } from "../../src/trace/run.ts";
import type { Ready } from "./contender.ts";
import { gptJob } from "./gpt.ts";
import type { GptTask, WeightsTask } from "./tasks.ts";

/**
 * Training steps before the first repetition: `auto` chooses its cadence from them. Their losses are
 * compared.
 */
const FIRST = 4;

/** Lets a number of training steps pass, then holds the next one. */
class Gate {
  private passes = 0;
  private open: (() => void) | undefined;

  allow(count: number): void {
    this.passes = count;
    this.open?.();
  }

  async pass(): Promise<void> {
    if (this.passes === 0) await new Promise<void>((resolve) => (this.open = resolve));
    this.open = undefined;
    this.passes--;
  }
}

/**
 * Makes the sessions of one list wait at a gate. The backend stays the same object, because its certificate
 * is bound to it.
 */
function addGate(backend: Backend, list: unknown, gate: Gate): void {
  const prepare = backend.prepare.bind(backend);
  const gated = async (...args: Parameters<Backend["prepare"]>): Promise<Session> => {
    const session = await prepare(...args);
    if (args[0] !== list) return session;
    return new Proxy(session, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== "function") return value;
        if (name !== "execute") return value.bind(target) as unknown;
        return async (...given: Parameters<Session["execute"]>) => {
          await gate.pass();
          return target.execute(...given);
        };
      },
    });
  };
  Object.assign(backend, { prepare: gated });
}

/** What each kind of trace asks of `run`. */
function optionsOf({ trace }: GptTask, folder: string, steps: number): RunOptions {
  const out = join(folder, "run.trace");
  if (trace === "none") return { commitEvery: steps, checkpointEvery: 0 };
  if (trace === "every") return { out, commitEvery: 1, checkpointEvery: 0 };
  // Versions that can't choose refuse the word, and the comparison is skipped.
  const auto = "auto" as unknown as number;
  return { out, commitEvery: auto, checkpointEvery: auto };
}

/**
 * A repetition of n steps begins when the gate opens and ends when step n is reported, with its root where it
 * has one. So what runs beside the steps is counted, and nothing is hashed while the peer has its turn.
 */
export async function prepareRun(backend: Backend, task: GptTask): Promise<Ready> {
  const job = await gptJob(task);
  const gate = new Gate();
  addGate(backend, job.step, gate);
  const folder = mkdtempSync(join(tmpdir(), "verde-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit());
  const losses: number[] = [];
  let reached = 0;
  let waiting: { step: number; resolve(): void } | undefined;
  const running = run(job, {
    backend,
    ...optionsOf(task, folder, job.steps),
    onStep: ({ step, metrics }) => {
      if (step > 0 && losses.length < FIRST) losses.push(metrics.loss);
      reached = step;
      if (waiting && step >= waiting.step) waiting.resolve();
    },
  });
  const advance = async (count: number): Promise<void> => {
    const step = reached + count;
    const done = new Promise<void>((resolve) => (waiting = { step, resolve }));
    gate.allow(count);
    await Promise.race([done, running]);
  };
  await advance(FIRST);
  return {
    check: losses,
    call: () => advance(1),
    calls: async (count) => {
      const began = performance.now();
      await advance(count);
      return (performance.now() - began) / count;
    },
  };
}

/** Writes the weights that the run begins with, for a peer to begin with them too. @returns their number */
export async function writeWeights(backend: Backend, { gpt, file }: WeightsTask): Promise<number[]> {
  const job = await gptJob(gpt);
  if (job.init.kind !== "graph") throw new Error("the weights are made by a graph");
  const names = new Set(parametersOf(job).map(({ name }) => name));
  const { graph } = job.init;
  const wanted = graph.outputs.filter(({ name }) => names.has(name));
  const tensors = await executeOnce(
    backend,
    graph,
    [],
    wanted.map(({ tensor }) => tensor),
  );
  await writeSafetensors(
    file,
    tensors.map((tensor, i) => ({ ...tensor, name: wanted[i].name })),
  );
  return [tensors.reduce((sum, { data }) => sum + data.length, 0)];
}
