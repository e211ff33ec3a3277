import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { type ClosedJob, jobId, type NamedTensor } from "../../src/job/closed.ts";
import { dispute } from "../../src/referee/index.ts";
import { parseFault } from "../../src/trace/fault.ts";
import {
  openTrace,
  readCheckpoint,
  readSafetensors,
  run,
  startFrom,
  startFromFile,
  writeSafetensors,
} from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";

const path = temporaryFolder();
let job: ClosedJob;

beforeAll(async () => {
  job = await line.close();
});

const f32 = (name: string, shape: number[], ...data: number[]): NamedTensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return { name, dtype: "f32", shape, data: Float32Array.from({ length: count }, (_, i) => data[i % data.length]) };
};

describe("a job that begins with given weights", () => {
  const weights = [f32("hidden.weight", [2, 5], 0.25), f32("out.bias", [1], -1)];
  const all = [...weights, f32("hidden.bias", [5], 1, 2, 3, 4, 5), f32("out.weight", [5, 1], 0.5, -0.5)];
  const partial = { partial: true };

  test("takes them over, makes the rest as before, and says what it took", async () => {
    await writeSafetensors(path("weights.safetensors"), weights);
    const { job: started, weights: report } = await startFrom(
      job,
      await readSafetensors(path("weights.safetensors")),
      partial,
    );
    expect(report).toEqual({
      taken: weights.map(({ name, dtype, shape }) => ({ name, dtype, shape, from: name, transposed: false })),
      missing: [
        { name: "hidden.bias", dtype: "f32", shape: [5] },
        { name: "out.weight", dtype: "f32", shape: [5, 1] },
      ],
      made: expect.arrayContaining([{ name: "rng/seed", dtype: "i32", shape: [] }]),
      unexpected: [],
      unsure: [],
    });
    expect(report.taken.length + report.missing.length + report.made.length).toBe(job.step.outputs.length);
    expect(toHex(jobId(started))).not.toBe(toHex(jobId(job)));
    expect(jobId((await startFromFile(job, path("weights.safetensors"), partial)).job)).toEqual(jobId(started));
    await run(started, { out: path("started.trace") });
    await run(job, { out: path("plain.trace") });
    const [given, made] = [
      await readCheckpoint(await openTrace(path("started.trace")), 0),
      await readCheckpoint(await openTrace(path("plain.trace")), 0),
    ];
    for (const [i, entry] of given.entries()) {
      const own = weights.find(({ name }) => name === entry.name);
      expect(entry.data, entry.name).toEqual(own ? own.data : made[i].data);
    }
  });

  test("goes on where another run ended", async () => {
    const { state } = await run(job, {});
    const { job: continued, weights: report } = await startFrom(job, state);
    expect([report.missing, report.made, report.unexpected]).toEqual([[], [], []]);
    const again = await run(continued, {});
    expect(toHex(again.segmentRoots[0])).toBe(toHex((await run(job, {})).segmentRoots[12]));
  });

  test("can be disputed like any other", async () => {
    const { job: started } = await startFrom(job, weights, partial);
    await run(started, { out: path("honest.trace") });
    await run(started, { out: path("faulty.trace"), fault: parseFault("lr:from=5,factor=2") });
    const result = await dispute(path("honest.trace"), path("faulty.trace"));
    expect(result).toMatchObject({ outcome: "divergence", step: 5, losers: ["b"] });
  });

  test("takes all parameters and nothing else, unless a part is wanted", async () => {
    expect((await startFrom(job, all)).weights.taken).toHaveLength(4);
    await expect(startFrom(job, weights)).rejects.toThrow(
      "2 parameters are missing (hidden.bias f32[5], out.weight f32[5, 1]); take what fits with --partial",
    );
    const more = [...all, f32("optimizer/adamw/m/hidden.weight", [2, 5], 0), f32("head.weight", [5, 9], 0)];
    await expect(startFrom(job, more)).rejects.toMatchObject({
      code: "VERDE_JOB_CHECKPOINT",
      message: expect.stringContaining("the job's state has no optimizer/adamw/m/hidden.weight F32[2, 5], head.weight"),
      evidence: {
        missing: [],
        unexpected: ["optimizer/adamw/m/hidden.weight F32[2, 5]", "head.weight F32[5, 9]"],
      },
    });
    const { weights: report, job: started } = await startFrom(job, more, partial);
    expect(report.unexpected).toEqual([
      { name: "optimizer/adamw/m/hidden.weight", type: "F32", shape: [2, 5] },
      { name: "head.weight", type: "F32", shape: [5, 9] },
    ]);
    expect(jobId(started)).toEqual(jobId((await startFrom(job, all)).job));
    await expect(startFrom(job, more.slice(4), partial)).rejects.toThrow("nothing of what is given fits the job");
    await expect(startFrom(job, [...all, all[0]])).rejects.toThrow("two of the given tensors are called hidden.weight");
  });

  test("refuses a name or a shape that the state does not have, and says what is near", async () => {
    await expect(startFrom(job, [{ ...weights[0], name: "hiden.weight" }])).rejects.toThrow(
      "the job's state has no hiden.weight F32[2, 5]; it has hidden.weight, out.weight",
    );
    await expect(startFrom(job, [f32("hidden.weight", [2, 4], 0)], partial)).rejects.toThrow(
      "hidden.weight is f32[2, 4], but in the job it is f32[2, 5]; convert it",
    );
    const steps = { name: "step", dtype: "f32" as const, shape: [], data: Float32Array.of(1) };
    await expect(startFrom(job, [steps], partial)).rejects.toThrow("step is f32[], but in the job it is i32[]");
  });

  test("strips the prefix that another program has put in front of the names", async () => {
    const prefixed = all.map((tensor) => ({ ...tensor, name: `model.${tensor.name}` }));
    await expect(startFrom(job, prefixed)).rejects.toThrow("strip the prefix with --from-prefix model.");
    const { job: started, weights: report } = await startFrom(job, prefixed, { prefix: "model." });
    expect(jobId(started)).toEqual(jobId((await startFrom(job, all)).job));
    expect(report.taken[0]).toMatchObject({ name: "hidden.weight", from: "model.hidden.weight" });
    await expect(startFrom(job, [...prefixed, all[0]], { prefix: "model." })).rejects.toThrow(
      "the job's state has no hidden.weight F32[2, 5]",
    );
  });
});

