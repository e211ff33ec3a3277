/** Datasets that are mapped files: what they take, and what happens when the file changes. */
import { execFile } from "node:child_process";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { safetensorsHead } from "../../../../src/formats/safetensors-file.ts";
import { temporaryFolder } from "../../../fixtures/folder.ts";
import { nativeBuilds } from "./here.ts";

const SCRIPT = fileURLToPath(new URL("mapped-run.ts", import.meta.url));
const path = temporaryFolder();
const [here] = await nativeBuilds();
let made = 0;

/** A file of zeros with some numbers at its beginning, which takes no room on the disk. */
function fileOf(mebibytes: number): string {
  const file = path(`${made++}.safetensors`);
  const head = safetensorsHead(file, [{ name: "x", dtype: "i32", shape: [mebibytes * 2 ** 18] }]);
  const descriptor = openSync(file, "w");
  writeSync(descriptor, head);
  writeSync(descriptor, Buffer.from(Int32Array.of(3, 5, 7).buffer));
  ftruncateSync(descriptor, head.length + mebibytes * 2 ** 20);
  closeSync(descriptor);
  return file;
}

async function ran(...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", SCRIPT, ...args]);
  return JSON.parse(stdout);
}

describe.skipIf(!here || process.platform !== "linux")("a mapped dataset", () => {
  const WAYS = [
    ["1", "here"],
    ["2", "here"],
    ["3", "beside"],
  ];

  test.each(WAYS)("that is cut ends no process: on %s threads, %s, what was computed is refused", async (...way) => {
    expect(await ran(fileOf(8), "cut", ...way)).toEqual({
      code: "VERDE_FORMAT_ALTERED",
      message: expect.stringMatching(
        /\.safetensors was changed while it was used, so what was computed with it is not used/,
      ),
      last: 0,
    });
  });

  test.each(["overwritten", "touched"])("that is %s is refused too", async (what) => {
    expect(await ran(fileOf(2), what, "1", "here")).toMatchObject({ code: "VERDE_FORMAT_ALTERED" });
  });

  test.each(["nothing", "replaced"])("stays as it was opened: %s", async (what) => {
    expect(await ran(fileOf(2), what, "1", "here")).toEqual({ equal: true });
  });

  test("that a session has copied is looked at afterwards", async () => {
    expect(await ran(fileOf(2), "copied")).toEqual({ code: "VERDE_FORMAT_ALTERED" });
  });

  test("takes no memory of the process, however large it is", async () => {
    const { sum, grown, dataset, file } = (await ran(fileOf(256), "memory")) as Record<string, number>;
    console.log(`all ${dataset} MiB read: ${grown.toFixed(1)} MiB more of its own, ${file.toFixed(0)} MiB of files`);
    expect({ sum, dataset }).toEqual({ sum: 0, dataset: 256 });
    // Compiled code and the heap grow by some tens of MiB, whatever the dataset.
    expect(grown).toBeLessThan(dataset / 2);
  });
});
