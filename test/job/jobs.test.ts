import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { decodeGraph, encodeGraph, graphRoot } from "../../src/graph/codec.ts";
import { type ClosedJob, jobId } from "../../src/job/closed.ts";
import { countByTraining, countParameters, parametersOf } from "../../src/job/parameters.ts";
import {
  adamW,
  defineJob,
  linear,
  mean,
  sgd,
  square,
  sub,
  tensor,
  warmupCosine,
  zeros,
  type Overrides,
} from "../../src/job/index.ts";
import { loadJob } from "../../src/job/load.ts";

const line = defineJob({
  name: "line",
  steps: 5,
  options: { width: 3, optimizer: "adamw" },
  data: () => ({ x: tensor([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), y: tensor([4, 1], [1, 2, 3, 4]) }),
  loss: (job, { width }) =>
    mean(square(sub(linear(job, "out", linear(job, "hidden", job.data.x, width), 1), job.data.y))),
  optimizer: ({ optimizer, steps }) =>
    optimizer === "sgd"
      ? sgd({ learningRate: 0.01, momentum: 0.9, clipNorm: 1 })
      : adamW({ learningRate: warmupCosine({ peak: 0.1, warmup: 2, steps }) }),
});

describe("defineJob", () => {
  test("closes to graphs whose state names agree", async () => {
    const job = await line.close();
    expect(job.step.inputs.map(({ name }) => name).slice(0, 4)).toEqual([
      "hidden.weight",
      "hidden.bias",
      "out.weight",
      "out.bias",
    ]);
    expect(job.step.outputs.map(({ name }) => name)).toContain("metrics/loss");
    expect(job.dataset.map(({ name }) => name)).toEqual(["data/x", "data/y"]);
  });

  test("is the same job every time, and another with another seed, step count or option", async () => {
    const ids = await Promise.all(
      ([{}, {}, { seed: 1 }, { steps: 6 }, { width: 4 }, { optimizer: "sgd" }] as Overrides[]).map(async (overrides) =>
        toHex(jobId(await line.close(overrides))),
      ),
    );
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(5);
  });

  test("names unknown and ill-typed options", async () => {
    await expect(line.close({ heads: 2 })).rejects.toThrow(
      "has no option --heads; choose from --steps, --seed, --width",
    );
    await expect(line.close({ width: "many" })).rejects.toThrow("--width takes a number");
    await expect(line.close({ seed: 0.5 })).rejects.toThrow("seed 0.5 is not a 32-bit integer");
    await expect(line.close({ steps: 0 })).rejects.toThrow("take a whole number from 1");
  });

  test("names the layer when shapes do not fit", async () => {
    const broken = defineJob({
      name: "broken",
      steps: 1,
      data: () => ({ x: tensor([4, 2], new Array(8).fill(1)) }),
      loss: (job) =>
        job.scope("decoder", () => mean(sub(linear(job, "a", job.data.x, 3), job.parameter("b", [4, 4], zeros)))),
      optimizer: () => sgd({ learningRate: 1 }),
    });
    await expect(broken.close()).rejects.toThrow("decoder/sub: shapes f32[4, 3] and f32[4, 4] do not broadcast");
  });
});

/** A copy in which nothing is shared: programs stand in many kernels, and an edit is to touch one. */
function cloneDeep<T>(value: T): T {
  if (ArrayBuffer.isView(value)) return (value as unknown as Float32Array).slice() as T;
  if (Array.isArray(value)) return value.map(cloneDeep) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, cloneDeep(part)])) as T;
}

/** Every number, string and byte of a job, changed one at a time. */
describe("the parameters of a job", () => {
  const partly = (left: number): Promise<ClosedJob> =>
    defineJob({
      name: "partly",
      steps: 3,
      data: () => ({ x: tensor([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]) }),
      loss: (job) => mean(square(linear(job, "out", linear(job, "hidden", job.data.x, 3), 1))),
      optimizer: () => (context, parameters, slopes) => {
        sgd({ learningRate: 0.01, momentum: 0.9 })(context, parameters.slice(left), slopes.slice(left));
        for (const { value } of parameters.slice(0, left)) context.update(value, value);
      },
    }).close();

  test("are counted by whether a training step changes them, whatever the optimizer keeps", async () => {
    const sizes = [6, 3, 3, 1];
    for (const left of [0, 1, 3]) {
      const job = await partly(left);
      expect(parametersOf(job).map(({ name, frozen }) => [name, frozen])).toEqual(
        ["hidden.weight", "hidden.bias", "out.weight", "out.bias"].map((name, i) => [name, i < left]),
      );
      const frozen = sizes.slice(0, left).reduce((a, b) => a + b, 0);
      expect(countByTraining(job)).toEqual({ trained: 13 - frozen, frozen });
      expect(countParameters(job)).toBe(13);
    }
  });

  test("are not what a job keeps besides, whatever its name and type", async () => {
    const keeping = defineJob({
      name: "keeping",
      steps: 2,
      data: () => ({ x: tensor([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]) }),
      loss: (job) => {
        const seen = job.state("seen", { dtype: "f32", shape: [4, 2] }, zeros);
        job.update(seen, sub(job.data.x, seen));
        job.state("out.kept", { dtype: "f32", shape: [7] }, zeros);
        return mean(square(linear(job, "out", job.data.x, 1)));
      },
      optimizer: () => sgd({ learningRate: 0.01, momentum: 0.9 }),
    });
    expect(countByTraining(await keeping.close())).toEqual({ trained: 3, frozen: 0 });
  });

  test("are trained whatever the optimizer, and state that reports or draws is none", async () => {
    for (const optimizer of ["adamw", "sgd"])
      expect(countByTraining(await line.close({ optimizer }))).toEqual({ trained: 6 + 3 + 3 + 1, frozen: 0 });
  });
});