describe("matrices that another program keeps the other way round", () => {
  const square = { width: 2 };
  const turned = (tensor: NamedTensor): NamedTensor => {
    const [rows, columns] = tensor.shape;
    const data = Float32Array.from(
      { length: rows * columns },
      (_, i) => tensor.data[(i % rows) * columns + Math.floor(i / rows)],
    );
    return { ...tensor, shape: [columns, rows], data };
  };

  test("are named where their shape shows it, and transposed where that is asked", async () => {
    const own = [f32("hidden.weight", [2, 5], 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), f32("out.weight", [5, 1], 0.5, -0.5)];
    const rest = [f32("hidden.bias", [5], 1), f32("out.bias", [1], 2)];
    const theirs = [...own.map(turned), ...rest];
    expect([...theirs[0].data]).toEqual([1, 6, 2, 7, 3, 8, 4, 9, 5, 10]);
    await expect(startFrom(job, theirs)).rejects.toThrow(
      "hidden.weight is f32[5, 2], but in the job it is f32[2, 5]: transposed, as PyTorch keeps the weights of Linear, it fits; take it with --transpose hidden.weight",
    );
    const wanted = jobId((await startFrom(job, [...own, ...rest])).job);
    for (const transpose of [["*.weight"], ["hidden.weight", "out.weight"], ["*"]])
      expect(jobId((await startFrom(job, theirs, { transpose })).job)).toEqual(wanted);
    await expect(startFrom(job, [...own, ...rest], { transpose: ["*"] })).rejects.toThrow(
      "hidden.weight is f32[2, 5], but in the job it is f32[2, 5], and it is to be transposed",
    );
    for (const name of ["hidden", "hidden.bias", "h*t.", "x(", "hidden?weight"])
      await expect(startFrom(job, [...own, ...rest], { transpose: [name] })).rejects.toThrow("to be transposed");
  });

  test("are said to be unsure where they are square, and the file is PyTorch's or others are transposed", async () => {
    const narrow = await line.close(square);
    const given = [
      f32("hidden.weight", [2, 2], 1, 2, 3, 4),
      f32("hidden.bias", [2], 0),
      f32("out.weight", [2, 1], 5),
      f32("out.bias", [1], 0),
    ];
    expect((await startFrom(narrow, given)).weights.unsure).toEqual([]);
    const file = [given[0], given[1], turned(given[2]), given[3]];
    const mixed = await startFrom(narrow, file, { transpose: ["out.weight"] });
    expect(mixed.weights.unsure).toEqual(["hidden.weight"]);
    const both = await startFrom(narrow, [turned(given[0]), ...file.slice(1)], { transpose: ["*"] });
    expect(both.weights.unsure).toEqual([]);
    expect(jobId(both.job)).toEqual(jobId((await startFrom(narrow, given)).job));
  });
});
