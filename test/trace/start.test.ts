import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { type ClosedJob, jobId } from "../../src/job/closed.ts";
import { dispute } from "../../src/referee/index.ts";
import { parseFault } from "../../src/trace/fault.ts";
import { openTrace, readCheckpoint, readSafetensors, run, startFrom, writeSafetensors } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";

const path = temporaryFolder();
let job: ClosedJob;

beforeAll(async () => {
  job = await line.close();
});

describe("a job that begins with given weights", () => {
  const weights = [
    { name: "hidden.weight", dtype: "f32" as const, shape: [2, 5], data: new Float32Array(10).fill(0.25) },
    { name: "out.bias", dtype: "f32" as const, shape: [1], data: Float32Array.of(-1) },
  ];

  test("takes them over, and makes the rest as before", async () => {
    await writeSafetensors(path("weights.safetensors"), weights);
    const started = await startFrom(job, await readSafetensors(path("weights.safetensors")));
    expect(toHex(jobId(started))).not.toBe(toHex(jobId(job)));
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
    const again = await run(await startFrom(job, state), {});
    expect(toHex(again.segmentRoots[0])).toBe(toHex((await run(job, {})).segmentRoots[12]));
  });

  test("can be disputed like any other", async () => {
    const started = await startFrom(job, weights);
    await run(started, { out: path("honest.trace") });
    await run(started, { out: path("faulty.trace"), fault: parseFault("lr:from=5,factor=2") });
    const result = await dispute(path("honest.trace"), path("faulty.trace"));
    expect(result).toMatchObject({ outcome: "divergence", step: 5, losers: ["b"] });
  });

  test("refuses what the state does not have", async () => {
    await expect(startFrom(job, [{ ...weights[0], name: "hiden.weight" }])).rejects.toThrow(
      "the job's state has no hiden.weight; it has hidden.weight, out.weight",
    );
    await expect(startFrom(job, [{ ...weights[0], shape: [5, 2] }])).rejects.toThrow(
      "hidden.weight is f32[5, 2], but in the job it is f32[2, 5]",
    );
  });
});
