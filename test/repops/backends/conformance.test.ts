/**
 * The conformance suite: a backend has the bits of the reference, with no tolerance and no list of
 * exceptions.
 */
import { describe, expect, test } from "vitest";
import { reference } from "../../../src/repops/backends/reference.ts";
import { wasm, wasmAlways } from "../../../src/repops/backends/wasm/backend.ts";
import { conformanceSuite, manyConstants, sessionSuite } from "./conformance.ts";

for (const backend of [wasm, wasmAlways]) conformanceSuite(backend, { kernels: 1200, products: 300 });

describe("WASM", () => manyConstants([wasm, wasmAlways], 150));

describe("a session", () => {
  sessionSuite([wasm, reference]);

  test("that does not fit is refused with figures", async () => {
    const huge = { dtype: "f32" as const, shape: [2 ** 30] };
    await expect(wasm.prepare({ inputs: [huge, huge], kernels: [] }, { keep: [] })).rejects.toThrow(
      /the wasm backend has \d+ MiB, but this graph needs 8192 MiB/,
    );
  });
});
