/** The options of a job: which names and defaults it may have, and what a run may set. */
import { describe, expect, it } from "vitest";
import { count, defineJob, linear, mean, option, sgd, square, tensor } from "../../src/job/index.ts";
import { jobId } from "../../src/job/closed.ts";
import type { DeclaredOptions } from "../../src/job/options.ts";

const jobWith = <const Options extends DeclaredOptions>(options: Options) =>
  defineJob({
    name: "small",
    steps: 3,
    options,
    data: () => ({ x: tensor([2, 1], [1, 2]) }),
    loss: (job) => mean(square(linear(job, "out", job.data.x, 1))),
    optimizer: () => sgd({ learningRate: 0.1 }),
  });

describe("a job's options", () => {
  it("may be described, which changes nothing else", async () => {
    const [plain, described] = [jobWith({ width: 3, kind: "a" }), jobWith({ width: option(3, "units"), kind: "a" })];
    expect(described.options).toEqual({ steps: 3, seed: 0, width: 3, kind: "a" });
    expect(described.options).toEqual(plain.options);
    expect(described.docs).toEqual({ width: "units" });
    expect(jobId(await described.close())).toEqual(jobId(await plain.close()));
  });

  it.each([
    [{ from: 2 }, 1, "a number from 2 on"],
    [{ to: 4 }, 5, "a number up to 4"],
    [{ from: 2, to: 4 }, -3, "a number from 2 up to 4"],
    [{ whole: true }, 2.5, "a whole number"],
    [{ from: 0, whole: true }, -1, "a whole number from 0 on"],
  ])("take numbers of their range %j", async (range, value, wanted) => {
    const job = jobWith({ width: option(3, "units", range) });
    const code = "VERDE_JOB_OPTION_VALUE";
    const message = `--width is ${value}; give ${wanted}`;
    await expect(job.close({ width: value })).rejects.toMatchObject({ code, message });
    await expect(job.close({ width: String(value) })).rejects.toMatchObject({ code, message });
    expect(jobId(await job.close({ width: 3 }))).toEqual(jobId(await job.close()));
    expect(() => jobWith({ width: option(value, "units", range) })).toThrow(expect.objectContaining({ code, message }));
  });

  it("may be a number of things", async () => {
    await expect(jobWith({ width: count(3, "units") }).close({ width: 0 })).rejects.toThrow("a whole number from 1 on");
    await expect(jobWith({ width: count(3, "units") }).close({ width: 1.5 })).rejects.toThrow("--width is 1.5");
    await jobWith({ width: count(0, "units", { from: 0 }) }).close();
    expect(() => jobWith({ kind: option("a", "which", { from: 1 }) })).toThrow("is a text, so it has no range");
  });

  it("have the types of their defaults", () => {
    defineJob({
      name: "typed",
      steps: 1,
      options: { width: option(3, "units"), kind: option("a", "which"), rate: 0.1 },
      data: () => ({ x: tensor([2, 1], [1, 2]) }),
      loss: (job, { width, kind }) => mean(square(linear(job, kind.toUpperCase(), job.data.x, width * 2))),
      optimizer: ({ rate }) => sgd({ learningRate: rate }),
    });
  });

  it.each(["out", "from", "steps", "seed", "help", "json", "reward", "tensorboard"])("can't be called %s", (name) =>
    expect(() => jobWith({ [name]: 3 })).toThrow(
      expect.objectContaining({ code: "VERDE_JOB_OPTION_NAME", message: expect.stringContaining(`an option ${name}`) }),
    ),
  );

  it.each(["", "1st", "two words", "-x", "naïve", "constructor", "toString", "hasOwnProperty", "x".repeat(65)])(
    "can't be called %j, which a command line can't say",
    (name) => expect(() => jobWith({ [name]: 3 })).toThrow(expect.objectContaining({ code: "VERDE_JOB_OPTION_NAME" })),
  );

  it.each([NaN, Infinity, null, true, [3], { doc: "no default" }])("can't have the default %j", (value) =>
    expect(() => jobWith({ width: value as never })).toThrow(
      expect.objectContaining({ code: "VERDE_JOB_OPTION_VALUE" }),
    ),
  );

  it("can't be set by the names that every object has", async () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf"])
      await expect(jobWith({ width: 3 }).close(JSON.parse(`{"${name}": 3}`))).rejects.toThrow(
        expect.objectContaining({ code: "VERDE_JOB_OPTION_UNKNOWN" }),
      );
  });

  it("that do not exist are compared with those that do", async () => {
    await expect(jobWith({ width: 3 }).close({ widht: 4 })).rejects.toThrow(
      "did you mean --width? It has --steps, --seed, --width",
    );
    await expect(jobWith({ width: 3 }).close({ zebra: 4 })).rejects.toThrow("; choose from --steps, --seed, --width");
  });
});