describe("a job's id", () => {
  const change = (job: ClosedJob, edit: (copy: ClosedJob) => void): string => {
    const copy = cloneDeep(job);
    edit(copy);
    return toHex(jobId(copy));
  };

  test("changes with every field", async () => {
    const job = await line.close();
    const edits: ((copy: any) => void)[] = [
      (copy) => (copy.name = "lime"),
      (copy) => (copy.steps += 1),
      (copy) => (copy.unit.name = "rows"),
      (copy) => (copy.unit.perStep += 1),
      (copy) => (copy.dataset[0].data[3] = 4.0000005),
      (copy) => (copy.dataset[1].shape = [2, 2]),
      (copy) => (copy.step.labels[2] += "x"),
      (copy) => (copy.step.outputs[0].name += "x"),
      (copy) => (copy.step.outputs[0].tensor -= 1),
      (copy) => (copy.step.inputs[1].shape = [4]),
      (copy) => (copy.init.graph.labels[0] += "x"),
    ];
    for (const kind of ["step", "init"] as const) {
      const { kernels } = kind === "step" ? job.step : (job.init as { graph: typeof job.step }).graph;
      const graphOf = (copy: any) => (kind === "step" ? copy.step : copy.init.graph);
      kernels.forEach((kernel, i) => {
        edits.push((copy) => (graphOf(copy).kernels[i].type.shape = [...kernel.type.shape, 1]));
        if (kernel.kind === "gather") return;
        kernel.program.floats.forEach((bits, j) =>
          edits.push((copy) => (graphOf(copy).kernels[i].program.floats[j] = (bits ^ 1) >>> 0)),
        );
        kernel.program.ints.forEach((_, j) => edits.push((copy) => (graphOf(copy).kernels[i].program.ints[j] ^= 1)));
        kernel.program.steps.forEach((step, j) => {
          step.args.forEach((_, a) => edits.push((copy) => graphOf(copy).kernels[i].program.steps[j].args[a]++));
        });
        kernel.args.forEach((arg, j) => {
          if (arg.kind !== "operand") return;
          edits.push((copy) => graphOf(copy).kernels[i].args[j].tensor++);
          edits.push((copy) => graphOf(copy).kernels[i].args[j].view.offset++);
          arg.view.strides.forEach((_, s) => edits.push((copy) => graphOf(copy).kernels[i].args[j].view.strides[s]++));
        });
        if (kernel.kind !== "fold") return;
        edits.push((copy) => (graphOf(copy).kernels[i].start = (kernel.start ^ 1) >>> 0));
      });
    }
    const ids = new Set([toHex(jobId(job)), ...edits.map((edit) => change(job, edit))]);
    expect(edits.length).toBeGreaterThan(300);
    expect(ids.size).toBe(edits.length + 1);
  });
});

describe("the examples", () => {
  for (const name of ["char-gpt", "mlp-spirals"])
    test(`${name}: its graphs survive their encoding`, async () => {
      const job = await loadJob(`examples/${name}.ts`, { steps: 30 });
      const graphs = [job.step, (job.init as { graph: typeof job.step }).graph];
      for (const graph of graphs) {
        const bytes = encodeGraph(graph);
        const decoded = decodeGraph(bytes);
        expect(toHex(graphRoot(decoded))).toBe(toHex(graphRoot(graph)));
        expect(toHex(encodeGraph(decoded))).toBe(toHex(bytes));
      }
    });

  test("a missing module and one without a job are named", async () => {
    await expect(loadJob("examples/none.ts")).rejects.toThrow("there is no job module examples/none.ts");
    await expect(loadJob("src/errors/index.ts")).rejects.toThrow("does not export a job");
  });
});
