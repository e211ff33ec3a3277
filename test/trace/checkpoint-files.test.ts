/** Checkpoints that a second thread writes: the same files and the same errors. */
import { readdirSync, readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { FileError } from "../../src/errors/index.ts";
import type { NamedTensor } from "../../src/job/closed.ts";
import { writeSafetensors } from "../../src/trace/index.ts";
import { CheckpointFiles } from "../../src/trace/checkpoint-files.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const path = temporaryFolder();
const state = (): NamedTensor[] => [
  { name: "w", dtype: "f32", shape: [3, 1000], data: Float32Array.from({ length: 3000 }, (_, i) => i / 7) },
  { name: "step", dtype: "i32", shape: [], data: Int32Array.of(-5) },
  { name: "none", dtype: "f32", shape: [0], data: new Float32Array(0) },
];

describe("a checkpoint that a second thread writes", () => {
  test("has the same bytes, one after the other", async () => {
    await writeSafetensors(path("here"), state());
    const files = new CheckpointFiles(0);
    for (const name of ["first", "second"]) {
      const tensors = state();
      await files.write(path(name), tensors);
      // They were handed over and not copied.
      expect(tensors[0].data.length).toBe(0);
      expect(readFileSync(path(name))).toEqual(readFileSync(path("here")));
    }
    await files.close();
    expect(readdirSync(path("."))).toEqual(["first", "here", "second"]);
  });

  test("that is small is written here", async () => {
    const files = new CheckpointFiles(12_005);
    const tensors = state();
    await files.write(path("small"), tensors);
    expect(tensors[0].data.length).toBe(3000);
    expect(readFileSync(path("small"))).toEqual(readFileSync(path("here")));
    await files.close();
  });

  test("fails as it does here, and the next one is written", async () => {
    const files = new CheckpointFiles(0);
    const missing = path("missing/folder");
    const error = await files.write(missing, state()).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FileError);
    const here = (await writeSafetensors(missing, state()).catch((e: unknown) => e)) as FileError;
    expect(error).toMatchObject({ code: here.code, evidence: here.evidence });
    const twice = [...state(), ...state()];
    await expect(files.write(path("twice"), twice)).rejects.toThrow("can't hold another tensor called w");
    await files.write(path("after"), state());
    expect(readFileSync(path("after"))).toEqual(readFileSync(path("here")));
    await files.close();
  });

  test.each([
    [
      "may not be started",
      () => {
        throw new Error("no threads here");
      },
    ],
    ["can't load its file", () => new Worker(new URL("missing-thread.ts", import.meta.url))],
    ["ends before it says that it is there", () => new Worker("process.exit()", { eval: true })],
  ])("is written here where the thread %s", async (_, start: () => Worker) => {
    const files = new CheckpointFiles(0, start);
    for (const name of ["alone", "alone again"]) {
      await files.write(path(name), state());
      expect(readFileSync(path(name))).toEqual(readFileSync(path("here")));
    }
    await files.close();
  });

  test("fails when the thread ends, and the next one has another thread", async () => {
    const ready = 'const { parentPort } = require("node:worker_threads"); parentPort.postMessage({});';
    let started = 0;
    const files = new CheckpointFiles(0, () => {
      started++;
      return new Worker(`${ready} parentPort.on("message", () => process.exit());`, { eval: true });
    });
    for (const count of [1, 2]) {
      await expect(files.write(path("lost"), state())).rejects.toThrow("the thread that writes");
      expect(started).toBe(count);
    }
    await files.close();
  });
});
