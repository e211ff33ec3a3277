/**
 * The conformance suite on native code, by every compiler, level and width of vectors that the machine has.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { toHex } from "../../../../src/encoding/bytes.ts";
import { type Tensor, tensorRoot } from "../../../../src/encoding/tensor.ts";
import { loadJob } from "../../../../src/job/load.ts";
import { wasm } from "../../../../src/repops/backends/wasm/backend.ts";
import { run } from "../../../../src/trace/run.ts";
import { conformanceSuite, manyConstants, sessionSuite } from "../conformance.ts";
import { checkNotes } from "../../notes.ts";
import { checkReports } from "../../reports.ts";
import { nativeWith } from "../../../../src/repops/backends/native/backend.ts";
import { fusedIn, nativeBuilds } from "./here.ts";

const builds = await nativeBuilds();

for (const backend of builds)
  conformanceSuite(
    backend,
    backend.name === "native" ? { kernels: 150, products: 100 } : { kernels: 25, products: 30 },
  );

describe.skipIf(builds.length === 0)("native", () => {
  manyConstants(builds.slice(0, 1), 8);
  sessionSuite(builds.slice(0, 1));
  // Executions and roots of any size on other threads.
  sessionSuite([nativeWith({ name: "native, beside", beside: true })]);

  test.each(builds)("$name reports roots and outputs of any kernels, as data", (backend) => checkReports(backend));

  const noting = process.env.VERDE_SWEEP === undefined ? builds.slice(0, 2) : builds;
  test.each(noting)("$name notes saturations and operands outside of a domain", (backend) => checkNotes(backend));

  test("a list that does not fit is refused with figures", async () => {
    const huge = { dtype: "f32" as const, shape: [2 ** 30] };
    await expect(
      builds[0].prepare({ inputs: Array.from({ length: 512 }, () => huge), kernels: [] }, { keep: [] }),
    ).rejects.toThrow(/the native backend has \d+ MiB, but this graph needs 20971\d\d MiB/);
  });

  test("a closed session is refused, because its memory belongs to others", async () => {
    const session = await builds[0].prepare({ inputs: [{ dtype: "f32", shape: [4] }], kernels: [] }, { keep: [] });
    await session.close();
    await session.close();
    for (const use of [session.read(0), session.execute(), session.roots([0]), session.move([])])
      await expect(use).rejects.toThrow(/the session is closed/);
  });

  /** Trees of every form: empty, one chunk, odd nodes at several levels, several subtrees, any last chunk. */
  test.each(builds)("$name has the roots of the specification", async (backend) => {
    const sizes = [0, 1, 2, 13, 14, 15, 16, 29, 30, 46, 61, 62, 63, 64, 65, 128, 129, 320, 449, 64 * 37 + 5];
    sizes.push(64 * 1000 + 1, 64 * 1024, 64 * 1024 + 1, 64 * 2049, 64 * 5000 + 63);
    const tensors = sizes.map((size, t): Tensor => {
      const data = Int32Array.from({ length: size }, (_, i) => Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(t, 0x85ebca6b));
      return { dtype: "i32", shape: [size], data };
    });
    const session = await backend.prepare({ inputs: tensors, kernels: [] }, { keep: [] });
    for (const [i, tensor] of tensors.entries()) await session.write(i, tensor);
    const order = [...tensors.keys(), 3, 3, 0];
    const roots = await session.roots(order);
    await session.close();
    expect(roots.map(toHex)).toEqual(order.map((i) => toHex(tensorRoot(tensors[i]))));
  });

  test("200 steps of the GPT have the roots of WASM", async () => {
    const path = fileURLToPath(new URL("../../../../examples/char-gpt.ts", import.meta.url));
    const tiny = { layers: 1, dim: 16, heads: 2, context: 16, batch: 2, dropout: 0.1, seed: 3, steps: 200 };
    const job = await loadJob(path, tiny);
    const wanted = await run(job, { backend: wasm });
    for (const backend of [builds[0], nativeWith({ beside: true })]) {
      const actual = await run(job, { backend });
      expect(actual.segmentRoots.length).toBe(201);
      expect(actual.segmentRoots.map(toHex)).toEqual(wanted.segmentRoots.map(toHex));
    }
  });

  test("no object has a fused multiply-add", async ({ skip }) => {
    const found = await fusedIn(builds.length);
    if (found === undefined) {
      console.log("skipped: there is no objdump, so the machine code is not searched for fused operations");
      skip();
    }
    expect(found).toEqual([]);
  });
});
